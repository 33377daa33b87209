"""What networks make, as pictures' bytes."""

import numpy as np


def to_uint8(pictures: np.ndarray) -> np.ndarray:
    """From about -1 … 1 to 0 … 255, rounded and cut off."""
    return np.rint(np.clip(np.asarray(pictures) * 127.5 + 127.5, 0, 255)).astype(np.uint8)
