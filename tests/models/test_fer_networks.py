"""The networks of Alizadeh & Fazel and of Yu & Zhang: counts layer by layer, HOG as scikit-image has it, stochastic pooling as
its paper has it, training and saving by name."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy import ndimage

from data.features import hog_vectors
from models.fer import weights
from models.fer.hog import hog, length
from models.fer.networks import NETWORKS, blank, sized, standardise
from models.fer.predict import probabilities
from models.fer.recipe import OF_ONE_SIZE, Recipe
from models.fer.stochastic_pooling import stochastic_pool
from models.fer.train import Faces, fit
from models.weights_file import WeightsError
from watchers import Silent

RECIPE = Recipe("mini_xception", 20, 8, "adam", 0.001, 0.1, 0.0, 0.0, 0.0, "none", 0.0, (), 0.0, 1.0, "last")


def count(module) -> int:
    return sum(np.prod(leaf.shape) for leaf in jax.tree.leaves(nnx.state(module, (nnx.Param, nnx.BatchStat))))


def faces_of(number, size, seed=0):
    """Smooth patches with noise: flat ones, edges and all directions of slope."""
    rng = np.random.default_rng(seed)
    pictures = ndimage.gaussian_filter(rng.normal(size=(number, size, size)), (0, 3, 3)) * 600 + 128
    pictures[:, : size // 4] = 77  # no slope at all
    return np.clip(pictures, 0, 255).astype(np.uint8)


def test_the_deep_network_has_the_papers_counts_layer_by_layer():
    network = blank("alizadeh_deep", 7, 1)
    assert [count(each.conv) for each in network.convolutions] == [640, 204_928, 590_336, 2_359_808]
    assert [count(each.linear) for each in network.dense] + [count(network.logits)] == [1_179_904, 131_584, 3_591]
    norms = [each.norm for each in (*network.convolutions, *network.dense)]
    assert [count(each) for each in norms] == [256, 512, 2048, 2048, 1024, 2048]
    assert count(network) == 4_478_727


def test_the_other_networks_have_the_counts_that_they_say():
    assert count(blank("alizadeh_shallow", 7, 1)) == 320 + 18_496 + (24 * 24 * 64 + 1) * 512 + 3_591 + 4 * (32 + 64 + 512)
    assert count(blank("alizadeh_hybrid", 7, 1)) == 4_478_727 + 900 * 256
    convolutions = 1_664 + 36_928 * 2 + 73_856 + 147_584
    assert count(blank("yu_zhang", 7, 1)) == convolutions + (6 * 6 * 128 + 1) * 1024 + 1025 * 1024 + 1025 * 7


@pytest.mark.parametrize("size", [48, 64, 53])
def test_hog_on_the_device_is_that_of_the_features(size):
    pictures = faces_of(6, size)
    ours = np.asarray(hog(standardise(jnp.asarray(pictures[..., None]))))
    assert ours.shape == (6, length(size, size))
    np.testing.assert_allclose(ours, hog_vectors(pictures), atol=1e-4)


def test_hog_of_too_small_a_picture_says_what_it_needs():
    with pytest.raises(ValueError, match="at least 16×16"):
        length(15, 48)
    with pytest.raises(ValueError, match="grey"):
        blank("alizadeh_hybrid", 7, 3)


def test_the_hybrid_sees_the_pictures_hog():
    """With its convolutions' share of the dense layer at zero, only HOG can tell two pictures apart."""
    network = NETWORKS["alizadeh_hybrid"](7, 1, rngs=nnx.Rngs(0))
    kernel = network.dense[0].linear.kernel
    kernel[...] = kernel[...].at[: 3 * 3 * 512].set(0.0)
    pictures = standardise(jnp.asarray(faces_of(2, 48)[..., None]))
    brighter = pictures[:1] + 8 / 127.5  # the same slopes
    said = network(jnp.concatenate([pictures, brighter]))
    np.testing.assert_allclose(said[0], said[2], atol=1e-4)
    assert float(jnp.abs(said[0] - said[1]).max()) > 0.01


def test_pooling_weighs_a_windows_values_by_themselves_outside_training():
    window = jnp.array([[1.6, 0.0], [0.0, 2.4]])[None, :, :, None]  # the paper's own example has shares .4 and .6
    assert float(stochastic_pool(window, 2, 2, None)[0, 0, 0, 0]) == pytest.approx(0.4 * 1.6 + 0.6 * 2.4, rel=1e-6)


def test_pooling_draws_each_value_as_often_as_its_share():
    windows = jnp.tile(jnp.array([[1.6, 0.0], [0.0, 2.4]])[None, :, :, None], (4000, 1, 1, 1))
    drawn = np.asarray(stochastic_pool(windows, 2, 2, jax.random.key(0))).ravel()
    assert set(np.unique(drawn)) == {np.float32(1.6), np.float32(2.4)}
    assert (drawn == np.float32(1.6)).mean() == pytest.approx(0.4, abs=0.03)  # four standard deviations


def test_pooling_of_zeros_is_zero_and_has_a_gradient_in_numbers():
    zeros = jnp.zeros((1, 5, 5, 2))
    for key in (None, jax.random.key(1)):
        made, slope = jax.value_and_grad(lambda x: jnp.sum(stochastic_pool(x, 3, 2, key)))(zeros)
        assert float(made) == 0 and bool(jnp.all(jnp.isfinite(slope)))
        assert stochastic_pool(jnp.ones((1, 48, 48, 1)), 3, 2, key).shape == (1, 24, 24, 1)
    np.testing.assert_allclose(stochastic_pool(jnp.ones((1, 48, 48, 1)), 3, 2, None), 1)  # the border adds nothing


def test_training_draws_from_the_key_and_the_word_on_a_picture_does_not():
    pictures = standardise(jnp.asarray(faces_of(3, 16)[..., None]))
    for name in ("alizadeh_shallow", "yu_zhang"):
        network = NETWORKS[name](7, 1, size=16, rngs=nnx.Rngs(0))
        first, second = (network(pictures, train=True, key=jax.random.key(seed)) for seed in (0, 1))
        assert float(jnp.abs(first - second).max()) > 1e-3
        np.testing.assert_array_equal(network(pictures), network(pictures))


def test_yu_and_zhangs_network_learns_eight_pictures(tmp_path):
    faces = Faces(np.random.default_rng(0).integers(0, 256, (8, 16, 16, 1), np.uint8), np.arange(8) % 7)
    _, outcome = fit(
        replace(RECIPE, network="yu_zhang", epochs=32), faces, faces, classes=7, seed=0, checkpoints=tmp_path,
        watch=Silent(), preview=lambda model, history: {},
    )  # fmt: skip
    assert outcome.kept["validation_accuracy"] == 1.0


def test_the_hybrid_comes_back_from_its_file_and_only_at_its_size(tmp_path):
    model, pictures = NETWORKS["alizadeh_hybrid"](7, 1, size=16, rngs=nnx.Rngs(0)), faces_of(3, 16)[..., None]
    card = {"network": "alizadeh_hybrid", "labels": list(weights.EXPRESSIONS), "size": 16, "channels": 1}
    weights.save(tmp_path / "weights.npz", model, card)
    again, _ = weights.load(tmp_path / "weights.npz")
    np.testing.assert_allclose(probabilities(again, pictures), probabilities(model, pictures), atol=0.01)
    weights.save(tmp_path / "other.npz", model, card | {"size": 48})
    with pytest.raises(WeightsError):
        weights.load(tmp_path / "other.npz")


def test_a_picture_of_another_size_is_refused():
    for name in OF_ONE_SIZE:
        with pytest.raises(ValueError, match="made for 48"):
            blank(name, 7, 1, **sized(name, 48))(jnp.zeros((1, 64, 64, 1)))
    assert sized("mini_xception", 64) == {}
