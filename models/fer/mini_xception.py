"""mini-Xception, an expression classifier of 58 k values (Arriaga, Plöger and Valdenegro 2017, "Real-time Convolutional
Neural Networks for Emotion and Gender Classification"): two 3×3 convolutions, four residual modules of separable
convolutions, a convolutional head and global average pooling. Layer by layer as the published Keras weights have it.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.layers import BatchNorm, Form, convolution, form_here, max_pool, pointwise, separable

FEATURES = (16, 32, 64, 128)  # of the four modules
STEM = 8

glorot = nnx.initializers.glorot_uniform()


class SeparableConv(nnx.Module):
    """3×3 depthwise then 1×1, no bias, nothing between: (N, H, W, C) -> (N, H, W, F)."""

    def __init__(self, channels: int, features: int, rngs: nnx.Rngs):
        # Glorot's fans of a (3, 3, C, 1) kernel, as Keras counts them: 9·C in, 9 out.
        self.depthwise = nnx.Param(glorot(rngs.params(), (3, 3, channels, 1))[..., 0])
        self.pointwise = nnx.Param(glorot(rngs.params(), (channels, features)))

    def __call__(self, x: Array, form: Form) -> Array:
        return separable(x, self.depthwise[...], self.pointwise[...], form)


class Module(nnx.Module):
    """One residual module: (N, H, W, C) -> (N, ⌈H/2⌉, ⌈W/2⌉, F)."""

    def __init__(self, channels: int, features: int, rngs: nnx.Rngs):
        self.shortcut = nnx.Param(glorot(rngs.params(), (channels, features)))
        self.shortcut_norm = BatchNorm(features)
        self.first = SeparableConv(channels, features, rngs)
        self.first_norm = BatchNorm(features)
        self.second = SeparableConv(features, features, rngs)
        self.second_norm = BatchNorm(features)

    def __call__(self, x: Array, train: bool, form: Form) -> Array:
        shortcut = self.shortcut_norm(pointwise(x[:, ::2, ::2], self.shortcut[...]), train)
        y = jax.nn.relu(self.first_norm(self.first(x, form), train))
        y = self.second_norm(self.second(y, form), train)
        return shortcut + max_pool(y, form)


class MiniXception(nnx.Module):
    """(N, H, W, channels) float32 in [-1, 1] -> logits (N, classes). Any H and W from 32 up; 48 and 64 are usual.

    With 7 classes and 1 channel: 56,951 weights and 1,472 running statistics, 58,423 values.
    """

    def __init__(self, classes: int = 7, channels: int = 1, *, rngs: nnx.Rngs):
        self.classes, self.channels = classes, channels
        self.stem = nnx.List(
            [
                nnx.Param(glorot(rngs.params(), (3, 3, channels, STEM))),
                nnx.Param(glorot(rngs.params(), (3, 3, STEM, STEM))),
            ]
        )
        self.stem_norms = nnx.List([BatchNorm(STEM), BatchNorm(STEM)])
        widths = (STEM, *FEATURES)
        self.modules = nnx.List([Module(c, f, rngs) for c, f in zip(widths, FEATURES)])
        self.head = nnx.Conv(FEATURES[-1], classes, (3, 3), padding="SAME", kernel_init=glorot, rngs=rngs)

    def __call__(self, x: Array, train: bool = False, form: Form | None = None) -> Array:
        return jnp.mean(self.head(self.maps(x, train, form or form_here())), axis=(1, 2))

    def maps(self, x: Array, train: bool, form: Form) -> Array:
        """What the classifying layer sees: (N, ⌈H/16⌉, ⌈W/16⌉, 128), a little less for H and W that the stem trims."""
        for kernel, norm in zip(self.stem, self.stem_norms):
            x = jax.nn.relu(norm(convolution(x, kernel[...], form), train))
        for module in self.modules:
            x = module(x, train, form)
        return x

    def features(self, x: Array) -> Array:
        """(N, H, W, channels) -> (N, 128): the maps averaged over their places, to measure distances by."""
        return jnp.mean(self.maps(x, False, form_here()), axis=(1, 2))
