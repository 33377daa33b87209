"""Many rows through a compiled program, in batches of one size, so that it is compiled once."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import Array


def in_batches(program: Callable[[Any], Array], rows: Any, size: int = 256) -> np.ndarray:
    """What `program`, which treats every row alone, makes of rows (N, …): (N, …) of the same type as its own.

    The last batch is filled up with zeros; a few rows alone go as the next power of two. `rows` is any array-like that
    takes slices.
    """
    size = min(size, 1 << max(len(rows) - 1, 0).bit_length())
    parts = (np.asarray(rows[start : start + size]) for start in range(0, len(rows), size))
    made = [program(_filled(part, size))[: len(part)] for part in parts]
    if not made:
        one = jax.eval_shape(program, jax.ShapeDtypeStruct((1, *rows.shape[1:]), rows.dtype))
        return np.zeros((0, *one.shape[1:]), one.dtype)
    return np.concatenate(jax.device_get(made))


def _filled(batch: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([batch, np.zeros((size - len(batch), *batch.shape[1:]), batch.dtype)])
