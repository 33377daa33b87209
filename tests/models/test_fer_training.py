"""The classifier's training program: it overfits eight faces; augmentation keeps a face a face."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from models.fer import augment
from models.fer.predict import probabilities
from models.fer.recipe import Recipe
from models.fer.train import Faces, distance_to_teachers, fit, smoothed
from models.warp import warp
from watchers import Silent


RECIPE = Recipe(
    network="mini_xception",
    epochs=60,
    batch_size=8,
    optimizer="adam",
    learning_rate=0.01,
    warmup=0.1,
    weight_decay=0.0,
    label_smoothing=0.0,
    ema=0.0,
    augment="none",
    mixup=0.0,
    teachers=(),
    distil=1.0,
    temperature=2.0,
    select="last",
)


@pytest.fixture(scope="module")
def faces():
    return Faces(np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1), np.uint8), np.arange(8) % 7)


def learn(recipe, faces, checkpoints, teachers=()):
    nobody = {"watch": Silent(), "preview": lambda model, history: {}}
    return fit(recipe, faces, faces, classes=7, seed=0, checkpoints=checkpoints, teachers=teachers, **nobody)


def test_it_overfits_eight_pictures(tmp_path, faces):
    model, outcome = learn(RECIPE, faces, tmp_path)
    assert outcome.history[-1]["train_accuracy"] == 1.0
    assert outcome.history[-1]["train_loss"] < 0.1


@pytest.mark.parametrize("network, rate", [("vgg", 0.003), ("residual", 0.003)])
def test_the_larger_networks_learn_eight_pictures(tmp_path, faces, network, rate):
    recipe = replace(RECIPE, network=network, learning_rate=rate, epochs=8)
    _, outcome = learn(recipe, Faces(faces.images[:, :32, :32], faces.labels), tmp_path)
    assert outcome.history[-1]["train_loss"] < 0.5 * outcome.history[0]["train_loss"]


def test_a_pupil_takes_its_teachers_words_for_the_labels(tmp_path, faces):
    """With `distil` 1 the labels say nothing: the pupil learns the classes in the teachers' order."""
    turned = Faces(faces.images, (faces.labels + 1) % 7)
    teacher, _ = learn(replace(RECIPE, epochs=60), turned, tmp_path / "teacher")
    pupil, _ = learn(replace(RECIPE, epochs=60), faces, tmp_path / "pupil", [teacher])
    said = probabilities(pupil, faces.images).argmax(axis=1)
    assert (said == probabilities(teacher, faces.images).argmax(axis=1)).all()


def test_shares_of_classes_are_learnt_as_labels_are(tmp_path, faces):
    shares = np.eye(7, dtype=np.float32)[faces.labels]
    assert np.asarray(smoothed(jnp.asarray(shares), 7, 0.1)) == pytest.approx(
        np.asarray(smoothed(jnp.asarray(faces.labels), 7, 0.1))
    )
    few, nobody = replace(RECIPE, epochs=2), {"watch": Silent(), "preview": lambda model, history: {}}
    curves = [
        fit(few, Faces(faces.images, each), faces, classes=7, seed=0, checkpoints=tmp_path / str(each.ndim), **nobody)[1]
        for each in (faces.labels, shares)
    ]
    assert curves[0].history == curves[1].history


def test_smoothing_gives_a_share_to_all_classes():
    expected = [[0.9 + 0.1 / 3, 0.1 / 3, 0.1 / 3]]
    np.testing.assert_allclose(smoothed(jnp.array([0]), 3, 0.1), expected, rtol=1e-6)


def test_the_distance_to_a_teacher_is_that_of_softened_words():
    pupil, teacher = jnp.array([[2.0, 0.0, -1.0]]), jnp.array([[1.0, 1.0, 0.0]])
    p, q = (np.exp(each / 2) / np.exp(each / 2).sum() for each in (np.array([1.0, 1.0, 0.0]), np.array([2.0, 0, -1])))
    np.testing.assert_allclose(distance_to_teachers(pupil, [teacher], 2.0), 4 * np.sum(p * np.log(p / q)), rtol=1e-5)
    np.testing.assert_allclose(distance_to_teachers(pupil, [pupil, pupil], 3.0), 0, atol=1e-6)


def ramp():
    rows, columns = np.meshgrid(np.linspace(-1, 1, 20), np.linspace(-0.5, 0.5, 20), indexing="ij")
    return jnp.asarray(rows * 0.3 + columns, jnp.float32)[None, :, :, None]


def test_warping_to_the_same_places_changes_nothing():
    image = ramp()
    rows, columns = jnp.meshgrid(jnp.arange(20.0), jnp.arange(20.0), indexing="ij")
    np.testing.assert_allclose(warp(image, rows[None], columns[None]), image, atol=1e-6)


def test_warping_is_bilinear_and_repeats_the_edge():
    image, place = ramp(), jnp.full((1, 20, 20), 7.25)
    exact = 0.3 * (-1 + 7.25 * 2 / 19) + (-0.5 + 7.25 / 19)
    np.testing.assert_allclose(warp(image, place, place), exact, atol=1e-5)
    np.testing.assert_allclose(warp(image, place - 100, place + 100), image[0, 0, -1, 0], atol=1e-6)


def test_each_picture_is_changed_in_its_own_way_and_stays_in_range():
    images = jnp.tile(ramp(), (64, 1, 1, 1))
    out = augment.augment(jax.random.key(0), images)
    assert out.shape == images.shape and float(jnp.abs(out).max()) <= 1.0
    flat = np.asarray(out).reshape(64, -1)
    assert len(np.unique(flat.round(4), axis=0)) == 64
    mirrored = np.sign(np.corrcoef(np.vstack([np.asarray(images[0]).ravel(), flat]))[0, 1:])
    assert np.asarray(augment.augment(jax.random.key(0), images)).tobytes() == np.asarray(out).tobytes()
    slopes = np.asarray(out[:, 10, -3, 0] - out[:, 10, 2, 0])
    assert 10 < (slopes < 0).sum() < 54 and len(mirrored) == 64  # about half are mirrored


def test_erasing_fills_one_rectangle_of_some_pictures():
    images = jnp.zeros((200, 40, 40, 1)) - 0.123
    out = np.asarray(augment.erase(jax.random.key(0), images, 0.5))[..., 0]
    changed = out != np.float32(-0.123)
    assert 70 < changed.any(axis=(1, 2)).sum() < 130
    for picture, where in zip(out, changed):
        if where.any():
            rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
            box = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            assert np.ptp(box) == 0 and 0.02 * 1600 < box.size < 0.25 * 1600


def test_mixup_mixes_pictures_and_targets_alike():
    images = jnp.arange(6.0).reshape(6, 1, 1, 1) / 6
    targets = jnp.eye(6)
    mixed, words = augment.mixup(jax.random.key(3), images, targets, 0.4)
    np.testing.assert_allclose(mixed.ravel(), words @ images.ravel(), atol=1e-6)
    np.testing.assert_allclose(words.sum(axis=1), 1, atol=1e-6)
