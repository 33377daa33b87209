"""The runner cuts a face as the training data was cut, pixel for pixel, whatever its size, place and tilt."""

import cv2
import numpy as np
import pytest

from data import alignment
from realtime.crop import face_crop

EYES = np.array([[0.3, 0.4], [0.7, 0.42], [0.5, 0.6], [0.36, 0.8], [0.66, 0.79]])


def scene() -> np.ndarray:
    """(240, 320, 3) uint8, taken as BGR."""
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3)


@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("margin", [-0.1, 0.25])
@pytest.mark.parametrize(
    ("corner", "side", "tilt"),
    [((120, 80), 60, 0.0), ((-20, -10), 90, 0.3), ((230, 100), 150, -0.5), ((60, 30), 200, 0.1)],
)
def test_the_pixels_are_those_of_data_alignment(align, channels, margin, corner, side, tilt) -> None:
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    landmarks = (EYES - 0.5) @ turn * side + side / 2 + corner
    box = np.array([*corner, corner[0] + 0.8 * side, corner[1] + side])
    ours = face_crop(scene(), box, landmarks, 48, channels, margin, align)

    box_with_sides = np.concatenate([box[:2], box[2:] - box[:2]])
    matrix = alignment.upright(landmarks, 48, margin) if align else alignment.squared(box_with_sides, 48, margin)
    theirs = alignment.cut(scene()[..., ::-1], matrix, 48)  # RGB, as in training
    theirs = cv2.cvtColor(theirs, cv2.COLOR_RGB2GRAY)[..., None] if channels == 1 else theirs
    assert ours.shape == (48, 48, channels)
    assert np.abs(ours.astype(int) - theirs).max() == 0
