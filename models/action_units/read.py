"""Action units read from pictures by a trained network, and how far they are from the truth."""

from typing import Any

import jax
import numpy as np
from flax import nnx
from jax import Array

from models.action_units.units import checked
from models.batches import in_batches
from models.fer.networks import Network, standardise


@jax.jit
def _intensities(graph_and_state: tuple[nnx.GraphDef, Any], images: Array) -> Array:
    return jax.nn.sigmoid(nnx.merge(*graph_and_state)(standardise(images)))


def read(model: Network, images: Any, batch_size: int = 256) -> np.ndarray:
    """(N, H, W, C) uint8 -> (N, 17) float32 in [0, 1], in the order of `UNITS`.

    Raises ValueError where the pictures are no uint8 or have other channels than the network.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != model.channels:
        raise ValueError(f"pictures are {images.dtype} {images.shape}, expected uint8 (N, H, W, {model.channels})")
    graph_and_state = nnx.split(model)
    return in_batches(lambda part: _intensities(graph_and_state, part), images, batch_size)


def errors(estimates: Any, truth: Any) -> dict[str, float]:
    """Of (N, 17) estimates, over all rows and units: mean absolute error `mae`, root mean squared error `rmse`; and
    `mean_mae`, what the truth's own mean of each unit would get, below which a reader has learnt something.

    Raises what `checked` raises of either.
    """
    truth = checked(truth)
    difference = checked(estimates, len(truth)) - truth
    return {
        "mae": float(np.abs(difference).mean()),
        "rmse": float(np.sqrt((difference**2).mean())),
        "mean_mae": float(np.abs(truth - truth.mean(axis=0)).mean()),
    }
