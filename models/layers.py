"""Layers in the form that XLA compiles best on a CPU, with their plain form beside it for accelerators and for export.

Same mathematics, chosen by `form`: "shifted" writes a depthwise convolution as nine shifted multiply-adds and a pooling
as a maximum of shifted slices; "dense" writes a separable convolution as one full convolution, which tensor cores like;
"grouped" leaves all to the compiler's own convolution and window reduction. On two cores the grouped form's weight
gradient alone costs more than a whole training step in the shifted form.
"""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array, lax

Form = Literal["shifted", "dense", "grouped"]
NHWC = ("NHWC", "HWIO", "NHWC")


def form_here() -> Form:
    """The faster form on JAX's default backend."""
    return "shifted" if jax.default_backend() == "cpu" else "dense"


def precision_here() -> type:
    """The type in which large convolutions compute on JAX's default backend: half precision where it is faster."""
    return jnp.float32 if jax.default_backend() == "cpu" else jnp.bfloat16


def channelwise(values: Array) -> Array:
    """(C,) as (1, 1, 1, C), to stand beside (N, H, W, C)."""
    return values.reshape(1, 1, 1, -1)


def pointwise(x: Array, kernel: Array) -> Array:
    """1×1 convolution of (N, H, W, C) by (C, F), as one matrix product."""
    n, h, w, c = x.shape
    return (x.reshape(-1, c) @ kernel).reshape(n, h, w, -1)


def separable(x: Array, depth: Array, point: Array, form: Form) -> Array:
    """3×3 depthwise, then 1×1, stride 1, SAME: (N, H, W, C) by (3, 3, C) and (C, F) -> (N, H, W, F)."""
    if form == "dense":
        return lax.conv_general_dilated(x, depth[..., None] * point[None, None], (1, 1), "SAME", dimension_numbers=NHWC)
    return pointwise(depthwise(x, depth, form), point)


def depthwise(x: Array, kernel: Array, form: Form) -> Array:
    """3×3 depthwise convolution, stride 1, SAME: (N, H, W, C) by (3, 3, C) -> (N, H, W, C)."""
    if form == "shifted":
        return _shifted_depthwise(x, kernel)
    return lax.conv_general_dilated(
        x, kernel[:, :, None, :], (1, 1), "SAME", dimension_numbers=NHWC, feature_group_count=x.shape[-1]
    )


def _padded_rows(x: Array) -> Array:
    """(N, H, W, C) -> (N, H + 2, (W + 2)·C): rows with their border, pixels and channels in one vectorised axis."""
    n, h, w, c = x.shape
    return jnp.pad(x.reshape(n, h, w * c), ((0, 0), (1, 1), (c, c)))


@jax.custom_vjp
def _shifted_depthwise(x: Array, kernel: Array) -> Array:
    n, h, w, c = x.shape
    rows, taps = _padded_rows(x), jnp.tile(kernel, (1, 1, w))
    shifted = (
        rows[:, i : i + h, j * c : (j + w) * c] * taps[i, j].reshape(1, 1, w * c) for i in range(3) for j in range(3)
    )
    return sum(shifted, start=jnp.zeros((n, h, w * c), x.dtype)).reshape(n, h, w, c)


def _depthwise_forward(x: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
    return _shifted_depthwise(x, kernel), (x, kernel)


def _depthwise_backward(saved: tuple[Array, Array], grad: Array) -> tuple[Array, Array]:
    x, kernel = saved
    n, h, w, c = x.shape

    # The kernel's gradient sums products over every pixel of the batch. Picture by picture the nine sums stay in
    # the cache; as one reduction over the batch XLA takes six times as long.
    def add_picture(sums: tuple[Array, ...], picture: tuple[Array, Array]) -> tuple[tuple[Array, ...], None]:
        rows, g = picture
        offsets = ((i, j) for i in range(3) for j in range(3))
        return tuple(s + rows[i : i + h, j * c : (j + w) * c] * g for s, (i, j) in zip(sums, offsets)), None

    sums, _ = lax.scan(add_picture, (jnp.zeros((h, w * c), x.dtype),) * 9, (_padded_rows(x), grad.reshape(n, h, w * c)))
    kernel_grad = jnp.stack([s.reshape(-1, c).sum(axis=0) for s in sums]).reshape(3, 3, c)
    return _shifted_depthwise(grad, kernel[::-1, ::-1]), kernel_grad


_shifted_depthwise.defvjp(_depthwise_forward, _depthwise_backward)


def convolution(x: Array, kernel: Array, form: Form) -> Array:
    """3×3 convolution, stride 1, VALID: (N, H, W, C) by (3, 3, C, F) -> (N, H - 2, W - 2, F)."""
    if form == "shifted":
        return _valid_convolution(x, kernel)
    return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=NHWC)


@jax.custom_vjp
def _valid_convolution(x: Array, kernel: Array) -> Array:
    if x.shape[-1] == 1:  # one matrix product is faster than a convolution with one input channel
        return pointwise(_neighbourhoods(x), kernel.reshape(9, -1))
    return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=NHWC)


def _neighbourhoods(x: Array) -> Array:
    """(…, H, W, C) -> (…, H - 2, W - 2, 9·C): each pixel's 3×3 surroundings, row by row."""
    h, w = x.shape[-3] - 2, x.shape[-2] - 2
    return jnp.concatenate([x[..., i : i + h, j : j + w, :] for i in range(3) for j in range(3)], axis=-1)


def _convolution_forward(x: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
    return _valid_convolution(x, kernel), (x, kernel)


def _convolution_backward(saved: tuple[Array, Array], grad: Array) -> tuple[Array, Array]:
    x, kernel = saved
    c, f = kernel.shape[2:]

    def add_picture(total: Array, picture: tuple[Array, Array]) -> tuple[Array, None]:
        image, g = picture
        return total + _neighbourhoods(image).reshape(-1, 9 * c).T @ g.reshape(-1, f), None

    kernel_grad, _ = lax.scan(add_picture, jnp.zeros((9 * c, f), x.dtype), (x, grad))
    turned = jnp.swapaxes(kernel[::-1, ::-1], 2, 3)
    x_grad = lax.conv_general_dilated(grad, turned, (1, 1), ((2, 2), (2, 2)), dimension_numbers=NHWC)
    return x_grad, kernel_grad.reshape(kernel.shape)


_valid_convolution.defvjp(_convolution_forward, _convolution_backward)


def product_convolution(x: Array, kernel: Array) -> Array:
    """3×3 convolution, stride 1, VALID: (N, H, W, C) by (3, 3, C, F) -> (N, H - 2, W - 2, F), as one matrix product.

    In the body of a `lax.scan` XLA computes convolutions on one core of a CPU, twenty times slower than this product; of
    many pictures' own kernels, under `vmap`, products make a batch where convolutions make groups; and what a gradient
    penalty differentiates twice takes a tenth of the time.
    """
    n, h, w, c = x.shape
    features = kernel.shape[-1]
    columns = [x[:, :, j : j + w - 2] for j in range(3)]
    if c < features:  # few channels are cheap to collect before the product, few features after it
        near = jnp.concatenate([column[:, i : i + h - 2] for i in range(3) for column in columns], axis=-1)
        return (near.reshape(-1, 9 * c) @ kernel.reshape(9 * c, features)).reshape(n, h - 2, w - 2, features)
    near = jnp.concatenate(columns, axis=-1).reshape(-1, 3 * c)
    y = near @ jnp.moveaxis(kernel, 0, 2).reshape(3 * c, 3 * features)
    y = y.reshape(n, h, w - 2, 3, features)
    return y[:, : h - 2, :, 0] + y[:, 1 : h - 1, :, 1] + y[:, 2:, :, 2]


def halved_by_mean(x: Array) -> Array:
    """The mean of each 2×2 pixels: (N, H, W, C), H and W even -> (N, H/2, W/2, C)."""
    n, h, w, c = x.shape
    return jnp.mean(x.reshape(n, h // 2, 2, w // 2, 2, c), axis=(2, 4))


def halved_by_maximum(x: Array) -> Array:
    """The maximum of each 2×2 pixels: (N, H, W, C) -> (N, H//2, W//2, C); an odd last row or column is left out."""
    n, h, w, c = x.shape
    even = x[:, : h // 2 * 2, : w // 2 * 2]
    return even.reshape(n, h // 2, 2, w // 2, 2, c).max(axis=(2, 4))


def max_pool(x: Array, form: Form) -> Array:
    """3×3 maximum, stride 2, TensorFlow's SAME (the odd pixel of padding at the bottom and right)."""
    if form == "grouped":
        return nnx.max_pool(x, window_shape=(3, 3), strides=(2, 2), padding="SAME")
    return _sliced_max_pool(x)


@jax.custom_vjp
def _sliced_max_pool(x: Array) -> Array:
    return _halve_by_maximum(_halve_by_maximum(x, axis=2), axis=1)


def _halve_by_maximum(x: Array, axis: int) -> Array:
    size = x.shape[axis]
    half = (size + 1) // 2
    padding = 2 * half + 1 - size
    widths = [(0, 0)] * x.ndim
    widths[axis] = (padding // 2, padding - padding // 2)
    padded = jnp.pad(x, widths, constant_values=-jnp.inf)
    first, second, third = (lax.slice_in_dim(padded, j, j + 2 * half - 1, 2, axis) for j in range(3))
    return jnp.maximum(jnp.maximum(first, second), third)


def _max_pool_forward(x: Array) -> tuple[Array, tuple[Array, Array]]:
    pooled = _sliced_max_pool(x)
    return pooled, (x, pooled)


def _max_pool_backward(saved: tuple[Array, Array], grad: Array) -> tuple[Array]:
    """Each pixel collects from the windows it is the maximum of; equal maxima each get the whole gradient."""
    x, pooled = saved
    rows, columns = _windows_over(x.shape[1]), _windows_over(x.shape[2])
    total = jnp.zeros_like(x)
    for row, has_row in rows:
        for column, has_column in columns:
            inside = jnp.asarray((has_row[:, None] & has_column[None, :])[None, :, :, None])
            largest = (x == pooled[:, row][:, :, column]) & inside
            total += jnp.where(largest, grad[:, row][:, :, column], jnp.zeros((), x.dtype))
    return (total,)


def _windows_over(size: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The two windows of 3 at stride 2 that may cover each of `size` positions: their numbers, and whether they do."""
    half = (size + 1) // 2
    place = np.arange(size) + (2 * half + 1 - size) // 2  # in the padded row, where window k covers 2k, 2k+1, 2k+2
    later, earlier = place // 2, place // 2 - 1
    return [(np.minimum(later, half - 1), later < half), (np.maximum(earlier, 0), (place % 2 == 0) & (earlier >= 0))]


_sliced_max_pool.defvjp(_max_pool_forward, _max_pool_backward)


class BatchNorm(nnx.Module):
    """Batch normalisation of (N, H, W, C) over N, H, W with Keras' defaults.

    The running variance follows Keras 3, without the factor n/(n-1) of Keras 2.
    """

    def __init__(self, channels: int, momentum: float = 0.99, epsilon: float = 1e-3):
        self.scale = nnx.Param(jnp.ones(channels))
        self.bias = nnx.Param(jnp.zeros(channels))
        self.mean = nnx.BatchStat(jnp.zeros(channels))
        self.var = nnx.BatchStat(jnp.ones(channels))
        self.momentum = momentum
        self.epsilon = epsilon

    def __call__(self, x: Array, train: bool) -> Array:
        if not train:
            gain = self.scale[...] * lax.rsqrt(self.var[...] + self.epsilon)
            return x * channelwise(gain) + channelwise(self.bias[...] - self.mean[...] * gain)
        y, mean, var = _normalise(x, self.scale[...], self.bias[...], self.epsilon)
        self.mean[...] = self.momentum * self.mean[...] + (1 - self.momentum) * mean
        self.var[...] = self.momentum * self.var[...] + (1 - self.momentum) * var
        return y


def remember(network: nnx.Module, momentum: float) -> None:
    """Sets the share of its running statistics that every normalisation of `network` keeps in a step.

    Keras' 0.99 needs about a thousand steps; where there are fewer, what is kept of the start spoils all that is said.
    """
    for _, module in nnx.iter_modules(network):
        if isinstance(module, BatchNorm):
            module.momentum = momentum


# The derivative is written out because the automatic one reads the activations four more times.
@jax.custom_vjp
def _normalise(x: Array, scale: Array, bias: Array, epsilon: float) -> tuple[Array, Array, Array]:
    mean = jnp.mean(x, axis=(0, 1, 2))
    var = jnp.maximum(jnp.mean(jnp.square(x), axis=(0, 1, 2)) - jnp.square(mean), 0.0)
    gain = scale * lax.rsqrt(var + epsilon)
    return x * channelwise(gain) + channelwise(bias - mean * gain), mean, var


def _normalise_forward(x: Array, scale: Array, bias: Array, epsilon: float):
    y, mean, var = _normalise(x, scale, bias, epsilon)
    return (y, mean, var), (x, scale, mean, lax.rsqrt(var + epsilon))


def _normalise_backward(saved, grads):
    x, scale, mean, inverse = saved
    grad = grads[0]  # mean and var only feed the running statistics, which carry no gradient
    count = x.size // x.shape[-1]
    bias_grad = jnp.sum(grad, axis=(0, 1, 2))
    scale_grad = (jnp.sum(grad * x, axis=(0, 1, 2)) - mean * bias_grad) * inverse
    gain = scale * inverse
    slope = gain * inverse * scale_grad / count
    x_grad = channelwise(gain) * grad - channelwise(slope) * x + channelwise(slope * mean - gain * bias_grad / count)
    return x_grad, scale_grad, bias_grad, None


_normalise.defvjp(_normalise_forward, _normalise_backward)
