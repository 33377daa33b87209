"""Weights of face matchers on disk (`models.weights_file`), and the vectors they give."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx
from jax import Array

from models import weights_file
from models.batches import in_batches
from models.face_matcher.network import FaceMatcher
from models.fer.networks import standardise

REQUIRED = ("size", "channels", "dimensions")


def save(path: Path, matcher: FaceMatcher, card: Mapping[str, Any]) -> None:
    """Writes the matcher, in half precision; `card` has its `size` and whatever else is to be remembered."""
    state = nnx.to_pure_dict(nnx.state(matcher, (nnx.Param, nnx.BatchStat)))
    facts = {"channels": matcher.channels, "dimensions": matcher.dimensions}
    weights_file.write(path, state, {**card, **facts}, half=True)


def load(path: Path) -> tuple[FaceMatcher, dict[str, Any]]:
    """The matcher in a file that `save` made, and its card. Raises FileNotFoundError and WeightsError."""
    arrays, card = weights_file.read(path, REQUIRED)
    blank = nnx.eval_shape(lambda: FaceMatcher(card["channels"], card["dimensions"], rngs=nnx.Rngs(0)))
    return weights_file.restore(blank, arrays, path), card


@nnx.jit
def _embed(matcher: FaceMatcher, faces: Array) -> Array:
    return matcher(standardise(faces))


def embed(matcher: FaceMatcher, faces: Any) -> np.ndarray:
    """Faces (N, H, W, C) uint8 -> unit vectors (N, dimensions)."""
    return in_batches(lambda part: _embed(matcher, part), faces)
