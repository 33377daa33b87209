"""Films: pictures one after the other in one file."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np


def write_film(path: Path, frames: Sequence[np.ndarray], milliseconds: Sequence[int]) -> None:
    """Writes frames (H, W, 3) uint8 RGB as an animated GIF that repeats; raises OSError where it cannot be written."""
    animation = cv2.Animation()
    animation.frames, animation.durations = [frame[..., ::-1] for frame in frames], np.array(milliseconds)
    if not cv2.imwriteanimation(str(path), animation):
        raise OSError(f"{path} could not be written")
