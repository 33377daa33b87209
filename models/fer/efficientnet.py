"""EfficientNet-B0 … B7 by compound scaling (Tan and Le 2019, "EfficientNet: Rethinking Model Scaling", table 1 and
section 3.3), layer by layer as Keras' applications have them.

Input is red, green and blue in [-1, 1], where Keras' takes 0 … 255: the first layer makes [0, 1] of it and standardises
by statistics that are among the weights.
"""

import math

import jax
from flax import nnx
from jax import Array

from models.fer.inverted_residual import InvertedResidual, Names, Style, divisible
from models.fer.keras_layers import Conv, Norm, Standardise, Unit
from models.fer.transfer import Architecture

STAGES = (  # size, blocks, features, widening, stride of the first
    (3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2), (5, 3, 112, 6, 1), (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)  # fmt: skip
SCALES = ((1.0, 1.0), (1.0, 1.1), (1.1, 1.2), (1.2, 1.4), (1.4, 1.8), (1.6, 2.2), (1.8, 2.6), (2.0, 3.1))  # width, depth
STEM, TOP = 32, 1280
SQUEEZE = 1 / 4  # of the channels that come in
DROP = 0.2  # share of the pictures that the last block does nothing to in training; less before, in proportion

NAMES = Names(
    expand=("expand_conv", "expand_bn"),
    depthwise=("dwconv", "bn"),
    squeeze=("se_reduce", "se_expand"),
    project=("project_conv", "project_bn"),
)
he_out = nnx.initializers.variance_scaling(2.0, "fan_out", "truncated_normal")
STYLE = Style(NAMES, 0.99, jax.nn.silu, jax.nn.sigmoid, he_out)


class Stem(nnx.Module):
    """Standardised and halved: (N, H, W, 3) in [-1, 1] -> (N, ⌈H/2⌉, ⌈W/2⌉, F)."""

    def __init__(self, features: int, rngs: nnx.Rngs):
        self.standardise = Standardise("normalization")
        conv = Conv("stem_conv", 3, features, 3, 2, rngs=rngs, init=he_out)
        self.unit = Unit(conv, Norm("stem_bn", features, STYLE.momentum), jax.nn.silu)

    def __call__(self, x: Array, train: bool, key: Array | None = None) -> Array:
        return self.unit(self.standardise((x + 1) / 2), train)


def _blocks(width: float, depth: float, rngs: nnx.Rngs) -> list[nnx.Module]:
    channels = divisible(STEM * width)
    blocks = [Stem(channels, rngs)]
    counts = [math.ceil(depth * count) for _, count, *_ in STAGES]
    for stage, ((size, _, base, widening, stride), count) in enumerate(zip(STAGES, counts), 1):
        features = divisible(base * width)
        for each in range(count):
            number = len(blocks) - 1
            blocks.append(
                InvertedResidual(
                    f"block{stage}{chr(ord('a') + each)}_", channels, channels * widening, features, size,
                    stride if each == 0 else 1, max(1, int(channels * SQUEEZE)), jax.nn.silu, STYLE,
                    widens=widening > 1, drop=DROP * number / sum(counts), rngs=rngs,
                )
            )  # fmt: skip
            channels = features
    top = divisible(TOP * width)
    conv = Conv("top_conv", channels, top, rngs=rngs, init=he_out)
    return [*blocks, Unit(conv, Norm("top_bn", top, STYLE.momentum), jax.nn.silu)]


def _scaled(width: float, depth: float) -> Architecture:
    return Architecture(lambda rngs: _blocks(width, depth, rngs), divisible(TOP * width), 32)


EFFICIENTNETS = {f"efficientnet_b{number}": _scaled(*scale) for number, scale in enumerate(SCALES)}
