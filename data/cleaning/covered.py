"""Rule `covered`: whether something hides the eyes or the mouth: sunglasses, a hand, a mask, a cup, a microphone.

Two logistic regressions, one for the eyes and one for the mouth, see the gradients of the upright face as histograms
(Dalal & Triggs 2005) and its light and shade. `learn_covered` makes their weights from drawn faces.
"""

import math
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from data.cleaning.look import Look

WORSE = "higher"
MEASURE = "probability that eyes or mouth are hidden"
FAINT = True
WEIGHTS = Path(__file__).with_name("covered.npz")
PARTS = ("eyes", "mouth")
_HOG = cv2.HOGDescriptor((64, 64), (16, 16), (8, 8), (8, 8), 9)
_SHADES = slice(2, 14)  # of 16 by 16: without the rim, which is hair and room
_SHADE_WEIGHT = 0.3  # light and shade differ more from person to person than gradients do


def measure(look: Look) -> float:
    """The greater of the probabilities that the eyes and that the mouth are hidden, in [0, 1].

    nan without a face, and where none were looked for: of FER-2013, whose faces lie anyhow, it would mark one in eight,
    most of them wrongly.
    """
    if look.face is None or look.landmarks is None:
        return math.nan
    weights, bias = _weights()
    odds = float(((weights * features(look.face)).sum(axis=1) + bias).max())
    return 1 / (1 + math.exp(-odds))


def features(face: np.ndarray) -> np.ndarray:
    """(1908,) float32 of an upright face (64, 64) uint8: 7 by 7 blocks of histograms, 12 by 12 shades."""
    shades = cv2.resize(face, (16, 16), interpolation=cv2.INTER_AREA)[_SHADES, _SHADES].astype(np.float32)
    shades = (shades - shades.mean()) / (shades.std() + 8)
    return np.concatenate([_HOG.compute(face).ravel(), _SHADE_WEIGHT * shades.ravel()])


@cache
def _weights() -> tuple[np.ndarray, np.ndarray]:
    """Weights (2, 1908) and bias (2,) of `PARTS`."""
    with np.load(WEIGHTS, allow_pickle=False) as arrays:
        return arrays["weights"], arrays["bias"]
