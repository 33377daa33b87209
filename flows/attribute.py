"""The attribute that a semi-adversarial network hides: which faces tell it, as grey pictures, and what prototypes they get."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.faceset import EXPRESSIONS, GENDERS, FaceSet
from models.san.prototypes import LaidOver, laid_over

CLASSES = {"gender": GENDERS, "label": EXPRESSIONS}
OTHER = {"gender": "label", "label": "gender"}
PROTOTYPES = "prototypes.npz"


def telling(faces: FaceSet, attribute: str) -> FaceSet:
    """The faces whose `attribute` is known, of any split.

    Raises ValueError where none is, or where a class has no training face: nothing could be learnt of it.
    """
    known = faces.select(faces.table[attribute].notna().to_numpy())
    other = OTHER[attribute]
    if not len(known):
        elsewhere = f"set san.attribute to {other}, which they tell, or " if faces.table[other].notna().any() else ""
        raise ValueError(f"none of {len(faces):,} faces tells its {attribute}, which san.attribute names: {elsewhere}take a "
                         f"source that tells it")  # fmt: skip
    present = known.table[attribute][known.table["split"] == "train"]
    if absent := [name for number, name in enumerate(CLASSES[attribute]) if not (present == number).any()]:
        raise ValueError(f"no training face is of {attribute} {', '.join(absent)} (san.attribute): to hide what a face shows, "
                         "faces of every class are needed; add some, or hide another attribute")
    return known


def labels_of(faces: FaceSet, attribute: str) -> np.ndarray:
    """(N,) int32 classes of faces that all tell their attribute."""
    return faces.table[attribute].to_numpy(np.int32)


def landmarks_of(faces: FaceSet) -> np.ndarray:
    """(N, 5, 2) x, y in pixels. Raises ValueError where a face has none."""
    landmarks = list(faces.table["landmarks"])
    if lacking := sum(each is None for each in landmarks):
        raise ValueError(f"{lacking:,} of {len(faces):,} faces have no landmarks to lay prototypes over: set san.aligned to "
                         "false, or faces.detect to true")
    return np.stack(landmarks).reshape(-1, 5, 2) if landmarks else np.zeros((0, 5, 2), np.float32)


@dataclass(frozen=True)
class Prototypes:
    """What the faces of each class have in common: `classes` (K, H, W, 3) uint8, `neutral` (H, W, 3) uint8, and where their
    landmarks lie, `canonical` (5, 2); without it they are shown as they are, whatever the face's landmarks."""

    classes: np.ndarray
    neutral: np.ndarray
    canonical: np.ndarray | None

    @classmethod
    def load(cls, folder: Path, aligned: bool) -> "Prototypes":
        """Those that stage `prototypes` wrote into `folder`."""
        kind = "aligned" if aligned else "plain"
        with np.load(folder / PROTOTYPES) as stored:
            return cls(stored[kind], stored[f"{kind}_neutral"], stored["canonical"] if aligned else None)

    def for_training(self, faces: FaceSet) -> Any:
        """The classes' prototypes (K, H, W, 3), or those laid over each face (N, K, H, W, 3)."""
        if self.canonical is None:
            return self.classes
        return LaidOver(self.classes, self.canonical, landmarks_of(faces))

    def shown_to(self, faces: FaceSet, labels: np.ndarray) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
        """The own prototype of each face (N, H, W, 3), and by name what may be shown: "sm" the same, "nt" the neutral one,
        "op" that of another class, the next one where there are several."""
        others = (labels + 1) % len(self.classes)
        neutral = np.broadcast_to(self.neutral, (len(labels), *self.neutral.shape))
        shown = {"sm": self.classes[labels], "nt": neutral, "op": self.classes[others]}
        if self.canonical is not None:
            landmarks = landmarks_of(faces)
            shown = {name: laid_over(each, self.canonical, landmarks) for name, each in shown.items()}
        return shown["sm"], shown
