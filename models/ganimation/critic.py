"""GANimation's critic (Pumarola et al. 2018, sections 4.1 and 5): a PatchGAN (Isola et al. 2017) that scores how real
each patch of a picture is, with a second head that reads the picture's action units.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.action_units.units import UNITS
from models.ganimation.generator import Architecture, Generator
from models.ganimation.layers import halve, normal, same
from models.layers import channelwise

SLOPE = 0.01  # of the leaky ReLUs


class Critic(nnx.Module):
    """Pictures (N, S, S, 3) float32 in [-1, 1] -> scores (N, S/2ᴸ, S/2ᴸ), large for real patches, and units (N, 17).

    Neither is bounded. With the paper's architecture: 44,860,352 weights.
    """

    def __init__(self, arch: Architecture, *, rngs: nnx.Rngs):
        self.arch = arch
        widths = [3, *(arch.critic_width * 2**k for k in range(arch.critic_layers))]
        place = arch.size // 2**arch.critic_layers
        self.kernels = nnx.List([nnx.Param(normal(rngs.params(), (4, 4, *pair))) for pair in zip(widths, widths[1:])])
        self.biases = nnx.List([nnx.Param(jnp.zeros(width)) for width in widths[1:]])
        self.score = nnx.Param(normal(rngs.params(), (3, 3, widths[-1], 1)))
        self.units = nnx.Param(normal(rngs.params(), (place, place, widths[-1], len(UNITS))))

    def __call__(self, pictures: Array) -> tuple[Array, Array]:
        x = pictures
        for kernel, bias in zip(self.kernels, self.biases):
            x = jax.nn.leaky_relu(halve(x, kernel[...]) + channelwise(bias[...]), SLOPE)
        return same(x, self.score[...])[..., 0], jnp.einsum("nhwc,hwcu->nu", x, self.units[...])


@dataclass(frozen=True)
class Pair:
    """A generator and the critic that taught it."""

    generator: Generator
    critic: Critic
