"""The classifier's training program: it overfits eight faces; augmentation keeps a face a face."""

import jax
import jax.numpy as jnp
import numpy as np

from models.fer import augment
from models.fer.recipe import Recipe
from models.fer.train import Faces, fit, smoothed_cross_entropy


class Silent:
    log = progress = metrics = picture = lambda *args, **kwargs: None


def test_it_overfits_eight_pictures(tmp_path):
    faces = Faces(np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1), np.uint8), np.arange(8) % 7)
    recipe = Recipe("mini_xception", 60, 8, "adam", 0.01, 0.1, 0.0, 0.0, 0.0, False, "last")
    model, outcome = fit(
        recipe, faces, faces, classes=7, seed=0, checkpoints=tmp_path, watch=Silent(), preview=lambda model, history: {}
    )
    assert outcome.history[-1]["train_accuracy"] == 1.0
    assert outcome.history[-1]["train_loss"] < 0.1


def test_smoothing_is_cross_entropy_against_softened_targets():
    logits, labels = jnp.array([[2.0, 0.0, -1.0]]), jnp.array([0])
    expected = -np.sum(np.array([0.9 + 0.1 / 3, 0.1 / 3, 0.1 / 3]) * np.array(jax.nn.log_softmax(logits[0])))
    np.testing.assert_allclose(smoothed_cross_entropy(logits, labels, 0.1), expected, rtol=1e-6)


def ramp():
    rows, columns = np.meshgrid(np.linspace(-1, 1, 20), np.linspace(-0.5, 0.5, 20), indexing="ij")
    return jnp.asarray(rows * 0.3 + columns, jnp.float32)[None, :, :, None]


def test_warping_to_the_same_places_changes_nothing():
    image = ramp()
    rows, columns = jnp.meshgrid(jnp.arange(20.0), jnp.arange(20.0), indexing="ij")
    np.testing.assert_allclose(augment.warp(image, rows[None], columns[None]), image, atol=1e-6)


def test_warping_is_bilinear_and_repeats_the_edge():
    image, place = ramp(), jnp.full((1, 20, 20), 7.25)
    exact = 0.3 * (-1 + 7.25 * 2 / 19) + (-0.5 + 7.25 / 19)
    np.testing.assert_allclose(augment.warp(image, place, place), exact, atol=1e-5)
    np.testing.assert_allclose(augment.warp(image, place - 100, place + 100), image[0, 0, -1, 0], atol=1e-6)


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
