"""GANimation's generator (Pumarola et al. 2018, "GANimation: Anatomically-aware Facial Animation from a Single Image",
sections 4.1 and 5): a picture and wanted action units become a colour picture and a mask of attention, which says where
the picture stays as it is.
"""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.action_units.units import UNITS
from models.ganimation.layers import InstanceNorm, double, halve, normal, outer, planes, same


@dataclass(frozen=True)
class Architecture:
    """What a generator and its critic are built from; the defaults are the paper's.

    Raises ValueError, naming the field, for a value outside its range.
    """

    size: int = 128  # side of the picture in pixels
    width: int = 64  # features of the generator at the picture's size; twice and four times as many below
    blocks: int = 6  # residual blocks at a quarter of the size
    outer: int = 7  # side of the kernels at the picture's size, odd
    critic_width: int = 64  # features of the critic's first layer; each further one has twice as many
    critic_layers: int = 6  # each halves the picture

    def __post_init__(self) -> None:
        for name in ("size", "width", "critic_width", "critic_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        if self.blocks < 0:
            raise ValueError(f"blocks is {self.blocks}, expected 0 or more")
        if self.outer < 1 or self.outer % 2 == 0:
            raise ValueError(f"outer is {self.outer}, expected an odd number of pixels")
        if self.size % 4:
            raise ValueError(f"size is {self.size}, the generator halves it twice: expected a multiple of 4")
        if self.size % 2**self.critic_layers:
            raise ValueError(
                f"size is {self.size}, critic_layers {self.critic_layers} halve it that often: expected a multiple of "
                f"{2**self.critic_layers}"
            )

    def as_dict(self) -> dict[str, Any]:
        """The fields, as a card keeps them."""
        return asdict(self)


class Edited(NamedTuple):
    """What a generator makes of N pictures."""

    pictures: Array  # (N, H, W, 3) in [-1, 1]: attention · input + (1 - attention) · colour
    colour: Array  # (N, H, W, 3) in [-1, 1]
    attention: Array  # (N, H, W, 1) in [0, 1]; 1 keeps the input's pixel


class ResidualBlock(nnx.Module):
    """(N, H, W, C) -> the same. Nothing follows the sum."""

    def __init__(self, channels: int, rngs: nnx.Rngs):
        self.first = nnx.Param(normal(rngs.params(), (3, 3, channels, channels)))
        self.first_norm = InstanceNorm(channels)
        self.second = nnx.Param(normal(rngs.params(), (3, 3, channels, channels)))
        self.second_norm = InstanceNorm(channels)

    def __call__(self, x: Array) -> Array:
        y = jax.nn.relu(self.first_norm(same(x, self.first[...])))
        return x + self.second_norm(same(y, self.second[...]))


class Generator(nnx.Module):
    """Pictures (N, H, W, 3) float32 in [-1, 1] and action units (N, 17) -> `Edited`. H and W are multiples of 4.

    The units stand for planes beside the three colours. With the paper's architecture: 8,471,296 weights.
    """

    def __init__(self, arch: Architecture, *, rngs: nnx.Rngs):
        self.arch = arch
        widths, size = [arch.width * 2**k for k in range(3)], (arch.outer, arch.outer)
        self.stem = nnx.Param(normal(rngs.params(), (*size, 3 + len(UNITS), widths[0])))
        self.stem_norm = InstanceNorm(widths[0])
        self.down = nnx.List([nnx.Param(normal(rngs.params(), (4, 4, *pair))) for pair in zip(widths, widths[1:])])
        self.down_norms = nnx.List([InstanceNorm(width) for width in widths[1:]])
        self.blocks = nnx.List([ResidualBlock(widths[-1], rngs) for _ in range(arch.blocks)])
        widths.reverse()
        self.up = nnx.List([nnx.Param(normal(rngs.params(), (4, 4, *pair))) for pair in zip(widths, widths[1:])])
        self.up_norms = nnx.List([InstanceNorm(width) for width in widths[1:]])
        self.colour = nnx.Param(normal(rngs.params(), (*size, widths[-1], 3)))
        self.attention = nnx.Param(normal(rngs.params(), (*size, widths[-1], 1)))

    def __call__(self, pictures: Array, units: Array) -> Edited:
        stem = self.stem[...]
        x = outer(pictures, stem[:, :, :3]) + planes(units, stem[:, :, 3:], *pictures.shape[1:3])
        x = jax.nn.relu(self.stem_norm(x))
        for kernel, norm in zip(self.down, self.down_norms):
            x = jax.nn.relu(norm(halve(x, kernel[...])))
        for block in self.blocks:
            x = block(x)
        for kernel, norm in zip(self.up, self.up_norms):
            x = jax.nn.relu(norm(double(x, kernel[...])))
        heads = outer(x, jnp.concatenate([self.colour[...], self.attention[...]], axis=-1))
        colour, attention = jnp.tanh(heads[..., :3]), jax.nn.sigmoid(heads[..., 3:])
        return Edited(attention * pictures + (1 - attention) * colour, colour, attention)
