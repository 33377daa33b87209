"""Heads seen from the side: the nose leads, the far eye goes, the two sides mirror each other."""

import numpy as np
import pytest

from data.synthetic import Pose, Scene, person
from data.synthetic.raw.profile import turned

SCENE = Scene(pose=Pose(x=0.5, y=0.45, height=0.5))


@pytest.mark.parametrize("number", range(4))
def test_the_farther_it_turns_the_farther_the_nose_leads(number):
    def lead(yaw: float) -> float:
        face = turned(person(0, number), np.zeros(17), SCENE, 128, yaw)
        left, right, nose, *_ = face.landmarks
        assert (face.landmarks > 0).all() and (face.landmarks < 128).all()
        return float((nose - (left + right) / 2)[0] / abs(right[0] - left[0]))

    leads = [lead(yaw) for yaw in (45, 55, 65)]
    assert 0.4 < leads[0] < leads[1] < leads[2]
    assert lead(-55) == pytest.approx(-leads[1])


def test_left_and_right_mirror_each_other_in_full():
    right, left = (turned(person(0, 2), np.zeros(17), SCENE, 96, yaw) for yaw in (60, -60))
    np.testing.assert_array_equal(right.alpha, left.alpha[:, ::-1])
    np.testing.assert_array_equal(right.colour, left.colour[:, ::-1])
    assert right.box[2:].tolist() == left.box[2:].tolist()
    assert right.box[0] == pytest.approx(95 - left.box[0] - left.box[2])


def test_the_back_of_the_head_is_where_the_face_is_not():
    face = turned(person(0, 5), np.zeros(17), SCENE, 128, 65)
    level = face.alpha[int(face.landmarks[0, 1])] > 0.5
    x, width = face.box[0], face.box[2]
    columns = np.flatnonzero(level)
    assert columns[0] < x - 0.3 * width and columns[-1] < x + 1.1 * width
