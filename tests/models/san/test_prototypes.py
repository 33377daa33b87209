"""Prototypes by hand, and where they lie after alignment."""

import numpy as np
import pytest

from models.san.prototypes import LaidOver, affine, aligned_means, laid_over, means, neutral

CANONICAL = np.array([[8.0, 8.0], [16.0, 8.0], [12.0, 16.0]])


def test_means_are_rounded_and_the_neutral_one_is_weighted():
    images = np.zeros((3, 2, 2, 1), np.uint8)
    images[1], images[2] = 101, 200
    prototypes = means(images, np.array([0, 0, 1]), 2)
    assert prototypes.shape == (2, 2, 2, 3) and prototypes.dtype == np.uint8
    assert (prototypes[0] == 50).all() and (prototypes[1] == 200).all()  # 50.5 goes to the even neighbour
    assert (neutral(prototypes, np.array([0, 0, 1])) == 100).all()


def test_many_pictures_in_blocks_are_one_mean():
    images = np.random.default_rng(0).integers(0, 256, (1100, 4, 4, 3), np.uint8)
    labels = np.arange(1100) % 2
    np.testing.assert_allclose(means(images, labels, 2)[1], images[labels == 1].mean(axis=0), atol=0.5)


def test_an_absent_class_and_wrong_labels_are_named():
    images = np.zeros((2, 4, 4, 1), np.uint8)
    with pytest.raises(ValueError, match="no picture has label 1"):
        means(images, np.zeros(2, int), 2)
    with pytest.raises(ValueError, match="labels reach from 0 to 2"):
        means(images, np.array([0, 2]), 2)
    with pytest.raises(ValueError, match="2 pictures come with 3 labels"):
        means(images, np.zeros(3, int), 2)


def test_the_affine_map_takes_points_where_they_belong():
    matrix = np.array([[1.1, 0.2, 3.0], [-0.1, 0.9, -2.0]])
    target = CANONICAL @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(affine(CANONICAL[None], target[None])[0], matrix, atol=1e-9)
    line = np.array([[[0.0, 0], [1, 1], [2, 2]]])
    with pytest.raises(ValueError, match="on one line"):
        affine(line, CANONICAL[None])


def spots(places):
    """A picture of 24 pixels with a bright spot at each x, y."""
    picture = np.zeros((24, 24, 3), np.uint8)
    for x, y in np.asarray(places, int):
        picture[y, x] = 255
    return picture


def test_a_prototype_is_laid_over_the_landmarks_of_each_face():
    moved = np.stack([CANONICAL + [3, -2], CANONICAL[:, ::-1]])
    faces = laid_over(spots(CANONICAL), CANONICAL, moved)
    for face, places in zip(faces, moved):
        np.testing.assert_array_equal(face, spots(places))
    each = LaidOver(np.stack([spots(CANONICAL), 255 - spots(CANONICAL)]), CANONICAL, moved)
    assert each.shape == (2, 2, 24, 24, 3) and each[:1].shape == (1, 2, 24, 24, 3)
    np.testing.assert_array_equal(each[np.array([1])][0, 0], spots(moved[1]))


def test_aligned_means_are_sharp_where_plain_ones_are_not():
    landmarks = np.stack([CANONICAL + [dx, dy] for dx, dy in ((0, 0), (3, 2), (-4, 1), (1, -3))])
    images = np.stack([spots(each) for each in landmarks])
    labels = np.array([0, 0, 1, 1])
    aligned = aligned_means(images, labels, landmarks, CANONICAL, 2)
    np.testing.assert_array_equal(aligned[0], spots(CANONICAL))
    assert means(images, labels, 2)[0].max() < 255
