"""What is laid over a face hides the eyes or the mouth that it should, at any size, and leaves the rest."""

import cv2
import numpy as np
import pytest

from data.synthetic import Pose, Scene, draw_face, person
from data.synthetic.raw.occlusion import COVERS, cover, hidden


def ellipse(shape: tuple[int, int], centre: np.ndarray, wide: float, high: float) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    cv2.ellipse(mask, np.rint(centre).astype(int).tolist(), (round(wide), round(high)), 0, 0, 360, 255, -1)
    return mask > 0


@pytest.mark.parametrize("kind", COVERS)
@pytest.mark.parametrize("size", [96, 200])
def test_eyes_or_mouth_are_hidden_and_the_other_half_is_not(kind, size):
    for number in range(4):
        scene = Scene(pose=Pose(yaw=(-15, 0, 8, 15)[number], roll=5, height=0.5))
        face = draw_face(person(0, number), np.zeros(17), scene, size)
        covered, name = cover(np.random.default_rng(number), face.image, face.landmarks, kind)
        assert name == kind and covered.shape == face.image.shape and covered.dtype == np.uint8
        changed = np.abs(covered.astype(int) - face.image).max(axis=2) > 6
        left, right, _, *corners = face.landmarks
        unit = np.hypot(*(right - left))
        eyes = [changed[ellipse(changed.shape, eye, 0.2 * unit, 0.08 * unit)].mean() for eye in (left, right)]
        mouth = changed[ellipse(changed.shape, np.mean(corners, axis=0), 0.3 * unit, 0.12 * unit)].mean()
        if hidden(kind) == "eyes":
            assert min(eyes) > 0.7 and mouth < 0.3
        else:
            assert mouth > 0.7 and min(eyes) < 0.6, "one thumb may reach an eye, not both"


def test_same_numbers_same_cover_and_the_picture_is_left_alone():
    face = draw_face(person(0, 1), np.zeros(17), Scene(), 96)
    before = face.image.copy()
    first, second = (cover(np.random.default_rng(5), face.image, face.landmarks) for _ in range(2))
    assert first[1] == second[1] and np.array_equal(first[0], second[0])
    assert np.array_equal(face.image, before)


def test_all_kinds_come_up():
    face = draw_face(person(0, 1), np.zeros(17), Scene(), 64)
    rng = np.random.default_rng(0)
    assert {cover(rng, face.image, face.landmarks)[1] for _ in range(80)} == set(COVERS)
