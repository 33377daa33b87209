"""GANimation's convolutions and instance normalisation (Pumarola et al. 2018, section 5: the residual image translation
network of Zhu et al. 2017).

Pictures have few channels and many pixels, which convolutions run slowly on. Layers here are the same sums over blocks of
2×2 pixels, whose pixels stand side by side as channels: a quarter of the pixels, four times the channels, stride 1.
"""

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array, lax

from models.layers import NHWC, channelwise

EPSILON = 1e-5
normal = nnx.initializers.normal(0.02)  # of every kernel, as in the authors' program


def valid(x: Array, kernel: Array) -> Array:
    """Correlation of (N, H, W, I) with (k, k, I, O), nothing padded: (N, H - k + 1, W - k + 1, O)."""
    return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=NHWC)


def padded(x: Array, border: int) -> Array:
    """(N, H, W, C) with `border` zeros around it."""
    return jnp.pad(x, ((0, 0), (border, border), (border, border), (0, 0)))


def gathered(x: Array) -> Array:
    """(N, 2H, 2W, C) -> (N, H, W, 4C): the pixels of each 2×2 block as channels, row by row."""
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, h // 2, w // 2, 4 * c)


def scattered(x: Array) -> Array:
    """(N, H, W, 4C) -> (N, 2H, 2W, C), the inverse of `gathered`."""
    n, h, w, c = x.shape
    return x.reshape(n, h, w, 2, 2, c // 4).transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * h, 2 * w, c // 4)


def same(x: Array, kernel: Array) -> Array:
    """Correlation of (N, H, W, I) with (k, k, I, O), k odd and zeros outside: (N, H, W, O)."""
    return valid(padded(x, kernel.shape[0] // 2), kernel)


def outer(x: Array, kernel: Array) -> Array:
    """`same` for the picture's own scale and its few channels; H and W even."""
    k, _, inputs, outputs = kernel.shape
    # Output row 2p + a meets input row 2p + a + i through tap i: block p + d, row u of it, with 2d + u = a + i.
    meets = np.zeros(((k + 1) // 2, 2, 2, k), np.float32)  # d, u, a, i
    for a in range(2):
        for i in range(k):
            meets[(a + i) // 2, (a + i) % 2, a, i] = 1
    spread = jnp.einsum("duai,evbj,ijmo->deuvmabo", meets, meets, kernel)
    spread = spread.reshape((k + 1) // 2, (k + 1) // 2, 4 * inputs, 4 * outputs)
    return scattered(valid(gathered(padded(x, k // 2)), spread))


def planes(values: Array, kernel: Array, height: int, width: int) -> Array:
    """What `same` makes of (N, C) values, each spread over a plane of height × width: (N, height, width, O).

    Inside the picture the sum is the same everywhere; towards the border it loses the taps that lie outside.
    """
    k = kernel.shape[0]

    def inside(length: int) -> np.ndarray:
        places = np.arange(length)[:, None] + np.arange(k)[None] - k // 2
        return ((places >= 0) & (places < length)).astype(np.float32)

    summed = jnp.einsum("nc,ijco->nijo", values, kernel)
    return jnp.einsum("hi,wj,nijo->nhwo", inside(height), inside(width), summed)


def halve(x: Array, kernel: Array) -> Array:
    """Correlation with (4, 4, I, O), stride 2, one zero around: (N, 2H, 2W, I) -> (N, H, W, O).

    As one matrix product of 4×4 neighbourhoods: the gradient penalty differentiates this twice, and what XLA then makes
    of a convolution takes ten times as long on a CPU.
    """
    n, _, _, inputs = x.shape
    blocks = gathered(padded(x, 1))
    h, w = blocks.shape[1] - 1, blocks.shape[2] - 1
    near = jnp.concatenate([blocks[:, i : i + h, j : j + w] for i in range(2) for j in range(2)], axis=-1)
    spread = kernel.reshape(2, 2, 2, 2, inputs, -1).transpose(0, 2, 1, 3, 4, 5).reshape(16 * inputs, -1)
    return (near.reshape(-1, 16 * inputs) @ spread).reshape(n, h, w, -1)


def double(x: Array, kernel: Array) -> Array:
    """The transpose of such a correlation, with (4, 4, I, O): (N, H, W, I) -> (N, 2H, 2W, O).

    Input pixel p reaches output rows 2p - 1 … 2p + 2 through taps 0 … 3.
    """
    inputs, outputs = kernel.shape[2:]
    # Rows 2q - 1 and 2q see the pixels q - 1 (taps 2 and 3) and q (taps 0 and 1).
    blocks = kernel.reshape(2, 2, 2, 2, inputs, outputs)[::-1, :, ::-1]
    blocks = blocks.transpose(0, 2, 4, 1, 3, 5).reshape(2, 2, inputs, 4 * outputs)
    return scattered(valid(padded(x, 1), blocks))[:, 1:-1, 1:-1]


class InstanceNorm(nnx.Module):
    """Each sample's channels brought to mean 0 and variance 1, then scaled and shifted: (N, H, W, C) -> the same."""

    def __init__(self, channels: int):
        self.scale = nnx.Param(jnp.ones(channels))
        self.bias = nnx.Param(jnp.zeros(channels))

    def __call__(self, x: Array) -> Array:
        mean = jnp.mean(x, axis=(1, 2), keepdims=True)
        variance = jnp.mean((x - mean) ** 2, axis=(1, 2), keepdims=True)
        gain = channelwise(self.scale[...]) * lax.rsqrt(variance + EPSILON)
        return (x - mean) * gain + channelwise(self.bias[...])
