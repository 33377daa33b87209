"""The networks of Alizadeh and Fazel 2017, "Convolutional Neural Networks for Facial Expression Recognition" (arXiv:1704.06756,
sections 3 and 4): shallow, deep, and hybrid, in which HOG joins the convolutions' features before the dense layers.

Dropout rates are not in the paper; those here are of the study "Monday's facial expression recognition" (2021).
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.fer.hog import hog, length
from models.layers import BatchNorm, halved_by_maximum, precision_here

DROPPED_MAPS, DROPPED_DENSE = 0.2, 0.5  # shares of the values, after each convolution and each dense layer

he = nnx.initializers.he_normal()


class Convolution(nnx.Module):
    """k×k convolution, SAME, normalised and rectified: (N, H, W, C) -> (N, H, W, F) float32."""

    def __init__(self, channels: int, features: int, side: int, rngs: nnx.Rngs):
        self.conv = nnx.Conv(
            channels, features, (side, side), padding="SAME", kernel_init=he, dtype=precision_here(), rngs=rngs
        )
        self.norm = BatchNorm(features, momentum=0.9)

    def __call__(self, x: Array, train: bool) -> Array:
        return jax.nn.relu(self.norm(self.conv(x).astype(jnp.float32), train))


class Dense(nnx.Module):
    """A linear layer, normalised and rectified: (N, C) -> (N, F)."""

    def __init__(self, width: int, features: int, rngs: nnx.Rngs):
        self.linear = nnx.Linear(width, features, kernel_init=he, rngs=rngs)
        self.norm = BatchNorm(features, momentum=0.9)

    def __call__(self, x: Array, train: bool) -> Array:
        return jax.nn.relu(self.norm(self.linear(x)[:, None, None], train)[:, 0, 0])


class AlizadehFazel(nnx.Module):
    """(N, size, size, channels) float32 in [-1, 1] -> logits (N, classes).

    Args:
        kernels: (features, side, halved) of each convolution.
        dense: widths of the dense layers before the logits.
        hybrid: HOG of the picture joins what the convolutions found; grey pictures only.
    """

    def __init__(
        self,
        kernels: Sequence[tuple[int, int, bool]],
        dense: Sequence[int],
        hybrid: bool,
        classes: int,
        channels: int,
        size: int,
        rngs: nnx.Rngs,
    ):
        if hybrid and channels != 1:
            raise ValueError(f"channels is {channels}, but HOG is made of grey pictures: expected 1")
        self.classes, self.channels, self.size, self.hybrid = classes, channels, size, hybrid
        self.halved = tuple(halved for _, _, halved in kernels)
        before = (channels, *(features for features, _, _ in kernels))
        self.convolutions = nnx.List([Convolution(c, f, k, rngs) for c, (f, k, _) in zip(before, kernels)])
        side = size // 2 ** sum(self.halved)
        if side < 1:
            raise ValueError(f"pictures of {size}×{size} pixels are too small: expected {2 ** sum(self.halved)} and more")
        widths = (side * side * before[-1] + (length(size, size) if hybrid else 0), *dense)
        self.dense = nnx.List([Dense(c, f, rngs) for c, f in zip(widths, dense)])
        self.logits = nnx.Linear(widths[-1], classes, rngs=rngs)

    def __call__(self, x: Array, train: bool = False, key: Array | None = None) -> Array:
        """Dropout is drawn from `key`; None: there is none."""
        if x.shape[1:3] != (self.size, self.size):
            raise ValueError(f"pictures of {x.shape[1]}×{x.shape[2]} pixels, this network is made for {self.size}")
        return self.decide(self.maps(x, train, key), x, train, key)

    def maps(self, x: Array, train: bool = False, key: Array | None = None) -> Array:
        """What the dense layers see: (N, side, side, features)."""
        for number, (convolution, halved) in enumerate(zip(self.convolutions, self.halved)):
            x = convolution(x, train)
            x = dropped(halved_by_maximum(x) if halved else x, DROPPED_MAPS, key, number)
        return x

    def decide(self, maps: Array, pictures: Array, train: bool = False, key: Array | None = None) -> Array:
        """Logits of the maps that the convolutions made of `pictures`."""
        x = maps.reshape(len(maps), -1)
        if self.hybrid:
            x = jnp.concatenate([x, hog(pictures)], axis=1)
        for number, dense in enumerate(self.dense, len(self.convolutions)):
            x = dropped(dense(x, train), DROPPED_DENSE, key, number)
        return self.logits(x)


def dropped(x: Array, share: float, key: Array | None, number: int) -> Array:
    """`x` without `share` of its values, the rest raised by as much, as draw `number` of `key` says."""
    return x if key is None else nnx.Dropout(share)(x, deterministic=False, rngs=jax.random.fold_in(key, number))


DEEP = ((64, 3, True), (128, 5, True), (512, 3, True), (512, 3, True))


def shallow(classes: int = 7, channels: int = 1, *, size: int = 48, rngs: nnx.Rngs) -> AlizadehFazel:
    """Two convolutions, the second halved, and a dense layer of 512: 18.9 million values at 48×48 grey."""
    return AlizadehFazel(((32, 3, False), (64, 3, True)), (512,), False, classes, channels, size, rngs)


def deep(classes: int = 7, channels: int = 1, *, size: int = 48, rngs: nnx.Rngs) -> AlizadehFazel:
    """Four convolutions, each halved, and dense layers of 256 and 512: 4,478,727 values at 48×48 grey."""
    return AlizadehFazel(DEEP, (256, 512), False, classes, channels, size, rngs)


def hybrid(classes: int = 7, channels: int = 1, *, size: int = 48, rngs: nnx.Rngs) -> AlizadehFazel:
    """The deep one with HOG beside its maps: 900 × 256 values more at 48×48."""
    return AlizadehFazel(DEEP, (256, 512), True, classes, channels, size, rngs)
