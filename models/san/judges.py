"""Networks that look at SAN's pictures, each with pixels as it learnt them: size, range and number of channels.

SAN knows a network only as a `Judge`: grey pictures in [0, 1] in, logits or a descriptor out, differentiable.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

Judge = Callable[[Array], Array]  # (N, H, W, 1) in [0, 1] -> (N, K)


def seen_by(network: Judge, size: int | None = None, channels: int = 1, low: float = -1.0, high: float = 1.0) -> Judge:
    """`network`, which was made for pictures (N, size, size, channels) in [low, high], as a judge of SAN's.

    mini-Xception's gender network as published: `seen_by(network, 64)`, where `network` is what `models.fer.weights.load`
    reads; a face matcher of colour pictures: `seen_by(matcher, channels=3)`. Without `size` the pictures stay as they are.
    """

    def judge(pictures: Array) -> Array:
        count, height, width, _ = pictures.shape
        if size is not None and (height, width) != (size, size):
            pictures = jax.image.resize(pictures, (count, size, size, 1), "linear")
        pictures = low + (high - low) * pictures
        return network(jnp.broadcast_to(pictures, (*pictures.shape[:3], channels)))

    return judge
