"""Calibration: errors done by hand, a known temperature found again, a picture of what was planted."""

import cv2
import numpy as np
import pytest

from metrics.calibration import (
    expected_calibration_error,
    fit_temperature,
    reliability,
    tempered,
)
from metrics.reliability_plot import reliability_picture


def drawn(count=20_000, temperature=1.0, seed=0):
    """Labels drawn from probabilities, and what is said instead: those with their logits times `temperature`."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.ones(5), count)
    labels = (truth.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
    return np.minimum(labels, 4), tempered(truth, 1 / temperature)


def test_the_error_is_the_weighted_distance_of_the_bins():
    probabilities = np.array([[0.85, 0.15], [0.85, 0.15], [0.85, 0.15], [0.65, 0.35]])
    labels = np.array([0, 0, 1, 1])
    by_hand = 3 / 4 * abs(2 / 3 - 0.85) + 1 / 4 * abs(0 - 0.65)
    assert expected_calibration_error(labels, probabilities, bins=10) == pytest.approx(by_hand)
    found = reliability(labels, probabilities, bins=10)
    assert found.counts.tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 3, 0]
    assert found.accuracy[8] == pytest.approx(2 / 3) and np.isnan(found.confidence[0])


def test_honest_probabilities_have_hardly_an_error_and_a_temperature_of_one():
    labels, said = drawn()
    assert expected_calibration_error(labels, said) < 0.02
    assert fit_temperature(labels, said) == pytest.approx(1, abs=0.05)


def test_the_temperature_mends_other_rows_and_changes_no_winner():
    labels, said = drawn(temperature=2.5)
    found = fit_temperature(labels, said)
    assert found == pytest.approx(2.5, rel=0.05)
    others, theirs = drawn(temperature=2.5, seed=1)
    mended = tempered(theirs, found)
    assert expected_calibration_error(others, mended) < 0.02 < 0.1 < expected_calibration_error(others, theirs)
    np.testing.assert_array_equal(mended.argmax(axis=1), theirs.argmax(axis=1))
    np.testing.assert_allclose(mended.sum(axis=1), 1)


def test_the_picture_shows_a_bar_of_its_bin(tmp_path):
    labels, said = drawn(temperature=2.5)
    reliability_picture({"validation": reliability(labels, said)}, tmp_path / "picture.png")
    picture = cv2.imread(str(tmp_path / "picture.png"))
    assert picture is not None and (picture[..., 0].astype(int) - picture[..., 2] > 60).mean() > 0.1  # blue bars


def test_rows_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="some rows"):
        expected_calibration_error(np.array([0, 1]), np.ones((3, 2)) / 2)
