"""SSIM against scikit-image's, which gives the authors' figures with these settings."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from metrics.ssim import ssim


def pictures(seed: int, shape: tuple[int, ...] = (3, 24, 30, 1)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_it_is_the_authors_figure():
    first = pictures(0)
    second = np.clip(first + np.random.default_rng(1).normal(0, 30, first.shape), 0, 255).astype(np.uint8)
    expected = [
        structural_similarity(x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)
        for x, y in zip(first[..., 0], second[..., 0])
    ]
    np.testing.assert_allclose(ssim(first, second), expected, atol=1e-6)


def test_equal_pictures_have_one_and_noise_next_to_nothing():
    np.testing.assert_allclose(ssim(pictures(0), pictures(0)), 1)
    assert abs(ssim(pictures(0), pictures(1))).max() < 0.2


def test_pictures_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"\(1, 24, 24, 3\)"):
        ssim(*[pictures(0, (1, 24, 24, 3))] * 2)
    with pytest.raises(ValueError, match="11 pixels a side"):
        ssim(*[pictures(0, (1, 10, 24, 1))] * 2)
