"""The more a face is blurred, in all directions or in one, the higher; its contrast and size hardly matter."""

import math

import cv2
import numpy as np
import pytest

from data.alignment import cut, upright
from data.cleaning import blur
from data.cleaning.look import Look
from data.letterbox import letterbox
from data.synthetic import draw


@pytest.fixture(scope="module")
def drawn() -> list[tuple[np.ndarray, np.ndarray]]:
    return [(image, np.array(row["landmarks"]).reshape(5, 2)) for image, row in draw(seed=6, count=8, size=200)]


def blurred(image: np.ndarray, points: np.ndarray) -> float:
    face = cut(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), upright(points, 64, 0.25), 64)
    return blur.measure(Look(image, None, None, None, None, face))


def test_a_further_blur_makes_it_higher(drawn):
    for image, points in drawn:
        values = [blurred(cv2.GaussianBlur(image, (0, 0), sigma), points) for sigma in (0.5, 4, 8)]
        assert 0 < values[0] < 0.72 < values[1] < values[2] < 1


@pytest.mark.parametrize("across", [True, False])
def test_a_shaken_picture_is_blurred_in_one_direction(drawn, across):
    for image, points in drawn:
        assert blurred(cv2.blur(image, (41, 1) if across else (1, 41)), points) > 0.74


def test_contrast_and_enlarging_change_little(drawn):
    for image, points in drawn:
        sharp, pale = blurred(image, points), blurred(image // 3 + 100, points)
        small = cv2.resize(image, (100, 100), interpolation=cv2.INTER_AREA)
        assert pale == pytest.approx(sharp, abs=0.08)
        assert blurred(small, (points + 0.5) / 2 - 0.5) == pytest.approx(sharp, abs=0.12)


def test_without_a_face_the_picture_is_judged_without_its_bars(drawn):
    for image, _ in drawn[:3]:
        wide = image[40:160]
        values = [blur.measure(Look(letterbox(each, 256, 3), None, None, None, None, None))
                  for each in (wide, cv2.GaussianBlur(wide, (0, 0), 12))]
        assert values[0] < 0.7 < 0.8 < values[1]


def test_a_black_picture_is_not_judged():
    assert math.isnan(blur.measure(Look(np.zeros((64, 64, 3), np.uint8), None, None, None, None, None)))
