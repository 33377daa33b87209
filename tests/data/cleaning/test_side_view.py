"""The turn that the landmarks of a drawn head give is near the turn it was drawn with."""

import math

import numpy as np
import pytest

from data.cleaning import side_view
from data.cleaning.look import Look
from data.synthetic import Pose, Scene, draw_face, person


def turned(landmarks: np.ndarray) -> float:
    boxes, scores = np.zeros((1, 4), np.float32), np.ones(1, np.float32)
    points = np.asarray(landmarks, np.float32)[None]
    return side_view.measure(Look(np.zeros((8, 8, 3), np.uint8), boxes, scores, points, 0, None))


@pytest.mark.parametrize("yaw", [-40, -20, 0, 20, 40])
@pytest.mark.parametrize("roll", [-15, 0, 15])
def test_the_drawn_turn_is_found_whatever_the_tilt(yaw, roll):
    scene = Scene(pose=Pose(yaw=yaw, roll=roll))
    found = [turned(draw_face(person(4, number), np.zeros(17), scene, 96).landmarks) for number in range(6)]
    assert np.mean(found) == pytest.approx(abs(yaw), abs=9)


def test_a_nose_beyond_the_eyes_is_a_profile_and_never_more_than_a_right_angle():
    assert turned([[30, 30], [36, 30], [50, 40], [31, 52], [38, 52]]) > 70
    assert turned([[36, 30], [30, 30], [50, 40], [38, 52], [31, 52]]) == pytest.approx(90)


def test_both_sides_count_alike():
    points = np.array([[30, 30], [60, 31], [52, 42], [34, 58], [58, 60]])
    assert turned((points * (-1, 1) + (100, 0))[[1, 0, 2, 4, 3]]) == pytest.approx(turned(points), abs=1e-3)


def test_without_a_face_nothing_is_known():
    none = np.empty((0, 4), np.float32)
    look = Look(np.zeros((8, 8, 3), np.uint8), none, none[:, 0], np.empty((0, 5, 2), np.float32), None, None)
    assert math.isnan(side_view.measure(look))
