"""Single-image Fréchet distance: zero for equals, by hand for known features, blind to where things are, refusals."""

import numpy as np
import pytest

from metrics.sifid import colour_patches, sifid

RNG = np.random.default_rng(0)
PICTURES = RNG.uniform(-1, 1, (3, 9, 8, 3)).astype(np.float32)


def pixels(pictures):
    return pictures


def test_a_picture_is_no_distance_from_itself():
    np.testing.assert_allclose(sifid(PICTURES, PICTURES, colour_patches), 0, atol=1e-6)


def test_a_shift_of_all_features_counts_by_its_square():
    np.testing.assert_allclose(sifid(PICTURES, PICTURES + np.float32(0.5), pixels), 3 * 0.25, rtol=1e-4)


def test_places_are_samples_so_that_mirroring_changes_nothing_and_noise_does():
    mirrored = PICTURES[:, :, ::-1]
    np.testing.assert_allclose(sifid(PICTURES, mirrored, pixels), 0, atol=1e-6)
    smooth = np.broadcast_to(np.linspace(-1, 1, 8)[:, None], (1, 9, 8, 3)).astype(np.float32)
    noisy = smooth + RNG.normal(0, 0.2, smooth.shape).astype(np.float32)
    assert sifid(smooth, noisy, colour_patches)[0] > 0.1


def test_one_real_picture_serves_for_many():
    many = sifid(PICTURES[0], PICTURES, pixels)
    assert many.shape == (3,) and many[0] == pytest.approx(0, abs=1e-6) and many[1] > 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="expected one for each or for all"):
        sifid(PICTURES[:2], PICTURES, pixels)
    with pytest.raises(ValueError, match="expected .3, h, w, D."):
        sifid(PICTURES, PICTURES, lambda pictures: pictures.mean(axis=(1, 2)))
