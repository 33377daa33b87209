"""Weights of face matchers on disk (`models.weights_file`), and the vectors they give."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx
from jax import Array

from models import weights_file
from models.batches import in_batches
from models.face_matcher.network import MATCHERS, Matcher, blank
from models.fer.networks import standardise
from models.weights_file import WeightsError

REQUIRED = ("size", "channels", "dimensions")


def save(path: Path, matcher: Matcher, card: Mapping[str, Any]) -> None:
    """Writes the matcher, in half precision; `card` has its `size` and whatever else is to be remembered."""
    state = nnx.to_pure_dict(nnx.state(matcher, (nnx.Param, nnx.BatchStat)))
    kind = next(name for name, kind in MATCHERS.items() if isinstance(matcher, kind))
    facts = {"network": kind, "channels": matcher.channels, "dimensions": matcher.dimensions}
    weights_file.write(path, state, {**card, **facts}, half=True)


def load(path: Path) -> tuple[Matcher, dict[str, Any]]:
    """The matcher in a file that `save` made, and its card. Raises FileNotFoundError and WeightsError."""
    arrays, card = weights_file.read(path, REQUIRED)
    try:
        matcher = blank(card.get("network", "convolutions"), card["channels"], card["dimensions"])
    except ValueError as error:
        raise WeightsError(f"{path}: {error}") from error
    return weights_file.restore(matcher, arrays, path), card


@nnx.jit
def _embed(matcher: Matcher, faces: Array) -> Array:
    return matcher(standardise(faces))


def embed(matcher: Matcher, faces: Any) -> np.ndarray:
    """Faces (N, H, W, C) uint8 -> unit vectors (N, dimensions)."""
    return in_batches(lambda part: _embed(matcher, part), faces)
