"""Verification figures: scores and pairs by hand, known rates, and intervals that cover what they should."""

import numpy as np
import pytest
from scipy.stats import norm

from metrics.roc import area, equal_error_rate, roc_curve
from metrics.verification import _grouped, _weighted_curve, class_figures, figures, pair_scores, pairs


def test_scores_of_pairs_by_hand_and_both_kinds_order_alike():
    first, second = np.array([[0.0, 0], [3, 4], [1, 1]]), np.array([[0.0, 0], [0, 0], [1, 2]])
    np.testing.assert_allclose(pair_scores(first, second, "similarity"), [1, 1 / 26, 1 / 2])
    np.testing.assert_allclose(pair_scores(first, second, "distance"), [0, -5, -1])
    with pytest.raises(ValueError, match="expected 'similarity'"):
        pair_scores(first, second, "cosine")
    with pytest.raises(ValueError, match=r"\(3, 2\) and \(2, 2\)"):
        pair_scores(first, second[:2], "distance")


def test_pairs_are_all_genuine_ones_and_so_many_distinct_impostors():
    subjects = np.array(["a", "b", "a", "c", "a", "b"])
    rows, genuine = pairs(subjects, 9)
    assert sorted(map(tuple, rows[genuine])) == [(0, 2), (0, 4), (1, 5), (2, 4)]
    impostors = rows[~genuine]
    assert len({tuple(pair) for pair in impostors}) == 9
    assert (subjects[impostors[:, 0]] != subjects[impostors[:, 1]]).all()
    np.testing.assert_array_equal(pairs(subjects, 9)[0], rows)
    with pytest.raises(ValueError, match="expected 1 to 11"):
        pairs(subjects, 12)
    with pytest.raises(ValueError, match="nobody among 3 pictures has two"):
        pairs(np.arange(3), 1)


def test_figures_of_two_normals_and_their_intervals():
    rng = np.random.default_rng(0)
    genuine = np.repeat([True, False], [400, 1200])
    found = figures(genuine, rng.normal(size=1600) + 2 * genuine, resamples=400)
    truth = {"auc": norm.cdf(2 / np.sqrt(2)), "eer": norm.cdf(-1), "tmr_at_1_percent": norm.sf(norm.isf(0.01) - 2)}
    for name, value in truth.items():
        assert found[name].low < value < found[name].high
        assert found[name].low < found[name].value < found[name].high
    assert found["auc"].high - found["auc"].low < 0.04
    assert found["tmr_at_0.1_percent"].value <= found["tmr_at_1_percent"].value


def test_counting_rows_several_times_is_repeating_them():
    rng = np.random.default_rng(0)
    scores, genuine, times = rng.integers(0, 9, 40) / 3, rng.random(40) < 0.5, rng.integers(0, 4, 40)
    curve = _weighted_curve(_grouped(genuine, scores), times)
    repeated = roc_curve(genuine.repeat(times), scores.repeat(times))
    kept = np.isin(curve.thresholds, repeated.thresholds)
    np.testing.assert_allclose(curve.fpr[kept], repeated.fpr)
    np.testing.assert_allclose(curve.tpr[kept], repeated.tpr)


def test_pairs_that_share_people_say_less():
    """Ten people with pairs of equal scores each: drawing people gives wider intervals than drawing pairs."""
    rng = np.random.default_rng(1)
    level = np.arange(10)
    person = level.repeat(20)
    stranger = rng.integers(0, 10, (400, 2))
    stranger = stranger[stranger[:, 0] != stranger[:, 1]]
    people = np.concatenate([np.stack([person, person], axis=1), stranger])
    genuine = np.arange(len(people)) < 200
    scores = np.where(genuine, rng.normal(0.6, 1, 10)[people[:, 0]], rng.normal(size=len(people)))
    plain, clustered = (figures(genuine, scores, each, resamples=300)["auc"] for each in (None, people))
    assert plain.value == clustered.value
    assert clustered.high - clustered.low > 1.5 * (plain.high - plain.low)


def test_an_attribute_of_two_classes_is_read_by_the_second_and_of_more_by_each():
    rng = np.random.default_rng(2)
    labels, people = np.arange(90) % 3, np.arange(90)
    scores = rng.normal(size=(90, 3)) + 1.5 * np.eye(3)[labels]
    curves = [roc_curve(labels == k, scores[:, k]) for k in range(3)]
    found = class_figures(labels, scores, people, resamples=100)
    assert found["auc"].value == pytest.approx(np.mean([area(curve) for curve in curves]))
    assert found["eer"].value == pytest.approx(np.mean([equal_error_rate(curve) for curve in curves]))
    assert found["auc"].low < found["auc"].value < found["auc"].high
    two = class_figures(labels % 2, scores[:, :2], people, resamples=100)
    assert two["auc"].value == pytest.approx(area(roc_curve(labels % 2 == 1, scores[:, 1])))
    # Pictures of few people say less than as many of many.
    few = class_figures(np.arange(90) % 6 % 2, scores[:, :2], np.arange(90) % 6, resamples=200)["auc"]
    many = class_figures(np.arange(90) % 6 % 2, scores[:, :2], people, resamples=200)["auc"]
    assert few.value == many.value and (few.low, few.high) != (many.low, many.high)
    with pytest.raises(ValueError, match="all 90 faces are of one class"):
        class_figures(np.zeros(90, int), scores, people)


def test_perfect_scores_and_wrong_input():
    found = figures(np.array([True, False] * 5), np.array([1.0, 0.0] * 5), resamples=50)
    assert (found["auc"].value, found["eer"].value, found["tmr_at_1_percent"].as_dict()["low"]) == (1, 0, 1)
    with pytest.raises(ValueError, match="positive and negative rows"):
        figures(np.ones(3, bool), np.arange(3.0))
