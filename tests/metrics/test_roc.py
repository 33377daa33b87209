"""ROC figures with known answers: separable, random, tied, and a worked verification example."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from metrics.roc import area, corners, equal_error_rate, one_against_rest, roc_curve, tmr_at


def test_separable_scores_are_perfect_and_reversed_ones_perfectly_wrong():
    truth = np.array([False, False, True, True])
    right, wrong = roc_curve(truth, np.array([0.1, 0.2, 0.8, 0.9])), roc_curve(truth, np.array([0.9, 0.8, 0.2, 0.1]))
    assert (area(right), equal_error_rate(right), tmr_at(right, 0.0)) == (1, 0, 1)
    assert (area(wrong), equal_error_rate(wrong), tmr_at(wrong, 0.01)) == (0, 1, 0)


def test_constant_scores_know_nothing():
    curve = roc_curve(np.array([True, False, True, False]), np.zeros(4))
    assert (area(curve), equal_error_rate(curve), tmr_at(curve, 0.99)) == (0.5, 0.5, 0)


def test_a_worked_verification_example():
    """Ten genuine and ten impostor comparisons, counted by hand."""
    genuine = [0.95, 0.9, 0.85, 0.8, 0.7, 0.65, 0.6, 0.55, 0.4, 0.2]
    impostor = [0.75, 0.5, 0.45, 0.35, 0.3, 0.25, 0.15, 0.1, 0.05, 0.01]
    curve = roc_curve(np.repeat([True, False], 10), np.array(genuine + impostor))
    assert tmr_at(curve, 0.0) == 0.4  # above the best impostor, 0.75: four genuine
    assert tmr_at(curve, 0.1) == tmr_at(curve, 0.19) == 0.8  # one impostor let in: down to 0.55
    assert tmr_at(curve, 0.3) == 0.9
    assert tmr_at(curve, 1.0) == 1
    assert equal_error_rate(curve) == pytest.approx(0.2)  # at 0.5: 2 of 10 impostors in, 2 of 10 genuine out


def test_equal_error_rate_of_two_normals():
    """N(0, 1) and N(2, 1): EER is the normal tail beyond 1, 0.1587."""
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(size=40000), rng.normal(2, size=40000)])
    assert equal_error_rate(roc_curve(np.repeat([False, True], 40000), scores)) == pytest.approx(0.1587, abs=0.003)


def test_tied_scores_are_one_operating_point():
    """A tie of one positive with two negatives is taken or left as a whole, and its slope is no operating point."""
    curve = roc_curve(np.array([True, True, False, False]), np.array([0.9, 0.5, 0.5, 0.5]))
    assert tmr_at(curve, 0.5) == 0.5
    assert len(curve.fpr) == 3


def test_one_against_rest_and_corners_keep_the_area():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 300)
    probabilities = rng.dirichlet(np.ones(4), 300)
    probabilities[np.arange(300), labels] += 0.3
    curves = one_against_rest(labels, probabilities, ("a", "b", "c", "absent"))
    assert list(curves) == ["a", "b", "c"]
    for k, curve in enumerate(curves.values()):
        assert area(curve) == pytest.approx(roc_auc_score(labels == k, probabilities[:, k]))
        assert area(corners(curve)) == pytest.approx(area(curve))
        assert len(corners(curve).fpr) < len(curve.fpr)


@pytest.mark.parametrize(
    ("truth", "scores", "message"),
    [
        ([True, True], [0.1, 0.2], "positive and negative rows; there are 2 of 2"),
        ([True, False], [0.1, np.nan], "1 scores are NaN"),
        ([True, False], [0.1], r"\(2,\) and \(1,\)"),
    ],
)
def test_wrong_input_is_named(truth, scores, message):
    with pytest.raises(ValueError, match=message):
        roc_curve(np.array(truth), np.array(scores))


def test_a_percentage_is_no_false_match_rate():
    curve = roc_curve(np.array([True, False]), np.array([1.0, 0.0]))
    with pytest.raises(ValueError, match="not 5"):
        tmr_at(curve, 5)
