"""Intervals against published values and SciPy, and how often they hold the truth on simulated data."""

import time

import numpy as np
import pytest
from scipy import stats

from metrics.classification import scores_of
from metrics.intervals import cluster_bootstrap, effective_size, stratified_bootstrap, wilson


def overall(counts: np.ndarray) -> np.ndarray:
    return scores_of(counts).overall()


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [  # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_bounds(successes, total, low, high):
    np.testing.assert_allclose(wilson(successes, total), (low, high), atol=5e-5)


def test_wilson_agrees_with_scipy_over_arrays():
    successes, total = np.array([0, 3, 50, 99, 100]), 100
    low, high = wilson(successes, total, confidence=0.9)
    for i, k in enumerate(successes):
        expected = stats.binomtest(int(k), total).proportion_ci(0.9, method="wilson")
        assert (low[i], high[i]) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_nothing_is_unknown():
    assert np.isnan(wilson(0, 0)).all()


@pytest.mark.parametrize(("successes", "total"), [(3, 2), (-1, 2)])
def test_wilson_refuses_what_is_no_proportion(successes, total):
    with pytest.raises(ValueError, match="successes"):
        wilson(successes, total)


def test_confidence_is_a_share_and_not_a_percentage():
    with pytest.raises(ValueError, match="confidence is 95"):
        wilson(1, 2, confidence=95)


def test_effective_size_counts_people_when_each_is_wholly_right_or_wrong():
    right = np.array([10] * 30 + [0] * 30)
    assert effective_size(right, np.full(60, 10)) == pytest.approx(59)  # 60 people, one degree of freedom spent
    assert effective_size(np.full(60, 10), np.full(60, 10)) == 60  # nobody ever wrong: no variance to go by


def test_effective_size_of_independent_trials_is_their_number():
    rng = np.random.default_rng(0)
    sizes = [effective_size(rng.binomial(10, 0.7, 500), np.full(500, 10)) for _ in range(20)]
    assert np.mean(sizes) == pytest.approx(5000, rel=0.06)  # cut at 5,000 from above, so a little less
    assert max(sizes) <= 5000


def test_stratified_bootstrap_agrees_with_scipy():
    """Mean of two proportions: SciPy's BCa of two samples of zeros and ones."""
    first, second = np.repeat([1, 0], [85, 15]), np.repeat([1, 0], [45, 105])
    counts = np.array([[85, 15], [45, 105]])
    low, high = stratified_bootstrap(
        counts, lambda c: (c[..., 0] / c.sum(-1)).mean(-1, keepdims=True), resamples=20000
    )
    expected = stats.bootstrap(
        (first, second),
        lambda a, b, axis: (a.mean(axis) + b.mean(axis)) / 2,
        n_resamples=20000,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=0.004)


def test_cluster_bootstrap_agrees_with_scipy():
    rng = np.random.default_rng(1)
    right = rng.binomial(8, rng.beta(4, 2, 40))  # 40 people, 8 pictures each, some people easier
    low, high = cluster_bootstrap(
        np.stack([right, 8 - right], axis=1), lambda c: (c[..., 0] / c.sum(-1))[..., None], resamples=20000
    )
    expected = stats.bootstrap(
        (right / 8,), np.mean, n_resamples=20000, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=0.005)


def test_the_bootstrap_holds_the_truth_as_often_as_it_says():
    """90 % intervals of balanced accuracy and macro-F1 over 200 samples of a known confusion, 150 rows in 3 classes."""
    rng = np.random.default_rng(2)
    truth = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.05, 0.25, 0.7]])
    sizes = (90, 40, 20)
    expected = overall((truth * np.array(sizes)[:, None])[None])[0]
    held = []
    for seed in range(200):
        sample = np.stack([rng.multinomial(n, p) for n, p in zip(sizes, truth, strict=True)])
        low, high = stratified_bootstrap(sample, overall, confidence=0.9, resamples=500, seed=seed)
        held.append((low <= expected) & (expected <= high))
    share = np.mean(held, axis=0)
    assert (0.84 < share).all() and (share < 0.96).all(), share  # binomial sd of the share: 0.021


def test_no_variation_is_unknown_and_not_a_certainty():
    low, high = stratified_bootstrap(np.diag([5, 5]), overall)
    assert np.isnan(low).all() and np.isnan(high).all()
    assert np.isnan(cluster_bootstrap(np.array([[[3, 1], [2, 2]]]), overall)).all()  # a single person


def test_an_empty_class_and_a_class_of_one_row_are_bearable():
    low, high = stratified_bootstrap(np.array([[8, 2, 0], [0, 0, 0], [0, 0, 1]]), overall)
    assert (0 < low).all() and (high <= 1).all() and (low < high).all()


@pytest.mark.parametrize(
    "counts", [np.zeros((2, 2), int), np.ones((2, 2)), np.array([[1, -1], [0, 1]]), np.array([1, 2])]
)
def test_wrong_counts_are_refused(counts):
    with pytest.raises(ValueError, match="bootstrap needs"):
        stratified_bootstrap(counts, overall)


def test_two_thousand_resamples_of_a_test_split_take_less_than_two_seconds():
    confusion = np.random.default_rng(3).multinomial(3589, np.full(49, 1 / 49)).reshape(7, 7)
    people = np.random.default_rng(4).multinomial(1, np.full(49, 1 / 49), size=3589).reshape(3589, 7, 7)
    for counts, bootstrap in ((confusion, stratified_bootstrap), (people, cluster_bootstrap)):
        start = time.process_time()
        bootstrap(counts, overall, resamples=2000)
        assert time.process_time() - start < 2
