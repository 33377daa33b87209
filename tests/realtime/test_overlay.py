"""The emoji lies where it should, as large and tilted as the face, in the right colours, and never beyond the frame."""

import cv2
import numpy as np
import pytest

from realtime.overlay import Overlay, Sticker
from realtime.tracking import Track

RED = (0, 0, 255)  # BGR


def plain(colour: tuple[int, int, int], alpha: int, side: int = 64) -> np.ndarray:
    return np.full((side, side, 4), (*colour, alpha), np.uint8)


def laid(
    sticker: np.ndarray, centre: tuple[float, float], side: float, tilt: float = 0.0, under: int = 0
) -> np.ndarray:
    frame = np.full((100, 120, 3), under, np.uint8)
    Sticker(sticker).lay(frame, np.array(centre), side, tilt)
    return frame


def test_a_red_emoji_is_red_in_opencv_order() -> None:
    assert tuple(laid(plain(RED, 255), (60, 50), 40)[50, 60]) == RED


def test_alpha_mixes_with_what_is_under_it() -> None:
    assert laid(plain(RED, 128), (60, 50), 40, under=100)[50, 60] == pytest.approx([50, 50, 178], abs=2)


def test_transparent_pixels_change_nothing_whatever_their_colour() -> None:
    assert (laid(plain((0, 255, 0), 0), (60, 50), 40, under=77) == 77).all()


def test_no_colour_of_transparent_pixels_bleeds_into_the_rim() -> None:
    sticker = plain((0, 255, 0), 0)
    sticker[16:48, 16:48] = (*RED, 255)
    assert laid(sticker, (60, 50), 31)[..., 1].max() == 0


@pytest.mark.parametrize("side", [10, 33, 64, 90])
def test_size_and_place(side: int) -> None:
    y, x = np.nonzero(laid(plain(RED, 255), (60, 50), side)[..., 2] > 127)
    assert np.ptp(x) + 1 == pytest.approx(side, abs=1) and np.ptp(y) + 1 == pytest.approx(side, abs=1)
    assert (x.mean(), y.mean()) == pytest.approx((60, 50), abs=0.6)


def test_tilt_is_positive_where_the_right_eye_is_lower() -> None:
    sticker = plain(RED, 0)
    sticker[28:36, 56:] = (*RED, 255)  # a mark in the middle of the right edge
    y, x = np.nonzero(laid(sticker, (60, 50), 64, tilt=np.pi / 2)[..., 2] > 127)
    assert (x.mean(), y.mean()) == pytest.approx((60, 50 + 28), abs=1.5)


@pytest.mark.parametrize("centre", [(0, 0), (3, 98), (119, 50), (60, -10), (130, 110)])
def test_what_lies_beyond_the_border_is_cut_off_and_the_rest_stays_in_place(centre: tuple[int, int]) -> None:
    sticker = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (64, 64, 4), np.uint8), (0, 0), 6)
    large = np.zeros((300, 320, 3), np.uint8)
    Sticker(sticker).lay(large, np.array(centre) + 100, 40, 0.4)
    assert np.abs(laid(sticker, centre, 40, 0.4).astype(int) - large[100:200, 100:220]).max() <= 2


def test_an_emoji_wholly_outside_draws_nothing() -> None:
    assert not laid(plain(RED, 255), (500, -200), 40).any()


@pytest.mark.parametrize("box", [(50, 50, 100, 110), (-30, -40, 40, 50), (150, 100, 260, 230), (-80, -80, 300, 300)])
def test_the_whole_overlay_draws_faces_anywhere(box: tuple[int, int, int, int]) -> None:
    overlay = Overlay({"happy": plain(RED, 255), "sad": plain((255, 0, 0), 255)}, height=200)
    corners = np.array(box, float)
    eyes = np.array([[60, 70], [90, 70], [75, 85], [62, 100], [88, 100]], float)
    person = Track(1, corners, eyes, 0.9, probabilities=np.array([0.8, 0.2]))
    frame = np.zeros((200, 220, 3), np.uint8)
    overlay.draw(frame, [person])
    x, y = np.clip((corners[:2] + corners[2:]) / 2, 1, [208, 173]).astype(int)
    assert tuple(frame[y + 25, x + 10]) == RED  # clear of the label
