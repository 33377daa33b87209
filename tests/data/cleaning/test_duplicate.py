"""Copies are found however they were changed, other pictures of the same person are none, and test pictures stay."""

import cv2
import numpy as np
import pandas as pd
import pytest

from data.cleaning import duplicate
from data.cleaning.look import Look
from data.faceset import content_id
from data.letterbox import letterbox
from data.synthetic import draw

LIMIT = 0.1


@pytest.fixture(scope="module")
def faces() -> list[np.ndarray]:
    """Forty pictures of four people, 96×72."""
    return [image[:, 12:-12] for image, _ in draw(seed=5, count=40, size=96)]


def distances(pictures: list[np.ndarray], splits: list[str] | None = None) -> np.ndarray:
    images = [letterbox(picture, 128, 3) for picture in pictures]
    table = pd.DataFrame({"id": [content_id(image) for image in images], "split": splits or ["train"] * len(images)})
    descriptions = np.stack([duplicate.describe(Look(image, None, None, None, None, None)) for image in images])
    return duplicate.measure(descriptions, table, 0)


def compressed(image: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_COLOR)


CHANGES = {
    "compressed": compressed,
    "smaller": lambda image: cv2.resize(image, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
    "larger": lambda image: cv2.resize(image, None, fx=1.7, fy=1.7, interpolation=cv2.INTER_CUBIC),
    "brighter": lambda image: cv2.convertScaleAbs(image, alpha=1.15, beta=10),
    "darker": lambda image: cv2.convertScaleAbs(image, alpha=0.7),
    "grey": lambda image: cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    "mirrored": lambda image: image[:, ::-1],
    "trimmed": lambda image: image[2:-1, 1:-1],
    "all at once": lambda image: compressed(cv2.convertScaleAbs(image[2:-1, ::-1][:, 1:-1], alpha=1.1)),
}


def test_pictures_of_the_same_person_are_no_copies(faces):
    assert not (distances(faces) < LIMIT).any()


@pytest.mark.parametrize("name", CHANGES)
def test_changed_copies_are_found(faces, name):
    distance = distances(faces + [CHANGES[name](image) for image in faces])
    assert not (distance[:40] < LIMIT).any()
    assert (distance[40:] < LIMIT).all() and (distance[40:] > 0).all()


def test_exact_copies_are_at_no_distance(faces):
    distance = distances([faces[0], faces[1], faces[0], faces[1], faces[0]])
    assert distance[2:].tolist() == [0, 0, 0] and not (distance[:2] < LIMIT).any()


def test_test_goes_before_validation_and_validation_before_train(faces):
    one, two, three = faces[0], compressed(faces[0]), faces[0][:, ::-1]
    marked = distances([one, two, three], ["train", "validation", "public_test"]) < LIMIT
    assert marked.tolist() == [True, True, False]
    assert (distances([one, one], ["train", "validation"]) == 0).tolist() == [True, False]
    assert (distances([one, one, one], ["train", "test", "train"]) == 0).tolist() == [True, False, True]


def test_copies_are_found_across_blocks(faces, monkeypatch):
    pictures = faces + [CHANGES["mirrored"](image) for image in reversed(faces)]
    whole = distances(pictures)
    monkeypatch.setattr(duplicate, "ROWS", 7)
    monkeypatch.setattr(duplicate, "COLUMNS", 11)
    np.testing.assert_allclose(distances(pictures), whole, atol=1e-6)
    assert (whole[40:] < LIMIT).all()


def test_pictures_with_nothing_on_them_are_copies_only_if_equal():
    noise = np.random.default_rng(0).normal(0, 1, (3, 64, 64, 3))
    blank = [np.clip(120 + each, 0, 255).astype(np.uint8) for each in noise]
    black = np.zeros((64, 64, 3), np.uint8)
    distance = distances([*blank, black, black])
    assert np.isnan(distance[:4]).all() and distance[4] == 0


def test_letterbox_bars_make_no_pictures_alike():
    rng = np.random.default_rng(1)
    tall = [cv2.resize(rng.integers(0, 256, (8, 3, 3), np.uint8), (36, 96)) for _ in range(6)]
    assert not (distances(tall) < LIMIT).any()


def test_no_picture_and_one_picture(faces):
    assert np.isnan(distances(faces[:1])).all()
    none = pd.DataFrame({"id": pd.Series(dtype="str"), "split": pd.Series(dtype="str")})
    assert duplicate.measure(np.empty((0, 1024), np.uint8), none, 0).shape == (0,)
