"""A compact face matcher: four 3×3 convolutions, each halved by averaging, and a linear layer to a unit vector (the idea of
Schroff, Kalenichenko and Philbin 2015, "FaceNet", section 3: equal people lie near each other on a sphere).
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax

from models.fer.convolution import NormalisedConv
from models.layers import halved_by_mean

FEATURES = (32, 64, 128, 128)
EPSILON = 1e-8


class FaceMatcher(nnx.Module):
    """Faces (N, H, W, channels) float32 in [-1, 1], H and W multiples of 16 -> unit vectors (N, dimensions)."""

    def __init__(self, channels: int, dimensions: int = 128, *, rngs: nnx.Rngs):
        self.channels, self.dimensions = channels, dimensions
        widths = (channels, *FEATURES)
        self.convolutions = nnx.List([NormalisedConv(c, f, rngs) for c, f in zip(widths, FEATURES)])
        self.head = nnx.Linear(FEATURES[-1], dimensions, rngs=rngs)

    def features(self, x: Array, train: bool = False) -> list[Array]:
        """The maps after each halving: (N, H/2, W/2, 32), (N, H/4, W/4, 64), …"""
        maps = []
        for convolution in self.convolutions:
            x = halved_by_mean(jax.nn.relu(convolution(x, train)))
            maps.append(x)
        return maps

    def __call__(self, x: Array, train: bool = False) -> Array:
        vectors = self.head(jnp.mean(self.features(x, train)[-1], axis=(1, 2)))
        return vectors * lax.rsqrt(jnp.sum(vectors**2, axis=-1, keepdims=True) + EPSILON)
