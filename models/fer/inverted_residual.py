"""The block that mobile networks are made of: widened by 1×1, filtered a channel at a time, narrowed by 1×1, and added to
what came in (Sandler et al. 2018, "MobileNetV2", section 3.3), with squeeze and excitation (Hu, Shen and Sun 2017,
equations 2-4) and stochastic depth (Huang et al. 2016, equation 2) where a network has them.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.fer.keras_layers import Activation, Conv, Depthwise, Initializer, Norm, Unit, dropped, glorot


@dataclass(frozen=True)
class Names:
    """What Keras appends to a block's name for each of its layers."""

    expand: tuple[str, str]
    depthwise: tuple[str, str]
    squeeze: tuple[str, str]
    project: tuple[str, str]


@dataclass(frozen=True)
class Style:
    """What all blocks of a network have in common."""

    names: Names
    momentum: float  # of the running statistics
    squeezed: Activation  # within squeeze and excitation
    gate: Activation  # of the channels
    init: Initializer = glorot


class Gate(nnx.Module):
    """Squeeze and excitation: (N, H, W, C) -> the same, each channel by a factor that all of them tell."""

    def __init__(self, prefix: str, channels: int, squeezed: int, style: Style, rngs: nnx.Rngs):
        first, second = (prefix + name for name in style.names.squeeze)
        self.squeeze = Conv(first, channels, squeezed, bias=True, rngs=rngs, init=style.init)
        self.excite = Conv(second, squeezed, channels, bias=True, rngs=rngs, init=style.init)
        self.squeezed, self.gate = style.squeezed, style.gate

    def __call__(self, x: Array) -> Array:
        told = self.squeezed(self.squeeze(jnp.mean(x, axis=(1, 2), keepdims=True)))
        return x * self.gate(self.excite(told))


class InvertedResidual(nnx.Module):
    """(N, H, W, C) -> (N, ⌈H/s⌉, ⌈W/s⌉, F).

    Args:
        prefix: of Keras' names.
        expanded: channels between; as many as come in: Keras then has no 1×1 convolution before.
        squeezed: channels of the squeeze; None: no such thing.
        drop: share of the pictures that the block does nothing to in training.
        widens: whether there is a 1×1 convolution before.
    """

    def __init__(
        self,
        prefix: str,
        channels: int,
        expanded: int,
        features: int,
        size: int,
        stride: int,
        squeezed: int | None,
        activation: Activation,
        style: Style,
        *,
        widens: bool,
        drop: float = 0.0,
        rngs: nnx.Rngs,
    ):
        names, init = style.names, style.init

        def unit(parts: tuple[str, str], conv: Conv | Depthwise, width: int, activation: Activation | None) -> Unit:
            return Unit(conv, Norm(prefix + parts[1], width, style.momentum), activation)

        widen = Conv(prefix + names.expand[0], channels, expanded, rngs=rngs, init=init) if widens else None
        self.expand = None if widen is None else unit(names.expand, widen, expanded, activation)
        filters = Depthwise(prefix + names.depthwise[0], expanded, size, stride, rngs=rngs, init=init)
        self.depthwise = unit(names.depthwise, filters, expanded, activation)
        self.gate = None if squeezed is None else Gate(prefix, expanded, squeezed, style, rngs)
        narrow = Conv(prefix + names.project[0], expanded, features, rngs=rngs, init=init)
        self.project = unit(names.project, narrow, features, None)
        self.adds = stride == 1 and channels == features
        self.drop = drop

    def __call__(self, x: Array, train: bool, key: Array | None = None) -> Array:
        y = x if self.expand is None else self.expand(x, train)
        y = self.depthwise(y, train)
        y = y if self.gate is None else self.gate(y)
        y = self.project(y, train)
        if not self.adds:
            return y
        if train and self.drop:
            y = dropped(y, self.drop, key, (len(y), 1, 1, 1))
        return x + y


def divisible(width: float, by: int = 8) -> int:
    """The multiple of `by` nearest to `width`, at least 90 % of it: Keras' rule for all mobile networks."""
    nearest = max(by, int(width + by / 2) // by * by)
    return nearest + by if nearest < 0.9 * width else nearest


MOBILE_NAMES = Names(
    expand=("expand", "expand_bn"),
    depthwise=("depthwise", "depthwise_bn"),
    squeeze=("squeeze_excite_conv", "squeeze_excite_conv_1"),
    project=("project", "project_bn"),
)
MOBILE = Style(MOBILE_NAMES, 0.999, jax.nn.relu, jax.nn.hard_sigmoid)
