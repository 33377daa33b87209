"""Blank is what hardly differs from pixel to pixel; a letterbox's bars are no content."""

import numpy as np
import pytest

from data.cleaning import blank
from data.cleaning.look import Look
from data.letterbox import letterbox
from data.synthetic import draw


def spread(image: np.ndarray) -> float:
    return blank.measure(Look(image, None, None, None, None, None))


def sheet(level: float, noise: float = 1.0, shape: tuple[int, int] = (60, 90)) -> np.ndarray:
    return np.clip(np.random.default_rng(0).normal(level, noise, (*shape, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("level", [0, 3, 128, 252])
def test_one_colour_is_blank_with_and_without_noise_and_bars(level):
    assert spread(letterbox(sheet(level, 0), 128, 3)) == 0
    assert spread(letterbox(sheet(level), 128, 3)) < 0.03


def test_a_drawn_face_is_not_blank_but_the_same_face_faded_is():
    for image, _ in draw(seed=8, count=5, size=128):
        assert spread(image) > 0.2
        assert spread((128 + 0.02 * (image.astype(np.float32) - 128)).astype(np.uint8)) < 0.03


def test_bars_change_nothing():
    image = next(draw(seed=8, count=1, size=128))[0][20:100]
    assert spread(letterbox(image, 128, 3)) == spread(image)
