"""Rule `small_face`: how many pixels the main face has to show its expression with."""

import math

import numpy as np

from data.cleaning.look import Look

WORSE = "lower"
MEASURE = "side of the main face's box in pixels"
FAINT = True


def measure(look: Look) -> float:
    """The geometric mean of width and height of the main face's box, in pixels as ingested; nan without a face."""
    if look.main is None:
        return math.nan
    box = look.boxes[look.main]
    return float(np.sqrt((box[2:] - box[:2]).prod()))
