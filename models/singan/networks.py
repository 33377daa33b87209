"""SinGAN's generator and critic of one scale: five unpadded 3×3 convolutions (Shaham et al. 2019, section 2.2, fig. 4).

Unpadded, so that a border is a choice of the input's: zeros, or noise where pictures are to be animated. The authors
train with batches of one picture, in which batch normalisation takes its statistics over the pixels alone. Here every
picture of a batch is normalised by itself, which is the same for one and lets several go through together.
"""

from math import floor

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax

from models.layers import channelwise, product_convolution

MARGIN = 5  # pixels that five unpadded 3×3 convolutions take off on each side
LAYERS = 5
MOMENTUM = 0.1  # of the running statistics, PyTorch's
EPSILON = 1e-5


def width_at(scale: int, base: int = 32, most: int = 128) -> int:
    """Channels of a scale's hidden layers: they double every four scales (section 2.2)."""
    return min(base * 2 ** floor(scale / 4), most)


def pad(x: Array) -> Array:
    """(…, H, W, C) within a border of zeros, as wide as what a network takes off."""
    return jnp.pad(x, ((0, 0),) * (x.ndim - 3) + ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)))


class Convolution(nnx.Module):
    """3×3, with bias; weights from N(0, 0.02), biases as PyTorch draws them."""

    def __init__(self, channels: int, features: int, rngs: nnx.Rngs):
        self.kernel = nnx.Param(0.02 * jax.random.normal(rngs.params(), (3, 3, channels, features)))
        bound = (9 * channels) ** -0.5
        self.bias = nnx.Param(jax.random.uniform(rngs.params(), (features,), minval=-bound, maxval=bound))

    def __call__(self, x: Array) -> Array:
        return product_convolution(x, self.kernel[...]) + channelwise(self.bias[...])


class Norm(nnx.Module):
    """Normalises each picture by its own pixels or, evaluated, by running statistics of those it was trained with."""

    def __init__(self, channels: int, rngs: nnx.Rngs):
        self.scale = nnx.Param(1 + 0.02 * jax.random.normal(rngs.params(), (channels,)))
        self.bias = nnx.Param(jnp.zeros(channels))
        self.mean = nnx.BatchStat(jnp.zeros(channels))
        self.var = nnx.BatchStat(jnp.ones(channels))

    def __call__(self, x: Array, train: bool) -> Array:
        scale, bias = channelwise(self.scale[...]), channelwise(self.bias[...])
        if not train:
            return (x - channelwise(self.mean[...])) * lax.rsqrt(channelwise(self.var[...]) + EPSILON) * scale + bias
        mean = jnp.mean(x, axis=(1, 2), keepdims=True)
        var = jnp.maximum(jnp.mean(jnp.square(x), axis=(1, 2), keepdims=True) - jnp.square(mean), 0.0)
        count = x.shape[1] * x.shape[2]
        for n in range(x.shape[0]):  # one after another, as if each had been a batch
            self.mean[...] += MOMENTUM * (mean[n, 0, 0] - self.mean[...])
            self.var[...] += MOMENTUM * (var[n, 0, 0] * (count / (count - 1)) - self.var[...])
        gain = lax.rsqrt(var + EPSILON) * scale
        return x * gain + (bias - mean * gain)


class Trunk(nnx.Module):
    """(N, H, W, 3) -> (N, H - 10, W - 10, features): four times convolution, norm, leaky ReLU; then one more."""

    def __init__(self, width: int, features: int, rngs: nnx.Rngs):
        channels = [3, *[width] * (LAYERS - 1)]
        self.convolutions = nnx.List([Convolution(c, width, rngs) for c in channels[:-1]])
        self.norms = nnx.List([Norm(width, rngs) for _ in channels[:-1]])
        self.last = Convolution(width, features, rngs)

    def __call__(self, x: Array, train: bool) -> Array:
        for convolve, normalise in zip(self.convolutions, self.norms):
            x = jax.nn.leaky_relu(normalise(convolve(x), train), 0.2)
        return self.last(x)


class Generator(nnx.Module):
    """Adds to a picture what a scale has more than the one before (equation 2).

    `noisy` (N, H + 10, W + 10, 3), the picture with noise added, and `before` (N, H, W, 3), the picture; the sum is
    (N, H, W, 3).
    """

    def __init__(self, width: int, rngs: nnx.Rngs):
        self.trunk = Trunk(width, 3, rngs)

    def __call__(self, noisy: Array, before: Array, train: bool) -> Array:
        return jnp.tanh(self.trunk(noisy, train)) + before


class Critic(nnx.Module):
    """(N, H, W, 3) -> (N, H - 10, W - 10, 1): how real each 11×11 patch looks."""

    def __init__(self, width: int, rngs: nnx.Rngs):
        self.trunk = Trunk(width, 1, rngs)

    def __call__(self, pictures: Array, train: bool) -> Array:
        return self.trunk(pictures, train)
