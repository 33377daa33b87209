"""The VGG-style expression network of Khaireddin and Chen 2021, "Facial Emotion Recognition: State of the Art Performance
on FER2013" (section 3): four blocks of two 3×3 convolutions and a halving. Here the picture is averaged over before one
linear layer; the paper's two hidden layers of 4,096 would take five sixths of the weights.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.fer.convolution import NormalisedConv

FEATURES = (64, 128, 256, 512)  # of the four blocks


class Vgg(nnx.Module):
    """(N, H, W, channels) float32 in [-1, 1] -> logits (N, classes). H and W are multiples of 16; 48 and 64 are usual.

    With 7 classes and 1 channel: 4.7 million values.
    """

    def __init__(self, classes: int = 7, channels: int = 1, *, rngs: nnx.Rngs):
        self.classes, self.channels = classes, channels
        widths = (channels, *FEATURES)
        pairs = [pair for c, f in zip(widths, FEATURES) for pair in ((c, f), (f, f))]
        self.convolutions = nnx.List([NormalisedConv(c, f, rngs) for c, f in pairs])
        self.head = nnx.Linear(FEATURES[-1], classes, rngs=rngs)

    def __call__(self, x: Array, train: bool = False) -> Array:
        return self.head(jnp.mean(self.maps(x, train), axis=(1, 2)))

    def maps(self, x: Array, train: bool = False) -> Array:
        """What is averaged over its places: (N, H/16, W/16, 512)."""
        for number, convolution in enumerate(self.convolutions):
            x = jax.nn.relu(convolution(x, train))
            if number % 2:
                x = halve(x)
        return x


def halve(x: Array) -> Array:
    """The maximum of each 2×2 pixels: (N, H, W, C) -> (N, H/2, W/2, C)."""
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max(axis=(2, 4))
