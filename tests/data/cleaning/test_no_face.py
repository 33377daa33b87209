"""What is told is the score of the face that would be cut out, not of another; nothing where nobody looked."""

import math

import numpy as np
import pytest

from data.cleaning import no_face
from data.cleaning.look import Look


def look(scores: list[float] | None, main: int | None) -> Look:
    scores = None if scores is None else np.array(scores, np.float32)
    return Look(np.zeros((8, 8, 3), np.uint8), None, scores, None, main, None)


def test_the_score_of_the_main_face_is_told():
    assert no_face.measure(look([0.99, 0.75], 1)) == pytest.approx(0.75)


def test_without_a_face_it_is_zero_and_unknown_where_none_was_looked_for():
    assert no_face.measure(look([], None)) == 0
    assert math.isnan(no_face.measure(look(None, None)))
