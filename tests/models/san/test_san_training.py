"""Semi-adversarial training on a planted world: brightness above is the hidden kind, a pattern below who it is."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from models.san.prototypes import prototypes
from models.san.recipe import Recipe
from models.san.train import attribute_loss, fit, matching_loss, pixel_loss

SIZE = 16
RECIPE = Recipe(pretrain_epochs=12, epochs=30, batch_size=16, learning_rate=5e-3, matching="both", hide=1.0, keep=2.0, pixels=1.0)


class Silence:
    def __getattr__(self, name: str):
        return lambda *values, **named: None


class Killed(RuntimeError):
    """What a test ends a training with."""


def world(count: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Pictures whose upper half is dark (kind 0) or bright (kind 1), with stripes of a person's own below."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 2
    images = rng.normal(128, 10, (count, SIZE, SIZE, 1))
    images[:, : SIZE // 2] += (labels * 80 - 40)[:, None, None, None]
    images[:, SIZE // 2 :] += rng.normal(0, 50, (count, 1, SIZE // 4, 1)).repeat(4, axis=2)
    return np.clip(images, 0, 255).astype(np.uint8), labels


def classify(faces: jax.Array) -> jax.Array:
    bright = 20 * (jnp.mean(faces[:, : SIZE // 2], axis=(1, 2, 3)) - 0.5)
    return jnp.stack([-bright, bright], axis=1)


def describe(faces: jax.Array) -> jax.Array:
    stripes = jnp.mean(faces[:, SIZE // 2 :], axis=(1, 3)) - 0.5
    return stripes / jnp.linalg.norm(stripes, axis=1, keepdims=True)


def learn(folder: Path, examine=lambda network: {}):
    images, labels = world()
    return fit(
        RECIPE, images, labels, prototypes(images, labels)[:2], classify, describe, widths=(4, 6, 16, 8), seed=0,
        checkpoints=folder, watch=Silence(), examine=examine, preview=lambda network, history: {},
    )  # fmt: skip


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    return learn(tmp_path_factory.mktemp("san"))


def test_the_kind_is_hidden_and_the_person_kept(learnt):
    images, labels = world()
    faces, drawn = jnp.asarray(images, jnp.float32) / 255, jnp.asarray(prototypes(images, labels), jnp.float32) / 255
    same, other = learnt[0](faces, drawn[labels], drawn[labels], drawn[1 - labels])
    assert (np.argmax(classify(faces), axis=1) == labels).mean() > 0.95
    assert (np.argmax(classify(same), axis=1) == labels).mean() > 0.95
    assert (np.argmax(classify(other), axis=1) == labels).mean() < 0.1
    for made in (same, other):
        assert float(jnp.mean(jnp.sum(describe(made) * describe(faces), axis=1))) > 0.9


def test_a_killed_training_ends_with_the_same_weights(learnt, tmp_path, monkeypatch):
    monkeypatch.setattr("models.training.SAVE_SECONDS", 0.0)
    seen = []

    def die(network) -> dict[str, float]:
        seen.append(1)
        if len(seen) == 20:  # in the second phase
            raise Killed
        return {}

    with pytest.raises(Killed):
        learn(tmp_path, die)
    again = learn(tmp_path)[1].weights
    jax.tree.map(np.testing.assert_array_equal, again, learnt[1].weights)


def test_losses_are_the_papers():
    faces, logits = jnp.array([[0.0, 1.0, 0.25]]), jnp.array([[0.5, -1.0, 2.0]])
    drawn = jax.nn.sigmoid(logits)
    both = -(faces * jnp.log(drawn) + (1 - faces) * jnp.log(1 - drawn))
    np.testing.assert_allclose(pixel_loss(logits, faces), both.mean(), rtol=1e-5)
    words, labels = jnp.array([[2.0, 0.0], [0.0, 1.0]]), jnp.array([0, 1])
    expected = -jax.nn.log_softmax(words)[jnp.arange(2), labels] - jax.nn.log_softmax(words)[jnp.arange(2), 1 - labels]
    np.testing.assert_allclose(attribute_loss(words, words, labels, 1 - labels), expected.mean(), rtol=1e-5)
    face, same, other = jnp.eye(3)[None, 0], jnp.eye(3)[None, 1], jnp.eye(3)[None, 0]
    for kind, value in (("paper", 2.0), ("official", 0.5), ("both", 1.0)):
        np.testing.assert_allclose(matching_loss(face, same, other, kind), value, rtol=1e-6)


def test_prototypes_are_means_and_the_neutral_one_is_weighted():
    images, labels = world(9)
    made = prototypes(images, labels).astype(float)
    assert made.shape == (3, SIZE, SIZE, 3)
    np.testing.assert_allclose(made[1, ..., 0], images[labels == 1].mean(axis=0)[..., 0], atol=0.5)
    np.testing.assert_allclose(made[2], (5 * made[0] + 4 * made[1]) / 9, atol=1)
    with pytest.raises(ValueError, match="no face of kind 1"):
        prototypes(images, np.zeros(9, int))


def test_one_kind_of_face_cannot_hide_it(tmp_path):
    images, labels = world()
    with pytest.raises(ValueError, match="at least two kinds"):
        fit(RECIPE, images, labels * 0, prototypes(images, labels)[:2], classify, describe, widths=(4, 6, 16, 8), seed=0,
            checkpoints=tmp_path, watch=Silence(), examine=lambda n: {}, preview=lambda n, h: {})  # fmt: skip
