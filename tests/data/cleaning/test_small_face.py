"""A face is as large as its box, whatever the picture's size."""

import math

import numpy as np
import pytest

from data.cleaning import small_face
from data.cleaning.look import Look


def test_the_side_of_the_main_box_is_told():
    boxes = np.array([[0, 0, 90, 90], [5, 5, 21, 41]], np.float32)
    look = Look(np.zeros((64, 64, 3), np.uint8), boxes, np.ones(2, np.float32), None, 1, None)
    assert small_face.measure(look) == pytest.approx(24)


def test_without_a_face_nothing_is_known():
    none = np.empty((0, 4), np.float32)
    assert math.isnan(small_face.measure(Look(np.zeros((8, 8, 3), np.uint8), none, none[:, 0], None, None, None)))
