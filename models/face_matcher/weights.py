"""Weights of face matchers on disk (`models.weights_file`), and the vectors they give."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import nnx
from jax import Array

from models import weights_file
from models.face_matcher.network import FaceMatcher
from models.fer.networks import standardise

REQUIRED = ("size", "channels", "dimensions")
BATCH = 256


def save(path: Path, matcher: FaceMatcher, card: Mapping[str, Any]) -> None:
    """Writes the matcher, in half precision; `card` has its `size` and whatever else is to be remembered."""
    state = nnx.to_pure_dict(nnx.state(matcher, (nnx.Param, nnx.BatchStat)))
    facts = {"channels": matcher.channels, "dimensions": matcher.dimensions}
    weights_file.write(path, state, {**card, **facts}, half=True)


def load(path: Path) -> tuple[FaceMatcher, dict[str, Any]]:
    """The matcher in a file that `save` made, and its card. Raises FileNotFoundError and WeightsError."""
    arrays, card = weights_file.read(path, REQUIRED)
    blank = nnx.eval_shape(lambda: FaceMatcher(card["channels"], card["dimensions"], rngs=nnx.Rngs(0)))
    return weights_file.fill(blank, lambda name: weights_file.named(arrays, name, path), path), card


@nnx.jit
def _embed(matcher: FaceMatcher, faces: Array) -> Array:
    return matcher(standardise(faces))


def embed(matcher: FaceMatcher, faces: Any) -> np.ndarray:
    """Faces (N, H, W, C) uint8 -> unit vectors (N, dimensions), in batches of one compiled size."""
    parts = []
    for start in range(0, len(faces), BATCH):
        part = np.asarray(faces[start : start + BATCH])
        filled = np.concatenate([part, np.zeros((BATCH - len(part), *part.shape[1:]), np.uint8)])
        parts.append(np.asarray(jax.device_get(_embed(matcher, filled)))[: len(part)])
    return np.concatenate(parts) if parts else np.zeros((0, matcher.dimensions), np.float32)
