"""The next face counts by its area beside the main one's, if the detector is sure of it."""

import math

import numpy as np
import pytest

from data.cleaning import several_faces
from data.cleaning.look import Look


def look(sides: list[float], scores: list[float], main: int | None) -> Look:
    boxes = np.array([[x, 0, x + side, side] for x, side in zip(range(0, 100 * len(sides), 100), sides)], np.float32)
    return Look(np.zeros((8, 8, 3), np.uint8), boxes, np.array(scores, np.float32), None, main, None)


def test_one_face_has_none_beside_it():
    assert several_faces.measure(look([40], [0.99], 0)) == 0


def test_the_largest_other_face_counts_by_its_area():
    assert several_faces.measure(look([10, 40, 20], [1, 1, 1], 1)) == pytest.approx(0.25)
    assert several_faces.measure(look([60, 40, 20], [1, 1, 1], 1)) == pytest.approx(2.25)


def test_what_is_hardly_a_face_does_not_count():
    assert several_faces.measure(look([40, 20, 40], [0.75, 0.95, 0.8], 0)) == pytest.approx(0.25)


def test_without_a_main_face_nothing_is_known():
    assert math.isnan(several_faces.measure(look([], [], None)))
