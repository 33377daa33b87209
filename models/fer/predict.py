"""Class probabilities of pictures, in batches of one compiled size."""

from collections.abc import Iterable
from typing import Any

import jax
import numpy as np
from flax import nnx
from jax import Array

from models.fer.mini_xception import MiniXception, standardise


@jax.jit
def _softmax_of(graph_and_state: tuple[nnx.GraphDef, Any], images: Array) -> Array:
    return jax.nn.softmax(nnx.merge(*graph_and_state)(standardise(images)), axis=-1)


def probabilities(model: MiniXception, images: Any, batch_size: int = 256) -> np.ndarray:
    """(N, H, W, C) uint8 -> (N, classes) float32. The last batch is filled up, so that one program serves all."""
    graph_and_state = nnx.split(model)
    parts: Iterable[np.ndarray] = (images[i : i + batch_size] for i in range(0, len(images), batch_size))
    chances = [_softmax_of(graph_and_state, _filled(np.asarray(part), batch_size))[: len(part)] for part in parts]
    return np.concatenate(jax.device_get(chances)) if chances else np.zeros((0, model.classes), np.float32)


def _filled(batch: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([batch, np.zeros((size - len(batch), *batch.shape[1:]), batch.dtype)])
