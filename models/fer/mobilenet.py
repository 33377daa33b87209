"""MobileNetV2 (Sandler et al. 2018, table 2) and MobileNetV3 Small and Large (Howard et al. 2019, "Searching for
MobileNetV3", tables 1 and 2), layer by layer as Keras' applications of width 1.0 have them.

Input is red, green and blue in [-1, 1]: what Keras' MobileNetV2 expects, and what its MobileNetV3 makes of 0 … 255.
"""

import jax
from flax import nnx

from models.fer.inverted_residual import MOBILE, InvertedResidual, divisible
from models.fer.keras_layers import Activation, Conv, Norm, Unit
from models.fer.transfer import Architecture

V2 = (  # features, blocks, stride of the first
    (16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1),
)  # fmt: skip
relu, swish = jax.nn.relu, jax.nn.hard_swish
SMALL = (  # widening, features, size, stride, squeeze and excitation, activation
    (1, 16, 3, 2, True, relu), (72 / 16, 24, 3, 2, False, relu), (88 / 24, 24, 3, 1, False, relu),
    (4, 40, 5, 2, True, swish), (6, 40, 5, 1, True, swish), (6, 40, 5, 1, True, swish),
    (3, 48, 5, 1, True, swish), (3, 48, 5, 1, True, swish),
    (6, 96, 5, 2, True, swish), (6, 96, 5, 1, True, swish), (6, 96, 5, 1, True, swish),
)  # fmt: skip
LARGE = (
    (1, 16, 3, 1, False, relu), (4, 24, 3, 2, False, relu), (3, 24, 3, 1, False, relu),
    (3, 40, 5, 2, True, relu), (3, 40, 5, 1, True, relu), (3, 40, 5, 1, True, relu),
    (6, 80, 3, 2, False, swish), (2.5, 80, 3, 1, False, swish), (2.3, 80, 3, 1, False, swish),
    (2.3, 80, 3, 1, False, swish), (6, 112, 3, 1, True, swish), (6, 112, 3, 1, True, swish),
    (6, 160, 5, 2, True, swish), (6, 160, 5, 1, True, swish), (6, 160, 5, 1, True, swish),
)  # fmt: skip


def _unit(conv: str, norm: str, channels: int, features: int, activation: Activation, rngs: nnx.Rngs, **how) -> Unit:
    return Unit(Conv(conv, channels, features, rngs=rngs, **how), Norm(norm, features, MOBILE.momentum), activation)


def _v2(rngs: nnx.Rngs) -> list[nnx.Module]:
    blocks = [_unit("conv1", "bn_conv1", 3, 32, jax.nn.relu6, rngs, size=3, stride=2)]
    channels, number = 32, 0
    for features, count, stride in V2:
        for each in range(count):
            prefix = f"block_{number}_" if number else "expanded_conv_"
            steps = stride if each == 0 else 1
            blocks.append(
                InvertedResidual(
                    prefix, channels, channels * (6 if number else 1), features, 3, steps, None, jax.nn.relu6, MOBILE,
                    widens=number > 0, rngs=rngs,
                )
            )  # fmt: skip
            channels, number = features, number + 1
    return [*blocks, _unit("conv_1", "conv_1_bn", channels, 1280, jax.nn.relu6, rngs)]


def _v3(rows: tuple, rngs: nnx.Rngs) -> list[nnx.Module]:
    blocks = [_unit("conv", "conv_bn", 3, 16, swish, rngs, size=3, stride=2)]
    channels = 16
    for number, (widening, features, size, stride, gated, activation) in enumerate(rows):
        prefix = f"expanded_conv_{number}_" if number else "expanded_conv_"
        expanded = divisible(channels * widening)
        squeezed = divisible(expanded / 4) if gated else None
        blocks.append(
            InvertedResidual(
                prefix, channels, expanded, features, size, stride, squeezed, activation, MOBILE,
                widens=number > 0, rngs=rngs,
            )
        )  # fmt: skip
        channels = features
    return [*blocks, _unit("conv_1", "conv_1_bn", channels, divisible(channels * 6), swish, rngs)]


# Keras' MobileNetV3 with its top is ours with hidden=(1024,), Large with (1280,): its own 1×1 convolutions after pooling.
V3_HEAD = {"activation": swish, "hidden_names": ("conv_2",), "logits_name": "logits"}
MOBILENETS = {
    "mobilenet_v2": Architecture(_v2, 1280, 32),
    "mobilenet_v3_small": Architecture(lambda rngs: _v3(SMALL, rngs), 576, 32, **V3_HEAD),
    "mobilenet_v3_large": Architecture(lambda rngs: _v3(LARGE, rngs), 960, 32, **V3_HEAD),
}
