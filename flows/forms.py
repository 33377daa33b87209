"""Faces in colour, brought to the forms in which networks take them."""

import numpy as np

from data.features import FEATURES
from flows.grey import grey
from flows.sections import Faces


def as_in_set(pictures: np.ndarray, faces: Faces) -> np.ndarray:
    """(N, S, S, 3) uint8 RGB as the rows of `artifacts/faces/set` are: (N, S, S, channels), with their features."""
    if faces.channels == 3:
        return pictures
    return featured(grey(pictures)[:], faces.features)


def featured(pictures: np.ndarray, features: str) -> np.ndarray:
    """Pictures (N, S, S, C) uint8 as `features`, "none" or a name in `data.features`, which only grey ones have."""
    return pictures if features == "none" else FEATURES[features](pictures[..., 0])[..., None]
