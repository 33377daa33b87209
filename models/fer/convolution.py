"""The unit that larger expression networks are made of: 3×3 convolution and batch normalisation, in half precision where
the machine is faster at it; normalisation and everything after it stays in float32.
"""

import jax.numpy as jnp
from flax import nnx
from jax import Array, lax

from models.layers import NHWC, BatchNorm, precision_here

he = nnx.initializers.he_normal()


class NormalisedConv(nnx.Module):
    """k×k convolution without bias, SAME, then batch normalisation: (N, H, W, C) -> (N, ⌈H/s⌉, ⌈W/s⌉, F) float32."""

    def __init__(self, channels: int, features: int, rngs: nnx.Rngs, size: int = 3, stride: int = 1):
        self.kernel = nnx.Param(he(rngs.params(), (size, size, channels, features)))
        self.norm = BatchNorm(features, momentum=0.9, epsilon=1e-5)
        self.stride = stride

    def __call__(self, x: Array, train: bool) -> Array:
        precision = precision_here()
        y = lax.conv_general_dilated(
            x.astype(precision),
            self.kernel[...].astype(precision),
            (self.stride, self.stride),
            "SAME",
            dimension_numbers=NHWC,
        )
        return self.norm(y.astype(jnp.float32), train)
