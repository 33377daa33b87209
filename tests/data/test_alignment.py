"""Faces are cut out upright, in place, in the asked size, and their landmarks and boxes move along."""

import cv2
import numpy as np
import pytest

from data.alignment import CANONICAL, cut, moved, moved_box, squared, upright

TURN = np.deg2rad(25)
ROTATION = np.array([[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]])


def test_a_turned_face_comes_out_where_the_canonical_one_lies():
    landmarks = CANONICAL * 80 @ ROTATION.T + [120, 40]
    matrix = upright(landmarks, size=96, margin=0.25)
    np.testing.assert_allclose(moved(landmarks, matrix), ((CANONICAL - 0.5) / 1.25 + 0.5) * 96, atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(matrix[:, :2]), (96 / (80 * 1.25)) ** 2)


def test_eyes_of_an_irregular_face_come_out_nearly_level():
    landmarks = CANONICAL * 80 @ ROTATION.T + np.random.default_rng(0).normal(0, 2, (5, 2))
    left, right = moved(landmarks, upright(landmarks, 96, 0.25))[:2]
    assert abs(left[1] - right[1]) < 0.15 * (right[0] - left[0])


@pytest.mark.parametrize("scale", [0.4, 1.0, 3.7])
def test_pixels_go_where_points_go(scale):
    """A bright spot at a landmark is found in the cut face where `moved` says, whatever the face's size."""
    landmarks = CANONICAL * 60 * scale @ ROTATION.T + [60 * scale, 20 * scale]
    matrix = upright(landmarks, size=64, margin=0.3)
    for point in landmarks:
        picture = np.zeros((int(120 * scale), int(130 * scale)), np.uint8)
        y, x = np.mgrid[:picture.shape[0], :picture.shape[1]] + 0.5  # the middle of each pixel
        picture[:] = 255 * np.exp(-((x - point[0]) ** 2 + (y - point[1]) ** 2) / (2 * (4 * scale) ** 2))
        face = cut(picture, matrix, 64).astype(float)
        y, x = np.mgrid[:64, :64] + 0.5
        centre = [(x * face).sum() / face.sum(), (y * face).sum() / face.sum()]
        np.testing.assert_allclose(centre, moved(point[None], matrix)[0], atol=0.15)


def test_a_box_is_cut_out_square_with_its_margin():
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[20:60, 30:50] = (255, 128, 0)  # 20 wide and 40 high
    face = cut(picture, squared([30, 20, 20, 40], size=40, margin=0), 40)
    np.testing.assert_array_equal(face, picture[20:60, 20:60])
    matrix = squared([30, 20, 20, 40], size=50, margin=0.25)
    np.testing.assert_allclose(moved_box([30, 20, 20, 40], matrix), [15, 5, 20, 40])
    np.testing.assert_array_equal(cut(picture, matrix, 50), picture[15:65, 15:65])


def test_a_face_over_the_border_is_filled_with_the_border():
    picture = np.repeat(np.linspace(10, 250, 40).astype(np.uint8)[None], 40, axis=0)
    face = cut(picture, squared([-10, 0, 20, 20], size=20, margin=0), 20)
    assert np.all(face[:, :10] == 10) and np.all(np.diff(face[0, 10:].astype(int)) > 0)


def test_a_face_made_much_smaller_skips_no_pixel():
    stripes = np.zeros((480, 480), np.uint8)
    stripes[:, ::2] = 255
    face = cut(stripes, squared([0, 0, 480, 480], size=48, margin=0), 48)
    assert abs(face.astype(int) - 127).max() <= 2
    shade = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (480, 480), np.uint8), (0, 0), 9)
    small = cut(shade, squared([0, 0, 480, 480], size=48, margin=0), 48)
    assert abs(small.astype(int) - cv2.resize(shade, (48, 48), interpolation=cv2.INTER_AREA)).max() <= 1


def test_impossible_faces_are_refused():
    with pytest.raises(ValueError, match="five different landmarks"):
        upright(np.full((5, 2), 7.0), 48, 0.25)
    with pytest.raises(ValueError, match="above 0"):
        squared([10, 10, 0, 5], 48, 0.25)
