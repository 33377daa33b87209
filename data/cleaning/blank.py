"""Rule `blank`: whether a picture shows anything, from the spread of its grey values."""

import cv2
import numpy as np

from data.cleaning.look import Look

WORSE = "lower"
MEASURE = "spread of grey values (5 % to 95 %) as a share of black to white"


def measure(look: Look) -> float:
    """The distance of the 5th and 95th percentile of the picture's grey values, in [0, 1], letterbox bars left out."""
    grey = without_bars(cv2.cvtColor(look.image, cv2.COLOR_RGB2GRAY))
    low, high = np.percentile(grey, (5, 95)) if grey.size else (0, 0)
    return float(high - low) / 255


def without_bars(grey: np.ndarray) -> np.ndarray:
    """`grey` (H, W) without the wholly black rows and columns at its borders."""
    rows, columns = (np.flatnonzero(grey.any(axis=axis)) for axis in (1, 0))
    return grey[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] if len(rows) else grey[:0]
