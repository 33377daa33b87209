"""The drawn emoji: right shape, straight alpha, smooth edges, and seven that differ."""

from itertools import combinations

import numpy as np
import pytest

from data.faceset import EXPRESSIONS
from data.synthetic.action_units import vector
from data.synthetic.emoji import draw_emoji, draw_emoji_of
from data.synthetic.identity import Identity


@pytest.fixture(scope="module")
def emoji() -> dict[str, np.ndarray]:
    return {expression: draw_emoji(expression, 96) for expression in EXPRESSIONS}


def test_a_disc_on_nothing(emoji):
    for picture in emoji.values():
        assert picture.shape == (96, 96, 4) and picture.dtype == np.uint8
        alpha = picture[..., 3]
        assert (alpha[[0, 0, -1, -1], [0, -1, 0, -1]] == 0).all() and (alpha[40:56, 40:56] == 255).all()
        assert abs((alpha / 255).sum() / (np.pi * (0.97 * 48) ** 2) - 1) < 0.01


def test_edges_are_smooth_and_alpha_is_straight(emoji):
    """Half-covered pixels exist, and their colour is that of the disc beside them, not darkened by their alpha."""
    picture = emoji["neutral"].astype(int)
    edge = (picture[..., 3] > 20) & (picture[..., 3] < 128)
    assert edge.sum() > 40
    assert picture[edge][:, 0].min() > 180


def test_all_seven_differ(emoji):
    for one, other in combinations(EXPRESSIONS, 2):
        assert np.abs(emoji[one].astype(int) - emoji[other]).mean() > 2, (one, other)


def test_tints_say_the_mood(emoji):
    def colour(expression: str, row: int) -> np.ndarray:
        return emoji[expression][row, 44:52, :3].mean(axis=0)

    red, green, blue = colour("angry", 8)
    assert red > 1.5 * green
    red, green, blue = colour("disgust", 86)
    assert green > red > blue
    red, green, blue = colour("fear", 8)
    assert blue > red


def test_same_bytes_and_any_size():
    np.testing.assert_array_equal(draw_emoji("sad", 40), draw_emoji("sad", 40))
    assert draw_emoji("sad", 17).shape == (17, 17, 4)


def test_emoji_of_action_units_move_as_faces_do():
    rest, smile, blink = (draw_emoji_of(vector(units), 96).astype(int) for units in ({}, {12: 1}, {45: 1}))
    np.testing.assert_array_equal(rest, draw_emoji("neutral", 96))
    changed = [np.flatnonzero(np.abs(each - rest).sum(axis=(1, 2)) > 500) for each in (smile, blink)]
    assert changed[0].min() > 48 > changed[1].max(), "a smile is below the middle, a blink above"
    thick = draw_emoji_of(vector({}), 96, identity=Identity(age=0.0, brow_arch=0.5, brow_thickness=1.5))
    assert (thick[15:35, :, :3].sum() < rest[15:35, :, :3].sum()) and np.array_equal(thick[60:], rest[60:])


def test_bad_requests_are_named():
    with pytest.raises(ValueError, match="'joy'.*happy"):
        draw_emoji("joy", 64)
    with pytest.raises(ValueError, match="at least 16 pixels, got 4"):
        draw_emoji("happy", 4)
    with pytest.raises(ValueError, match="action unit 1: intensity 2"):
        draw_emoji_of(np.full(17, 2.0), 64)
