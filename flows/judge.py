"""What the pipeline's own classifier reads in portraits, which are cut wider or tighter than the faces it learnt from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from data.alignment import cut
from data.letterbox import letterbox
from flows.forms import featured
from flows.sections import Faces
from models.fer import weights
from models.fer.predict import probabilities

Judge = Callable[[np.ndarray], np.ndarray]


def judge(path: Path, faces: Faces) -> Judge:
    """From portraits (N, R, R, 3) uint8 to probabilities (N, 7), by the classifier in `path` that learnt from `faces`."""
    network, card = weights.load(path)
    size, channels, features = card["size"], card["channels"], card.get("features", "none")

    def read(portraits: np.ndarray) -> np.ndarray:
        seen = featured(as_faces(portraits, size, channels, faces), features)
        return probabilities(network, seen, mirror=card.get("mirror", False))

    return read


def as_faces(portraits: np.ndarray, size: int, channels: int, faces: Faces) -> np.ndarray:
    """Portraits (N, R, R, 3) as the networks that learnt from `faces` take them: (N, size, size, channels)."""
    return np.stack([letterbox(as_face(each, size, faces), size, channels) for each in portraits])


def as_face(portrait: np.ndarray, size: int, faces: Faces) -> np.ndarray:
    """A portrait (R, R, 3) as (size, size, 3): with the margin of `faces.margin`, if faces were cut out of pictures."""
    share = (1 + faces.portrait.margin) / (1 + faces.margin) if faces.detect else 1.0
    scale = size / len(portrait) * share
    return cut(portrait, np.array([[scale, 0, size * (1 - share) / 2], [0, scale, size * (1 - share) / 2]]), size)
