"""Hidden eyes and mouths are told from open ones; the weights are small, plain arrays that can be made again."""

import math

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from data.alignment import cut, upright
from data.cleaning import covered
from data.cleaning.learn_covered import examples, learn
from data.cleaning.look import Look
from data.synthetic import draw
from data.synthetic.raw.occlusion import cover


def look(face: np.ndarray | None) -> Look:
    boxes, scores, points = np.zeros((1, 4), np.float32), np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32)
    return Look(np.zeros((8, 8, 3), np.uint8), boxes, scores, points, None if face is None else 0, face)


def face(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    return cut(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), upright(points, 64, 0.25), 64)


@pytest.fixture(scope="module")
def drawn() -> list[tuple[np.ndarray, np.ndarray]]:
    return [(image, np.array(row["landmarks"]).reshape(5, 2)) for image, row in draw(seed=21, count=60, size=128)]


def test_open_faces_of_all_expressions_are_told_from_covered_ones(drawn):
    rng = np.random.default_rng(0)
    bare = np.array([covered.measure(look(face(*each))) for each in drawn])
    hidden = np.array([covered.measure(look(face(cover(rng, *each)[0], each[1]))) for each in drawn])
    assert (bare < 0.5).mean() > 0.9 and (hidden > 0.5).mean() > 0.9


@pytest.mark.parametrize("kind", ["sunglasses", "hand_on_eyes", "mask", "hand_on_mouth"])
def test_each_cover_makes_it_likelier(drawn, kind):
    rng = np.random.default_rng(1)
    rises = [covered.measure(look(face(cover(rng, image, points, kind)[0], points)))
             - covered.measure(look(face(image, points))) for image, points in drawn[:12]]
    assert np.median(rises) > 0.5


def test_without_a_face_nothing_is_known():
    assert math.isnan(covered.measure(look(None)))


def test_a_face_that_was_not_turned_upright_is_not_judged(drawn):
    assert math.isnan(covered.measure(Look(drawn[0][0], None, None, None, None, face(*drawn[0]))))


def test_the_weights_are_plain_numbers_and_small():
    assert covered.WEIGHTS.stat().st_size < 200_000
    with np.load(covered.WEIGHTS, allow_pickle=False) as arrays:
        assert arrays["weights"].shape == (len(covered.PARTS), len(covered.features(np.zeros((64, 64), np.uint8))))
        assert arrays["bias"].shape == (len(covered.PARTS),)


def test_examples_are_the_same_each_time_and_differ_by_person():
    first, again, other = (list(examples(5, number)) for number in (0, 0, 1))
    assert [part for _, part in first] == ["", "", *covered.PARTS]
    assert all(np.array_equal(one, two) for (one, _), (two, _) in zip(first, again, strict=True))
    assert not np.array_equal(first[0][0], other[0][0])


def test_what_is_learnt_tells_examples_of_other_people():
    weights, bias = learn(5, 40)
    seen, parts = zip(*(example for number in range(100, 120) for example in examples(5, number)), strict=True)
    odds = np.stack([covered.features(image) for image in seen]) @ weights.T + bias
    for column, part in enumerate(covered.PARTS):
        assert roc_auc_score(np.array(parts) == part, odds[:, column]) > 0.85
