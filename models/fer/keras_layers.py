"""Layers with the weights that Keras' have, each under the name that Keras gives it, so that one reader
(`models.fer.keras_weights`) fills any network that is built of them. Chollet et al., Keras 3, keras.layers.

Padding of strides: Keras pads a halving convolution of its applications by `correct_pad`, which for stride 2 is
TensorFlow's SAME: one pixel less before than after where the side is even.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array, lax

from models.layers import NHWC, channelwise, precision_here

Activation = Callable[[Array], Array]
Initializer = Callable[..., Array]

glorot = nnx.initializers.glorot_uniform()
PUBLISHED_DEVIATIONS = (0.229, 0.224, 0.225)  # of ImageNet's red, green and blue in [0, 1]


# One program a shape, of which a backbone has far fewer than layers.
@partial(jax.jit, static_argnums=(0, 2))
def _drawn(init: Initializer, key: Array, shape: tuple[int, ...]) -> Array:
    return init(key, shape)


class Layer(nnx.Module):
    """A layer that Keras has under the name `keras`, in lower case; `WEIGHTS` are its fields in Keras' order."""

    WEIGHTS: ClassVar[tuple[str, ...]]
    keras: str

    def from_keras(self, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """The values of this layer's fields, of the arrays that a Keras file has for it."""
        names = [name for name in self.WEIGHTS if getattr(self, name) is not None]
        if len(arrays) != len(names):
            raise ValueError(f"has {len(arrays)} arrays, expected {', '.join(names)}")
        return dict(zip(names, arrays))


class Conv(Layer):
    """Convolution: (N, H, W, C) -> (N, ⌈H/s⌉, ⌈W/s⌉, F) float32, smaller with padding VALID."""

    WEIGHTS = ("kernel", "bias")

    def __init__(
        self,
        keras: str,
        channels: int,
        features: int,
        size: int | tuple[int, int] = 1,
        stride: int = 1,
        *,
        rngs: nnx.Rngs,
        padding: str = "SAME",
        bias: bool = False,
        init: Initializer = glorot,
    ):
        sides = (size, size) if isinstance(size, int) else size
        self.keras, self.stride, self.padding = keras, stride, padding
        self.kernel = nnx.Param(_drawn(init, rngs.params(), (*sides, channels, features)))
        self.bias = nnx.Param(jnp.zeros(features)) if bias else None

    def __call__(self, x: Array) -> Array:
        y = _convolved(x, self.kernel[...], self.stride, self.padding, groups=1)
        return y if self.bias is None else y + channelwise(self.bias[...])


class Depthwise(Layer):
    """Convolution of each channel alone, SAME: (N, H, W, C) -> (N, ⌈H/s⌉, ⌈W/s⌉, C) float32."""

    WEIGHTS = ("kernel",)

    def __init__(
        self, keras: str, channels: int, size: int, stride: int, *, rngs: nnx.Rngs, init: Initializer = glorot
    ):
        self.keras, self.stride = keras, stride
        self.kernel = nnx.Param(_drawn(init, rngs.params(), (size, size, channels, 1)))

    def __call__(self, x: Array) -> Array:
        kernel = jnp.swapaxes(self.kernel[...], 2, 3)
        return _convolved(x, kernel, self.stride, "SAME", groups=x.shape[-1])


def _convolved(x: Array, kernel: Array, stride: int, padding: str, groups: int) -> Array:
    precision = precision_here()
    y = lax.conv_general_dilated(
        x.astype(precision),
        kernel.astype(precision),
        (stride, stride),
        padding,
        dimension_numbers=NHWC,
        feature_group_count=groups,
    )
    return y.astype(jnp.float32)


class Norm(Layer):
    """Batch normalisation over N, H, W, by the running statistics unless `train`; without a scale if not `scaled`."""

    WEIGHTS = ("scale", "bias", "mean", "var")

    def __init__(self, keras: str, channels: int, momentum: float, epsilon: float = 1e-3, scaled: bool = True):
        self.keras, self.momentum, self.epsilon = keras, momentum, epsilon
        self.scale = nnx.Param(jnp.ones(channels)) if scaled else None
        self.bias = nnx.Param(jnp.zeros(channels))
        self.mean = nnx.BatchStat(jnp.zeros(channels))
        self.var = nnx.BatchStat(jnp.ones(channels))

    def __call__(self, x: Array, train: bool) -> Array:
        mean, var = self.mean[...], self.var[...]
        if train:
            mean = jnp.mean(x, axis=(0, 1, 2))
            var = jnp.mean(jnp.square(x - channelwise(mean)), axis=(0, 1, 2))
            for kept, seen in ((self.mean, mean), (self.var, var)):
                kept[...] = self.momentum * kept[...] + (1 - self.momentum) * lax.stop_gradient(seen)
        gain = lax.rsqrt(var + self.epsilon)
        if self.scale is not None:
            gain = gain * self.scale[...]
        return x * channelwise(gain) + channelwise(self.bias[...] - mean * gain)


class Dense(Layer):
    """(N, C) -> (N, F). Keras' MobileNetV3 has these as 1×1 convolutions."""

    WEIGHTS = ("kernel", "bias")

    def __init__(self, keras: str, channels: int, features: int, *, rngs: nnx.Rngs):
        self.keras = keras
        self.kernel = nnx.Param(_drawn(glorot, rngs.params(), (channels, features)))
        self.bias = nnx.Param(jnp.zeros(features))

    def __call__(self, x: Array) -> Array:
        return x @ self.kernel[...] + self.bias[...].reshape(1, -1)

    def from_keras(self, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        values = super().from_keras(arrays)
        kernel = values["kernel"]
        return values | {"kernel": kernel[0, 0] if kernel.shape[:2] == (1, 1) and kernel.ndim == 4 else kernel}


class Standardise(Layer):
    """Red, green and blue in [0, 1] less their means, by their deviations: (N, H, W, 3) -> (N, H, W, 3).

    Keras counts one value more, the number of pictures that the statistics are of.
    """

    WEIGHTS = ("mean", "var")

    def __init__(self, keras: str):
        self.keras = keras
        self.mean = nnx.BatchStat(jnp.array([0.485, 0.456, 0.406]))  # ImageNet's
        self.var = nnx.BatchStat(jnp.square(jnp.array(PUBLISHED_DEVIATIONS)))

    def __call__(self, x: Array) -> Array:
        deviation = jnp.maximum(jnp.sqrt(self.var[...]), 1e-7)
        return (x - channelwise(self.mean[...])) / channelwise(deviation)

    def from_keras(self, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Mean and variance. Keras' published files have the deviations in the variances' place, and Keras makes up for
        it by a second rescaling in networks of weights="imagenet" alone: those are squared here."""
        mean, var, _ = arrays
        return {"mean": mean, "var": np.square(var) if np.allclose(var, PUBLISHED_DEVIATIONS, atol=1e-6) else var}


class Unit(nnx.Module):
    """A convolution, its normalisation, an activation: one block of a backbone."""

    def __init__(self, conv: Conv | Depthwise, norm: Norm, activation: Activation | None):
        self.conv, self.norm, self.activation = conv, norm, activation

    def __call__(self, x: Array, train: bool, key: Array | None = None) -> Array:
        y = self.norm(self.conv(x), train)
        return y if self.activation is None else self.activation(y)


def dropped(x: Array, share: float, key: Array, shape: Sequence[int]) -> Array:
    """`x` with that share of it, drawn in `shape`, set to 0 and the rest enlarged (Srivastava et al. 2014)."""
    kept = jax.random.bernoulli(key, 1 - share, shape)
    return jnp.where(kept, x / (1 - share), jnp.zeros((), x.dtype))
