"""Cut-outs: a drawn emoji laid over a plain colour is cut out as it was, holes and edge too."""

import numpy as np
import pytest

from data.cutout import cut_out
from data.faceset import EXPRESSIONS
from data.synthetic.emoji import draw_emoji


def laid_over(emoji: np.ndarray, colour: tuple[int, int, int], border: int = 8) -> np.ndarray:
    alpha = emoji[..., 3:] / 255
    flat = np.rint(emoji[..., :3] * alpha + np.array(colour) * (1 - alpha)).astype(np.uint8)
    sheet = np.full((emoji.shape[0] + 2 * border,) * 2 + (3,), colour, np.uint8)
    sheet[border:-border, border:-border] = flat
    return sheet


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize("colour", [(255, 255, 255), (40, 90, 160)])
def test_a_drawn_emoji_comes_out_as_it_was(expression, colour):
    emoji = draw_emoji(expression, 112)
    found = cut_out(laid_over(emoji, colour), 128)[8:-8, 8:-8]
    true, alpha = (each[..., 3] / 255 for each in (emoji, found))
    overlap = np.minimum(true, alpha).sum() / np.maximum(true, alpha).sum()
    assert overlap > 0.97
    inside = true == 1
    assert alpha[inside].mean() > 0.995  # teeth and the white of the eyes too
    assert np.abs(found[inside][:, :3].astype(int) - emoji[inside][:, :3]).mean() < 5


def test_the_edge_is_soft_and_has_no_rim_of_the_background():
    found = cut_out(laid_over(draw_emoji("happy", 112), (0, 0, 255)), 128)
    edge = (found[..., 3] > 60) & (found[..., 3] < 200)
    assert edge.sum() > 50
    assert (found[edge][:, 2] < 140).mean() > 0.9  # yellow, not blue


def test_a_shadow_beside_the_head_does_not_come_along():
    sheet = laid_over(draw_emoji("neutral", 112), (230, 230, 230))
    with_shadow = sheet.copy()
    with_shadow[2:30, 16:50] = np.minimum(with_shadow[2:30, 16:50], 150)
    alpha, wanted = (cut_out(each, 128)[..., 3] / 255 for each in (with_shadow, sheet))
    assert np.abs(alpha - wanted).mean() < 0.02


def test_a_small_picture_is_enlarged():
    assert cut_out(laid_over(draw_emoji("sad", 28), (255, 255, 255), 2), 256).shape == (256, 256, 4)


def test_an_empty_picture_is_refused():
    with pytest.raises(ValueError, match=r"no head stands out from the background \(9, 9, 9\)"):
        cut_out(np.full((32, 32, 3), 9, np.uint8), 64)
    with pytest.raises(ValueError, match="uint8 RGB is needed"):
        cut_out(np.zeros((32, 32, 4), np.uint8), 64)
