"""Each feature of a batch is what OpenCV or scikit-image makes of each picture."""

import time

import cv2
import numpy as np
import pytest
from skimage.exposure import rescale_intensity
from skimage.feature import hog, local_binary_pattern

from data.features import FEATURES, hog_vectors
from data.synthetic import draw

HOG = {"orientations": 9, "pixels_per_cell": (8, 8), "cells_per_block": (2, 2), "block_norm": "L2-Hys"}


def clahe(tiles):
    return cv2.createCLAHE(clipLimit=5, tileGridSize=(tiles, tiles)).apply


def lbp_var(image):
    variance = local_binary_pattern(image, 8, 1, "var")
    return np.where(np.isnan(variance), 0, np.rint(2 * np.sqrt(np.abs(variance))))


EXPECTED = {
    "none": lambda image: image,
    "equalise": cv2.equalizeHist,
    "clahe_5_4": clahe(4),
    "clahe_5_8": clahe(8),
    "hog": lambda image: rescale_intensity(hog(image, visualize=True, **HOG)[1], out_range=np.uint8),
    "lbp_ror": lambda image: local_binary_pattern(image, 8, 1, "ror"),
    "lbp_var": lbp_var,
}


def faces(count, shape):
    """Drawn faces, and last one of noise, one black and one white picture of the same shape (H, W)."""
    drawn = [cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), shape[::-1]) for image, _ in draw(0, count, 64)]
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return np.stack([*drawn, noise, np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)])


@pytest.fixture(scope="module", params=[(48, 48), (64, 64), (150, 150), (50, 37)], ids="{0[0]}x{0[1]}".format)
def images(request):
    return faces(5, request.param)


def test_every_feature_is_compared():
    assert FEATURES.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", FEATURES)
def test_a_batch_equals_the_library_on_each_picture(name, images):
    before = images.copy()
    made = FEATURES[name](images)
    assert made.dtype == np.uint8 and made.shape == images.shape
    for got, image in zip(made, images, strict=True):
        assert np.array_equal(got, EXPECTED[name](image))
    assert np.array_equal(images, before), "what was given is left as it was"


@pytest.mark.parametrize("name", [name for name in FEATURES if name != "none"])
def test_a_feature_changes_a_face_and_a_blank_picture_stays_even(name):
    drawn, *_, white = FEATURES[name](faces(1, (48, 48)))
    assert drawn.std() > 5 and np.ptp(drawn) > 100
    assert np.ptp(white[1:-1, 1:-1]) == 0, "patterns of a picture's edge have neighbours outside, which count as black"


def test_the_variance_has_one_scale_for_all_pictures():
    faint = np.random.default_rng(1).integers(0, 128, (1, 48, 48), np.uint8)
    once, twice = FEATURES["lbp_var"](faint).astype(int), FEATURES["lbp_var"](2 * faint).astype(int)
    assert np.abs(twice - 2 * once).max() <= 1 and twice.max() > 150, "twice the contrast, twice the value"


def test_vectors_are_those_of_scikit_image(images):
    vectors = hog_vectors(images)
    assert vectors.dtype == np.float32 and (0 <= vectors).all() and (vectors <= 1).all()
    assert np.array_equal(vectors, np.stack([hog(image, **HOG) for image in images]).astype(np.float32))


def test_vectors_of_48_pixels_have_900_values():
    assert hog_vectors(faces(1, (48, 48))).shape == (4, 900)


@pytest.mark.parametrize("name", FEATURES)
def test_a_batch_may_be_empty_or_large(name):
    assert FEATURES[name](np.empty((0, 48, 48), np.uint8)).shape == (0, 48, 48)
    many = np.tile(faces(1, (24, 24)), (80, 1, 1))
    assert np.array_equal(FEATURES[name](many)[-4:], FEATURES[name](many[:4]))
    assert hog_vectors(np.empty((0, 48, 48), np.uint8)).shape == (0, 900)


@pytest.mark.parametrize("make", [*(f for name, f in FEATURES.items() if name != "none"), hog_vectors])
@pytest.mark.parametrize("images", [np.zeros((2, 48, 48, 3), np.uint8), np.zeros((2, 48, 48), np.float32),
                                    np.zeros((48, 48), np.uint8)], ids=["RGB", "float", "one"])
def test_what_is_not_grey_is_told_to_set_channels(make, images):
    with pytest.raises(ValueError, match="grey pictures.*set faces.channels to 1"):
        make(images)


@pytest.mark.parametrize("make", [FEATURES["hog"], hog_vectors])
def test_too_small_a_picture_is_told_to_grow(make):
    with pytest.raises(ValueError, match="at least 16×16 pixels, got 48×15; raise faces.size"):
        make(np.zeros((1, 15, 48), np.uint8))


def test_hog_pictures_are_drawn_faster_than_by_the_library():
    images = faces(30, (48, 48))

    def seconds(make):
        times = []
        for _ in range(3):
            start = time.perf_counter()
            make(images)
            times.append(time.perf_counter() - start)
        return min(times)

    assert seconds(FEATURES["hog"]) < seconds(lambda all: [hog(image, visualize=True, **HOG) for image in all]) / 2
