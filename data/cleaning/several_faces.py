"""Rule `several_faces`: how large the largest face beside the main one is, as a share of it."""

import math

import numpy as np

from data.cleaning.look import Look

WORSE = "higher"
MEASURE = "area of the next face as a share of the main one's"
SURE = 0.9  # least score of a next face: MTCNN gives hands, ears and folds of cloth less


def measure(look: Look) -> float:
    """The area of the largest sure face that is not the main one, by the main one's; nan without a main face."""
    if look.main is None:
        return math.nan
    areas = (look.boxes[:, 2:] - look.boxes[:, :2]).prod(axis=1)
    others = (look.scores >= SURE) & (np.arange(len(areas)) != look.main)
    return float(areas[others].max(initial=0) / areas[look.main])
