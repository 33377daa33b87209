"""Faces with another prototype, in batches of one compiled size."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from models.san.autoencoder import Autoencoder


@jax.jit
def _perturbed(graph_and_state: tuple[nnx.GraphDef, Any], faces: Array, own: Array, shown: list[Array]) -> list[Array]:
    network = nnx.merge(*graph_and_state)
    faces, own = faces.astype(jnp.float32) / 255, own.astype(jnp.float32) / 255
    share = network.share(faces, own)
    return [jax.nn.sigmoid(network.logits(share, each.astype(jnp.float32) / 255)) for each in shown]


def perturb(
    network: Autoencoder, images: Any, own: np.ndarray, shown: dict[str, np.ndarray], batch_size: int = 32
) -> dict[str, np.ndarray]:
    """Faces (N, H, W, 1) uint8 with each of the prototypes `shown`, by its name: (N, H, W, 1) uint8, cut off as official.

    Prototypes, `own` and those to be shown, are (N, H, W, 3) uint8, or (H, W, 3) where all faces have the same. All that
    are shown cost one pass.
    """
    count = len(images)
    batch_size = min(batch_size, 1 << max(count - 1, 0).bit_length())
    own, others = _one_each(own, count), [_one_each(each, count) for each in shown.values()]
    graph_and_state, parts = nnx.split(network), []
    for start in range(0, count, batch_size):
        rows = np.minimum(np.arange(start, start + batch_size), count - 1)  # the last face fills the last batch
        made = _perturbed(graph_and_state, np.asarray(images[rows]), own[rows], [each[rows] for each in others])
        parts.append([(np.asarray(each) * 255).astype(np.uint8)[: count - start] for each in made])
    if not parts:
        return {name: np.zeros(images.shape, np.uint8) for name in shown}
    return {name: np.concatenate(each) for name, each in zip(shown, zip(*parts))}


def _one_each(prototypes: np.ndarray, count: int) -> np.ndarray:
    return np.broadcast_to(prototypes, (count, *prototypes.shape[-3:]))
