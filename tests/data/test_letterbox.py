"""Letterboxing keeps proportions, pixels that already fit, and the place of points."""

import numpy as np
import pytest

from data.letterbox import letterbox, letterbox_points


def test_a_fitting_picture_keeps_its_pixels():
    image = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    assert np.array_equal(letterbox(image, 48, 1)[..., 0], image)
    assert np.array_equal(letterbox(letterbox(image, 48, 3), 48, 1)[..., 0], image)


@pytest.mark.parametrize("shape, bright", [((40, 20, 3), (20, 10)), ((5, 10, 1), (10, 20)), ((1, 1000), (1, 20))])
@pytest.mark.parametrize("channels", [1, 3])
def test_proportions_are_kept_between_black_bars(shape, bright, channels):
    square = letterbox(np.full(shape, 200, np.uint8), 20, channels)
    assert square.shape == (20, 20, channels)
    rows, columns = np.nonzero(square[..., 0] > 100)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == bright
    assert set(np.unique(square)) == {0, 200}


def test_shrinking_averages():
    board = np.indices((64, 64)).sum(axis=0) % 2 * 200  # a checker board of single pixels
    assert np.abs(letterbox(board.astype(np.uint8), 16, 1).astype(int) - 100).max() <= 1


def test_points_move_with_the_picture():
    image = np.zeros((90, 60, 3), np.uint8)
    image[57:63, 27:33] = 255
    square = letterbox(image, 45, 3)
    rows, columns = np.nonzero(square[..., 0] > 128)
    (x, y), = letterbox_points(np.array([[30, 60]]), (90, 60), 45)
    assert abs(x - columns.mean() - 0.5) < 0.6 and abs(y - rows.mean() - 0.5) < 0.6
