"""Rule `blur`: how little a further blur takes from a face (Crété-Roffet et al. 2007, "The blur effect", SPIE 6492).

A sharp picture loses much of the difference between neighbouring pixels when it is blurred again, a blurred one little.
"""

import cv2
import numpy as np
from skimage.measure import blur_effect

from data.cleaning.blank import without_bars
from data.cleaning.look import Look

WORSE = "higher"
MEASURE = "blur effect of the upright face, 0 sharp to 1 without any detail"
WINDOW = 5  # pixels of the further blur; of 5 and 11 it tells faces that are only enlarged better from blurred ones
SIDE = 64  # pixels of a picture's longer side where no face was found


def measure(look: Look) -> float:
    """The blur effect, in [0, 1], of the upright face, or of the picture without its bars if it shows none.

    Across the direction in which it is blurred most, as a shaken picture is in one only; nan for a black picture.
    """
    face = _shrunk(look.image) if look.face is None else look.face
    return float(blur_effect(face, h_size=WINDOW)) if min(face.shape) > WINDOW else np.nan


def _shrunk(image: np.ndarray) -> np.ndarray:
    """`image` (H, W, 3) grey, without bars, its longer side `SIDE` pixels."""
    grey = without_bars(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    if not grey.size:
        return grey
    scale = SIDE / max(grey.shape)
    size = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
