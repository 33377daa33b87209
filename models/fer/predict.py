"""Class probabilities of pictures, in batches of one compiled size; if asked, the mean over a picture and its mirror
image, or over ten crops of it (Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification", section 4.1).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from models.batches import in_batches
from models.fer.networks import Network, standardise


MARGIN = 4  # pixels in 48 that each crop leaves on two sides or all: Tang's and his successors' 40 and 44 are of this kind


def mirrored(network: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """`network` (pictures (N, H, W, C) -> logits (N, K)) as one that also looks at the mirror images.

    Its logits are the logarithms of the mean of both probabilities. The left half of a face says no more than the right
    one, so this costs a second look and gains about a point on FER-2013.
    """

    def both(pictures: Array) -> Array:
        seen, turned = (jax.nn.softmax(network(each), axis=-1) for each in (pictures, pictures[:, :, ::-1]))
        return jnp.log((seen + turned) / 2)

    return both


def ten_crops(images: Array) -> list[Array]:
    """Corners and middle of pictures (N, H, W, C), brought back to their size, and their mirror images."""
    n, h, w, c = images.shape
    border = max(1, round(MARGIN * h / 48))
    places = [(0, 0), (0, 2 * border), (2 * border, 0), (2 * border, 2 * border), (border, border)]
    cut = [images[:, top : top + h - 2 * border, left : left + w - 2 * border] for top, left in places]
    full = [jax.image.resize(each, (n, h, w, c), "bilinear", antialias=False) for each in cut]
    return [view for each in full for view in (each, each[:, :, ::-1])]


def over_ten_crops(network: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """`network` as one whose logits are the logarithms of the mean of its probabilities of `ten_crops`."""

    def all_ten(pictures: Array) -> Array:
        return jnp.log(sum(jax.nn.softmax(network(each), axis=-1) for each in ten_crops(pictures)) / 10)

    return all_ten


@partial(jax.jit, static_argnums=(2, 3))
def _softmax_of(graph_and_state: tuple[nnx.GraphDef, Any], images: Array, mirror: bool, crops: bool) -> Array:
    network = nnx.merge(*graph_and_state)
    looking = over_ten_crops(network) if crops else mirrored(network) if mirror else network
    return jax.nn.softmax(looking(standardise(images)), axis=-1)


def probabilities(
    model: Network, images: Any, mirror: bool = False, batch_size: int = 256, *, crops: bool = False
) -> np.ndarray:
    """(N, H, W, C) uint8 -> (N, classes) float32; with `mirror` as `mirrored` gives them, with `crops`, which have mirror
    images among them, as `over_ten_crops`."""
    graph_and_state = nnx.split(model)
    return in_batches(lambda part: _softmax_of(graph_and_state, part, mirror, crops), images, batch_size)
