"""People cut out of a green wall and stood anywhere: nothing of the wall, all of the person, truth moved along."""

import numpy as np
import pytest

from data.synthetic import Pose, Scene, draw_face, person
from data.synthetic.raw.people import cut_out, stand

SCENE = Scene(pose=Pose(height=0.45))


@pytest.mark.parametrize("number", range(6))
def test_no_wall_is_left_and_no_person_is_lost(number):
    cut = cut_out(person(0, number), np.zeros(17), SCENE, 128)
    face = draw_face(person(0, number), np.zeros(17), SCENE, 128)
    np.testing.assert_array_equal(cut.landmarks, face.landmarks)
    x, y, width, height = np.rint(cut.box).astype(int)
    inner = cut.alpha[y + height // 4:y + 3 * height // 4, x + width // 4:x + 3 * width // 4]
    assert inner.min() > 0.99 and cut.alpha[:8].max() < 0.01
    below = cut.alpha[-6:, x:x + width]
    assert below.min() > 0.99, "shirts are not taken for the wall"
    seen = cut.colour[cut.alpha > 0.05]
    assert (seen[:, 1] - np.maximum(seen[:, 0], seen[:, 2])).max() < 41


@pytest.mark.parametrize(("x", "y", "scale"), [(10, 5, 1.0), (-20, 12, 0.5), (30, -15, 0.8), (0, 0, 1.25)])
def test_truth_moves_with_the_person(x, y, scale):
    cut = cut_out(person(0, 1), np.zeros(17), SCENE, 96)
    picture = np.zeros((120, 140, 3), np.float32)
    box, landmarks = stand(picture, cut, x, y, scale)
    np.testing.assert_allclose(landmarks, (cut.landmarks + 0.5) * scale + (x, y) - 0.5, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(box[2:], cut.box[2:] * scale, rtol=1e-5)
    nose = np.rint(landmarks[2]).astype(int)
    if 0 <= nose[0] < 140 and 0 <= nose[1] < 120:
        before = cut.colour[tuple(np.rint(cut.landmarks[2]).astype(int)[::-1])]
        np.testing.assert_allclose(picture[nose[1], nose[0]], before, atol=40)
    assert picture.min() >= 0 and picture.max() <= 256


def test_a_person_goes_on_below_the_cut():
    picture = np.zeros((200, 96, 3), np.float32)
    stand(picture, cut_out(person(0, 1), np.zeros(17), SCENE, 96), 0, 0, 1.0)
    np.testing.assert_array_equal(picture[95], picture[199])
    assert picture[199].max() > 10
