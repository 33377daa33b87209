"""Inception-ResNet-v2 (Szegedy et al. 2016, "Inception-v4, Inception-ResNet and the Impact of Residual Connections on
Learning", figures 3 and 15 … 19), layer by layer as Keras' application has it, which differs from the paper's in its stem.

Input is red, green and blue in [-1, 1], as Keras' expects it. Normalisation has no scale.
"""

from collections.abc import Callable, Sequence
from itertools import count

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.fer.keras_layers import Conv, Norm, Unit
from models.fer.transfer import Architecture

MOMENTUM = 0.99
Branches = Sequence[Sequence[tuple]]  # of each branch its convolutions: features, size and, where it halves, "halves"


class Numbered:
    """Makes convolutions under the names that Keras gives to those without one: conv2d, conv2d_1, … in their order."""

    def __init__(self, rngs: nnx.Rngs):
        self.numbers, self.rngs = count(), rngs

    def unit(self, channels: int, features: int, size: int | tuple[int, int], stride: int = 1, padding="SAME") -> Unit:
        after = f"_{number}" if (number := next(self.numbers)) else ""
        conv = Conv(f"conv2d{after}", channels, features, size, stride, rngs=self.rngs, padding=padding)
        return Unit(conv, Norm(f"batch_normalization{after}", features, MOMENTUM, scaled=False), jax.nn.relu)

    def branches(self, channels: int, rows: Branches) -> nnx.List:
        made = []
        for row in rows:
            widths = (channels, *(features for features, *_ in row))
            strides = [(2, "VALID") if "halves" in how else (1, "SAME") for _, _, *how in row]
            made.append(nnx.List([self.unit(c, f, size, *s) for c, (f, size, *_), s in zip(widths, row, strides)]))
        return nnx.List(made)


def largest(x: Array) -> Array:
    """3×3 maximum, stride 2, VALID."""
    return nnx.max_pool(x, window_shape=(3, 3), strides=(2, 2), padding="VALID")


def averaged(x: Array) -> Array:
    """3×3 mean of what lies within the map."""
    return nnx.avg_pool(x, window_shape=(3, 3), strides=(1, 1), padding="SAME", count_include_pad=False)


def _through(units: nnx.List, x: Array, train: bool) -> Array:
    for unit in units:
        x = unit(x, train)
    return x


class Pooled(nnx.Module):
    """Units, then the 3×3 maximum of stride 2."""

    def __init__(self, units: Sequence[Unit]):
        self.units = nnx.List(units)

    def __call__(self, x: Array, train: bool, key: Array | None = None) -> Array:
        return largest(_through(self.units, x, train))


class Mixed(nnx.Module):
    """Branches side by side, and the pooled map through the units `after`: their channels one after the other."""

    def __init__(self, branches: nnx.List, pool: Callable[[Array], Array], after: Sequence[Unit] = ()):
        self.branches, self.pool, self.after = branches, pool, nnx.List(after)

    def __call__(self, x: Array, train: bool, key: Array | None = None) -> Array:
        parts = [_through(branch, x, train) for branch in self.branches]
        return jnp.concatenate([*parts, _through(self.after, self.pool(x), train)], axis=-1)


class InceptionResidual(nnx.Module):
    """(N, H, W, C) -> (N, H, W, C): what the branches make of it is added, by `scale`."""

    def __init__(self, keras: str, branches: nnx.List, channels: int, width: int, scale: float, last: bool, rngs: nnx.Rngs):
        self.branches = branches
        self.up = Conv(keras, width, channels, bias=True, rngs=rngs)
        self.scale, self.last = scale, last

    def __call__(self, x: Array, train: bool, key: Array | None = None) -> Array:
        parts = [_through(branch, x, train) for branch in self.branches]
        y = x + self.scale * self.up(jnp.concatenate(parts, axis=-1))
        return y if self.last else jax.nn.relu(y)


KINDS = {  # channels, scale, blocks, branches
    "block35": (320, 0.17, 10, (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3)))),
    "block17": (1088, 0.1, 20, (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1))))),
    "block8": (2080, 0.2, 10, (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1))))),
}


def _residuals(kind: str, numbered: Numbered, rngs: nnx.Rngs) -> list[nnx.Module]:
    channels, scale, blocks, rows = KINDS[kind]
    width = sum(row[-1][0] for row in rows)
    made = []
    for number in range(1, blocks + 1):
        last = kind == "block8" and number == blocks  # not scaled, and negative values stay
        branches = numbered.branches(channels, rows)
        by = 1.0 if last else scale
        made.append(InceptionResidual(f"{kind}_{number}_conv", branches, channels, width, by, last, rngs))
    return made


def _blocks(rngs: nnx.Rngs) -> list[nnx.Module]:
    numbered = Numbered(rngs)
    unit = numbered.unit
    blocks = [Pooled([unit(3, 32, 3, 2, "VALID"), unit(32, 32, 3, 1, "VALID"), unit(32, 64, 3)])]
    blocks.append(Pooled([unit(64, 80, 1), unit(80, 192, 3, 1, "VALID")]))
    rows = (((96, 1),), ((48, 1), (64, 5)), ((64, 1), (96, 3), (96, 3)))
    blocks.append(Mixed(numbered.branches(192, rows), averaged, [unit(192, 64, 1)]))
    blocks += _residuals("block35", numbered, rngs)
    rows = (((384, 3, "halves"),), ((256, 1), (256, 3), (384, 3, "halves")))
    blocks.append(Mixed(numbered.branches(320, rows), largest))
    blocks += _residuals("block17", numbered, rngs)
    rows = (((256, 1), (384, 3, "halves")), ((256, 1), (288, 3, "halves")), ((256, 1), (288, 3), (320, 3, "halves")))
    blocks.append(Mixed(numbered.branches(1088, rows), largest))
    blocks += _residuals("block8", numbered, rngs)
    top = Unit(Conv("conv_7b", 2080, 1536, rngs=rngs), Norm("conv_7b_bn", 1536, MOMENTUM, scaled=False), jax.nn.relu)
    return [*blocks, top]


INCEPTION_RESNETS = {"inception_resnet_v2": Architecture(_blocks, 1536, 75)}
