"""Letters on pictures: large enough to read, in several faces, told how far a caption moved the picture."""

import cv2
import numpy as np
import pytest

from data.synthetic.raw import lettering
from data.synthetic.raw.lettering import HERSHEY, letter, write


@pytest.mark.parametrize("font", [None, *HERSHEY])
@pytest.mark.parametrize("height", [10, 24])
def test_capitals_are_as_high_as_asked(font, height):
    page = write("HEN", height, font, 1)
    rows = np.flatnonzero(page.max(axis=1) > 100)
    assert abs(rows[-1] - rows[0] + 1 - height) <= 3
    assert np.flatnonzero(page.max(axis=0) > 100).size > 1.2 * height


@pytest.mark.parametrize("shape", [(90, 60), (120, 200), (500, 340)])
def test_text_shows_and_is_readable(shape):
    picture = np.full((*shape, 3), 128, np.uint8)
    picture[::2, ::3] += 9
    before = picture.copy()
    for seed in range(25):
        lettered, down = letter(np.random.default_rng(seed), picture)
        assert np.array_equal(picture, before)
        added = lettered.shape[0] - shape[0]
        assert lettered.shape[1] == shape[1] and down in (0, added)
        kept = lettered[down:down + shape[0]]
        if added:
            assert np.array_equal(kept, picture), "a caption stands beside the picture, not on it"
            bar = lettered[:added] if down else lettered[-added:]
            ink = np.abs(bar.astype(int) - bar[0, 0]).max(axis=2) > 60
        else:
            ink = np.abs(kept.astype(int) - picture).max(axis=2) > 40
        found, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(ink.astype(np.uint8), np.ones((3, 3))))
        assert found > 1
        assert stats[1:, cv2.CC_STAT_HEIGHT].max() >= 0.75 * lettering.SMALLEST * max(shape), f"seed {seed}"


def test_same_numbers_same_letters():
    picture = np.full((150, 200, 3), 90, np.uint8)
    assert np.array_equal(letter(np.random.default_rng(4), picture)[0], letter(np.random.default_rng(4), picture)[0])
