"""Where a study keeps the state of a training that has not ended, so that only the very same training goes on from it."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.faceset import FaceSet

CHECKPOINTS = Path(".checkpoints/studies")


def unfinished(name: str, *facts: object) -> Path:
    """The folder of the training called `name`: with other `facts`, which say what they are by `repr`, it is another one."""
    return CHECKPOINTS / name / hashed(repr(facts).encode())


def which(faces: "FaceSet") -> str:
    """A hash of which pictures these are, in their order, and of what is said of them to learn."""
    return hashed(faces.table[["id", "label", "gender", "split"]].to_csv(index=False).encode())


def hashed(content: bytes | np.ndarray) -> str:
    """A hash of a file, or of pictures themselves."""
    return hashlib.blake2b(content, digest_size=8).hexdigest()
