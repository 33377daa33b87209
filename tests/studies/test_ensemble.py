"""The ensemble's study: soft labels are cross-fitted chances, crops are views of the picture, the chosen view is validation's."""

import numpy as np
import pandas as pd
import pytest

from models.fer.predict import ten_crops
from studies.ensemble import votes
from studies.ensemble.compare import best_view, mean
from studies.ensemble.train import VIEWS, at_own_size, resized


def table_of_votes(path, count, usage="Training"):
    """`count` rows in which the voters are of one mind, which changes from row to row."""
    shares = pd.DataFrame(0, index=range(count), columns=votes.COLUMNS)
    for row in range(count):
        shares.iloc[row, row % 7] = 10
    shares.assign(Usage=usage).to_csv(path, index=False)


def rows_of(count, labels):
    return pd.DataFrame({"origin": [f"fer2013.csv:{line + 2}" for line in range(count)], "label": labels})


def test_chances_follow_the_votes_and_not_the_row_s_own_label(tmp_path):
    table_of_votes(tmp_path / "votes.csv", 140)
    labels = np.arange(140) % 7
    labels[0] = 3  # one wrong label, of which a regression that never saw it knows nothing
    chances = votes.as_labelled(tmp_path / "votes.csv", rows_of(140, labels))
    assert chances.shape == (140, 7) and chances.dtype == np.float32
    assert chances.sum(axis=1) == pytest.approx(np.ones(140), abs=1e-5)
    assert chances[0].argmax() == 0


def test_votes_of_other_rows_are_refused(tmp_path):
    table_of_votes(tmp_path / "votes.csv", 7, usage="PublicTest")
    with pytest.raises(ValueError, match="not those of the face set"):
        votes.as_labelled(tmp_path / "votes.csv", rows_of(7, np.arange(7)))
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="neutral.*missing"):
        votes.as_labelled(tmp_path / "other.csv", rows_of(1, [0]))


def test_ten_crops_show_the_corners_and_their_mirror_images():
    picture = np.zeros((1, 48, 48, 1), np.float32)
    picture[:, :8, :8] = 1.0
    crops = [np.asarray(each)[0, ..., 0] for each in ten_crops(picture)]
    assert len(crops) == 10
    assert crops[0][:6, :6].min() > 0.9 and crops[1][:6, -6:].min() > 0.9
    assert crops[6][:4, :4].max() == 0.0  # the corner at the lower right has lost it


def test_a_teacher_sees_pictures_at_its_own_size():
    seen = []
    words = at_own_size(lambda images: seen.append(images.shape), {"size": 48})
    words(np.zeros((2, 64, 64, 1), np.float32))
    words(np.zeros((2, 48, 48, 1), np.float32))
    assert seen == [(2, 48, 48, 1)] * 2
    assert resized(np.zeros((2, 48, 48, 1), np.uint8), 64).shape == (2, 64, 64, 1)


def test_the_view_is_chosen_on_validation_rows_alone():
    right, wrong = np.eye(7)[[0, 1]], np.eye(7)[[2, 3]]
    words = {f"validation/{view}": right if view == "mirrored" else wrong for view in VIEWS}
    words |= {f"public_test/{view}": wrong if view == "mirrored" else right for view in VIEWS}
    chosen = best_view(words, np.array([0, 1]))
    assert chosen["view"] == "mirrored" and chosen["public_test"] is words["public_test/mirrored"]
    assert mean([chosen, chosen])["public_test"] == pytest.approx(wrong)
