"""Distances between sets of features against their closed forms."""

import numpy as np
import pytest

from metrics.frechet import frechet_distance, kernel_distance

RNG = np.random.default_rng(0)


def test_equal_sets_are_at_no_distance():
    features = RNG.normal(size=(300, 6))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-8)
    other = RNG.normal(size=(2000, 6)), RNG.normal(size=(2000, 6))
    assert abs(kernel_distance(*other)) < 0.05 and frechet_distance(*other) < 0.05


def test_frechet_of_gaussians_is_the_closed_form():
    first = RNG.normal(size=(200_000, 2)) * (1.0, 2.0)
    second = RNG.normal(size=(200_000, 2)) * (3.0, 2.0) + (1.0, -2.0)
    assert frechet_distance(first, second) == pytest.approx(1 + 4 + (3 - 1) ** 2, rel=0.02)


def test_kernel_distance_grows_as_sets_part():
    first = RNG.normal(size=(500, 4))
    near, far = (kernel_distance(first, RNG.normal(size=(500, 4)) + shift) for shift in (0.5, 2.0))
    assert 0 < near < far


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="rows of one length"):
        frechet_distance(np.zeros((5, 3)), np.zeros((5, 4)))
    with pytest.raises(ValueError, match="at least two rows"):
        kernel_distance(np.zeros((1, 3)), np.zeros((5, 3)))
