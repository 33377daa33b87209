"""Emoji placed as portraits: eyes and mouth where those of cut faces are, on white, the same bytes from the same seed."""

import numpy as np
import pytest

from data.alignment import CANONICAL
from data.contact_sheet import over_white
from data.emoji_portrait import disc, draw_portraits, portrait
from data.faceset import EXPRESSIONS, conform
from data.synthetic.emoji import draw_emoji, eyes_and_mouth


@pytest.fixture(scope="module")
def drawn() -> list:
    return list(draw_portraits(3, 2, 48, 0.1, workers=1))


def test_every_person_has_each_expression(drawn):
    table = conform([row for _, row in drawn])
    assert table["label"].tolist() == [*range(7), *range(7)]
    assert table["subject"].nunique() == 2 and table["maker"].eq("drawn").all()
    assert all(image.shape == (48, 48, 3) and image.dtype == np.uint8 for image, _ in drawn)


def test_people_and_seeds_differ_and_a_seed_repeats_itself(drawn):
    first, second = drawn[0][0].astype(int), drawn[7][0].astype(int)
    assert np.abs(first - second).max() > 30  # the same expression of another person
    again, other = (next(draw_portraits(seed, 1, 48, 0.1, workers=1))[0] for seed in (3, 4))
    np.testing.assert_array_equal(again, drawn[0][0])
    assert (other != again).any()


@pytest.mark.parametrize("margin", [0.0, 0.1, 0.5])
def test_eyes_lie_as_far_apart_as_those_of_faces_and_the_face_in_the_middle_of_them(margin):
    size = 256
    eyes, mouth = eyes_and_mouth()
    white = np.full((512, 512, 3), 255, np.uint8)
    for point, colour in ((eyes, 0), (eyes * (-1, 1), 0), (mouth, 1)):
        column, row = np.rint((point + 1) / 2 * 512).astype(int)
        white[row - 5 : row + 6, column - 5 : column + 6] = np.eye(3)[colour] * 255
    placed = portrait(white, size, margin).astype(int)
    red = np.argwhere((placed[..., 0] > 200) & (placed[..., 1] < 100))
    green = np.argwhere((placed[..., 1] > 200) & (placed[..., 0] < 100))
    faces = ((CANONICAL - 0.5) / (1 + margin) + 0.5) * size
    left, right = (red[side(red[:, 1] - size / 2)].mean(axis=0) for side in (lambda x: x < 0, lambda x: x > 0))
    np.testing.assert_allclose([left[1], right[1]], faces[:2, 0], atol=2)
    np.testing.assert_allclose((left[0] + green[:, 0].mean()) / 2, (faces[0, 1] + faces[3, 1]) / 2, atol=2)


def test_the_disc_is_where_the_head_is():
    placed = portrait(over_white(draw_emoji(EXPRESSIONS[3], 256)), 128, 0.1)
    head = (placed.astype(int).sum(axis=2) < 700)
    inside = disc(128, 0.1) > 127
    assert (head & inside).sum() / (head | inside).sum() > 0.9
