"""Losses, weights of classes, cutmix, RMSprop and ensembles against sums done by hand."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from models.fer import augment
from models.fer.ensemble import learnt_weights, together
from models.fer.losses import LOSSES, balanced, categorical_hinge, l2_svm
from models.fer.recipe import Recipe
from models.fer.train import Faces, optimizer, program

SCORES = jnp.array([[2.0, 0.5, -1.0], [0.2, 0.1, 0.0]])
TARGETS = jnp.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
RECIPE = Recipe("mini_xception", 2, 8, "adam", 0.003, 0.0, 0.0, 0.0, 0.0, "none", 0.0, (), 0.0, 1.0, "last")


def test_the_losses_are_those_of_the_papers():
    np.testing.assert_allclose(categorical_hinge(SCORES, TARGETS), [max(0, 1 + 0.5 - 2), 1 + 0.2 - 0.1], rtol=1e-5)
    by_hand = [0 + 1.5**2 + 0, 1.2**2 + 0.9**2 + 1.0**2]
    np.testing.assert_allclose(l2_svm(SCORES, TARGETS), by_hand, rtol=1e-5)
    chance = np.exp(2.0) / (np.exp(2.0) + np.exp(0.5) + np.exp(-1.0))
    np.testing.assert_allclose(LOSSES["cross_entropy"](SCORES, TARGETS)[0], -np.log(chance), rtol=1e-5)


def test_balanced_classes_have_as_much_to_say():
    labels = np.array([0, 0, 0, 1, 3])
    expected = [5 / (3 * 3), 5 / 3, 0.0, 5 / 3]
    np.testing.assert_allclose(balanced(labels, 4), expected, rtol=1e-6)
    np.testing.assert_allclose(balanced(np.eye(4, dtype=np.float32)[labels], 4), expected, rtol=1e-6)
    assert float(np.asarray(balanced(labels, 4))[labels].mean()) == pytest.approx(1)


def test_rmsprop_steps_by_the_root_of_its_mean_square():
    update = optimizer(replace(RECIPE, optimizer="rmsprop", epochs=10, learning_rate=0.1), 10)
    weights, grad = {"kernel": jnp.ones((2, 2))}, {"kernel": jnp.full((2, 2), 3.0)}
    with jax.numpy_dtype_promotion("standard"):
        change, _ = update.update(grad, update.init(weights), weights)
    np.testing.assert_allclose(change["kernel"], -0.1 * 3 / np.sqrt(0.1 * 9 + 1e-7), rtol=1e-5)


def test_cutmix_takes_one_rectangle_and_as_much_of_the_target():
    pictures = jnp.broadcast_to(jnp.arange(6.0).reshape(6, 1, 1, 1), (6, 20, 20, 1))
    cut_some = 0
    for seed in range(8):
        cut, words = (np.asarray(each) for each in augment.cutmix(jax.random.key(seed), pictures, jnp.eye(6), 1.0))
        np.testing.assert_allclose(words.sum(axis=1), 1, rtol=1e-6)
        for number, (picture, word) in enumerate(zip(cut[..., 0], words)):
            for other in range(6):
                assert (picture == other).mean() == pytest.approx(word[other], abs=1e-6)
            changed = picture != number
            if changed.any():
                cut_some += 1
                rows, columns = changed.any(axis=1), changed.any(axis=0)
                assert (changed == rows[:, None] & columns[None, :]).all()
    assert cut_some > 10


def test_mixup_and_cutmix_take_turns_where_both_are_set():
    pictures = jnp.broadcast_to(jnp.arange(6.0).reshape(6, 1, 1, 1), (6, 20, 20, 1))
    kinds = set()
    for seed in range(16):
        out, words = augment.mixed(jax.random.key(seed), pictures, jnp.eye(6), 0.5, 1.0)
        flat = bool((np.asarray(out).std(axis=(1, 2)) < 1e-6).all())
        kinds.add(flat)
        np.testing.assert_allclose(np.asarray(out).mean(axis=(1, 2, 3)), np.asarray(words) @ np.arange(6.0), atol=1e-4)
    assert kinds == {True, False}
    alone = augment.mixed(jax.random.key(3), pictures, jnp.eye(6), 0.4, 0.0)
    np.testing.assert_array_equal(alone[0], augment.mixup(jax.random.key(3), pictures, jnp.eye(6), 0.4)[0])


def step_of(**change) -> str:
    """What a training step computes, written down without being compiled."""
    faces = Faces(np.zeros((8, 16, 16, 1), np.uint8), np.array([0, 0, 0, 1, 2, 3, 4, 5]))
    made = program(replace(RECIPE, network="yu_zhang", **change), faces, faces, 7, lambda model, history: {})
    key = jax.random.key(0)
    state, batch = jax.eval_shape(made.init, key), {"images": faces.images, "labels": faces.labels}
    return str(jax.make_jaxpr(made.step)(state, batch, key))


@pytest.mark.parametrize("change", [
    {"loss": "categorical_hinge"}, {"loss": "l2_svm"}, {"optimizer": "rmsprop"}, {"class_weights": "balanced"}, {"cutmix": 1.0},
])  # fmt: skip
def test_each_setting_has_a_say_in_training(change):
    assert step_of(**change) != step_of() == step_of()


def test_numbers_out_of_range_are_named():
    for change in ({"cutmix": -1.0}, {"votes": 1.5}):
        with pytest.raises(ValueError, match=next(iter(change))):
            replace(RECIPE, **change)


def test_an_ensemble_says_the_mean():
    first, second = np.array([[0.8, 0.2]]), np.array([[0.4, 0.6]])
    np.testing.assert_allclose(together([first, second]), [[0.6, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(together([first, second], np.array([0.75, 0.25])), [[0.7, 0.3]], rtol=1e-6)
    with pytest.raises(ValueError, match="one shape"):
        together([first, np.ones((2, 2)) / 2])


def test_learnt_weights_are_the_most_likely_ones():
    """Two networks that say .9 and .1, or .1 and .9, of the right class, on 3 and on 1 of 4 pictures: the likelihood
    3 log(.1 + .8w) + log(.9 - .8w) is greatest at w = 13/16."""
    first = np.array([[0.9, 0.1]] * 3 + [[0.1, 0.9]])
    second = first[:, ::-1].copy()
    labels = np.zeros(4, int)
    found = learnt_weights([first, second], labels)
    assert found.sum() == pytest.approx(1, abs=1e-6)
    assert found[0] == pytest.approx(13 / 16, abs=0.005)
    hinge = learnt_weights([first, second], labels, "hinge")
    assert hinge[0] > 0.95  # linear in the weights where no picture has a margin of 1: all for the better one


def test_defaults_are_todays_training():
    """What the released weights were trained by: none of the new settings has a say."""
    assert (RECIPE.loss, RECIPE.class_weights, RECIPE.cutmix, RECIPE.votes) == ("cross_entropy", "none", 0.0, 0.0)
    logits = jax.random.normal(jax.random.key(0), (5, 7))
    targets = jax.nn.one_hot(jnp.arange(5), 7)
    np.testing.assert_array_equal(LOSSES["cross_entropy"](logits, targets), optax.softmax_cross_entropy(logits, targets))
