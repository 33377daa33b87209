"""A residual expression network whose channels attend to each other: He et al. 2015, "Deep Residual Learning" (section 3.3,
two blocks a stage) with squeeze and excitation (Hu, Shen and Sun 2017, equations 2-4), at a size that small faces pay for.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.fer.convolution import NormalisedConv
from models.fer.vgg import halve

FEATURES = (64, 128, 192, 320)  # of the four stages
REDUCTION = 16  # of the channels in the squeeze


class ResidualBlock(nnx.Module):
    """(N, H, W, C) -> (N, ⌈H/s⌉, ⌈W/s⌉, F)."""

    def __init__(self, channels: int, features: int, stride: int, rngs: nnx.Rngs):
        self.first = NormalisedConv(channels, features, rngs, stride=stride)
        self.second = NormalisedConv(features, features, rngs)
        self.squeeze = nnx.Linear(features, features // REDUCTION, rngs=rngs)
        self.excite = nnx.Linear(features // REDUCTION, features, rngs=rngs)
        same = channels == features and stride == 1
        self.shortcut = None if same else NormalisedConv(channels, features, rngs, size=1, stride=stride)

    def __call__(self, x: Array, train: bool) -> Array:
        y = self.second(jax.nn.relu(self.first(x, train)), train)
        gate = jax.nn.sigmoid(self.excite(jax.nn.relu(self.squeeze(jnp.mean(y, axis=(1, 2))))))
        y = y * gate[:, None, None, :]
        return jax.nn.relu(y + (x if self.shortcut is None else self.shortcut(x, train)))


class Residual(nnx.Module):
    """(N, H, W, channels) float32 in [-1, 1] -> logits (N, classes). Even H and W from 32 up; 48 and 64 are usual.

    With 7 classes and 1 channel: 5.3 million values.
    """

    def __init__(self, classes: int = 7, channels: int = 1, *, rngs: nnx.Rngs):
        self.classes, self.channels = classes, channels
        self.stem = NormalisedConv(channels, FEATURES[0], rngs)
        blocks, before = [], FEATURES[0]
        for stage, features in enumerate(FEATURES):
            blocks.append(ResidualBlock(before, features, 1 if stage == 0 else 2, rngs))
            blocks.append(ResidualBlock(features, features, 1, rngs))
            before = features
        self.blocks = nnx.List(blocks)
        self.head = nnx.Linear(before, classes, rngs=rngs)

    def __call__(self, x: Array, train: bool = False) -> Array:
        return self.head(jnp.mean(self.maps(x, train), axis=(1, 2)))

    def maps(self, x: Array, train: bool = False) -> Array:
        """What is averaged over its places: (N, H/16, W/16, 320)."""
        x = halve(jax.nn.relu(self.stem(x, train)))
        for block in self.blocks:
            x = block(x, train)
        return x
