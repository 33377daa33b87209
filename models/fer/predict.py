"""Class probabilities of pictures, in batches of one compiled size; if asked, the mean over a picture and its mirror
image (Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification", section 4.1).
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


def mirrored(network: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """`network` (pictures (N, H, W, C) -> logits (N, K)) as one that also looks at the mirror images.

    Its logits are the logarithms of the mean of both probabilities. The left half of a face says no more than the right
    one, so this costs a second look and gains about a point on FER-2013.
    """

    def both(pictures: Array) -> Array:
        seen, turned = (jax.nn.softmax(network(each), axis=-1) for each in (pictures, pictures[:, :, ::-1]))
        return jnp.log((seen + turned) / 2)

    return both


@partial(jax.jit, static_argnums=2)
def _softmax_of(graph_and_state: tuple[nnx.GraphDef, Any], images: Array, mirror: bool) -> Array:
    network = nnx.merge(*graph_and_state)
    return jax.nn.softmax((mirrored(network) if mirror else network)(standardise(images)), axis=-1)


def probabilities(model: Network, images: Any, mirror: bool = False, batch_size: int = 256) -> np.ndarray:
    """(N, H, W, C) uint8 -> (N, classes) float32; with `mirror` as `mirrored` gives them."""
    graph_and_state = nnx.split(model)
    return in_batches(lambda part: _softmax_of(graph_and_state, part, mirror), images, batch_size)
