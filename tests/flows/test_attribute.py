"""What SAN's stages hide: which faces tell it, in grey, and with which prototypes each is shown; what lacks is named."""

import numpy as np
import pandas as pd
import pytest

from data.faceset import EXPRESSIONS, FaceSet, conform
from flows.attribute import Prototypes, labels_of, landmarks_of, telling
from flows.grey import Grey, grey

LANDMARKS = np.array([[4.0, 5], [11, 5], [7, 8], [5, 12], [10, 12]])


def faces(rows: list[dict], channels: int = 1) -> FaceSet:
    images = np.random.default_rng(0).integers(0, 256, (len(rows), 16, 16, channels), np.uint8)
    return FaceSet(images, conform(pd.DataFrame(rows).assign(id=[f"{n:032x}" for n in range(len(rows))])))


def test_only_faces_that_tell_are_taken_of_any_split():
    rows = [{"split": split, "gender": gender} for split in ("train", "test") for gender in (0, None, 1)]
    known = telling(faces(rows), "gender")
    assert known.table["split"].tolist() == ["train"] * 2 + ["test"] * 2
    assert labels_of(known, "gender").tolist() == [0, 1, 0, 1] and labels_of(known, "gender").dtype == np.int32


def test_faces_that_do_not_tell_name_the_setting_and_what_they_do_tell():
    with pytest.raises(ValueError, match="tells its gender, which san.attribute names: set san.attribute to label"):
        telling(faces([{"split": "train", "label": 3}]), "gender")
    with pytest.raises(ValueError, match="tells its label, which san.attribute names: take a source that tells it"):
        telling(faces([{"split": "train"}]), "label")


def test_a_class_without_a_training_face_is_named():
    with pytest.raises(ValueError, match=r"no training face is of gender woman \(san.attribute\)"):
        telling(faces([{"split": "train", "gender": 1}, {"split": "test", "gender": 0}]), "gender")
    rows = [{"split": "train", "label": label} for label in range(7) if EXPRESSIONS[label] not in ("fear", "sad")]
    with pytest.raises(ValueError, match="of label fear, sad"):
        telling(faces(rows), "label")


def test_colour_becomes_grey_when_looked_at_and_grey_stays_as_it_is():
    plain, coloured = faces([{}] * 3).images, faces([{}] * 3, channels=3).images
    assert grey(plain) is plain
    seen = grey(coloured)
    assert isinstance(seen, Grey) and seen.shape == (3, 16, 16, 1) and len(seen) == 3
    expected = coloured @ [0.299, 0.587, 0.114]
    for rows in (np.array([2, 0]), slice(1, 3)):
        np.testing.assert_allclose(seen[rows][..., 0], expected[rows], atol=0.51)
    assert seen[np.array([], int)].shape == (0, 16, 16, 1)


@pytest.fixture
def made():
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (7, 16, 16, 3), np.uint8), rng.integers(0, 256, (16, 16, 3), np.uint8)


def test_a_face_is_shown_with_its_own_class_the_neutral_one_and_the_next(made):
    own, shown = Prototypes(*made, None).shown_to(faces([{}] * 3), np.array([0, 5, 6]))
    np.testing.assert_array_equal(own, made[0][[0, 5, 6]])
    np.testing.assert_array_equal(shown["sm"], own)
    np.testing.assert_array_equal(shown["op"], made[0][[1, 6, 0]])
    assert (shown["nt"] == made[1]).all() and shown["nt"].shape == own.shape


def test_with_landmarks_they_are_laid_over_each_face(made):
    table = [{"landmarks": LANDMARKS.ravel()}, {"landmarks": (LANDMARKS + [2, -1]).ravel()}]
    prototypes = Prototypes(*made, LANDMARKS)
    own, shown = prototypes.shown_to(faces(table), np.array([2, 2]))
    np.testing.assert_array_equal(own[0], made[0][2])
    np.testing.assert_array_equal(own[1, :15, 2:], made[0][2][1:, :14])
    np.testing.assert_array_equal(shown["op"][0], made[0][3])
    np.testing.assert_array_equal(prototypes.for_training(faces(table))[np.array([1])][0, 2], own[1])
    assert Prototypes(*made, None).for_training(faces(table)) is made[0]


def test_faces_without_landmarks_name_the_setting():
    with pytest.raises(ValueError, match="1 of 2 faces have no landmarks.*san.aligned to false"):
        landmarks_of(faces([{"landmarks": LANDMARKS.ravel()}, {}]))
