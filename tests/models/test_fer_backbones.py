"""The networks on backbones: as many values as Keras', the numbers of Keras for the same weights, what they do in training."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from keras_files import filled
from models.fer import weights
from models.fer.keras_layers import dropped
from models.fer.networks import ARCHITECTURES, blank, for_export, standardise
from models.fer.recipe import BACKBONES
from models.onnx_export import difference, export

# Of Keras 3.15's applications: `count_params()` with top (1000 classes) and without.
VALUES = {
    "mobilenet_v2": (3_538_984, 2_257_984),
    "mobilenet_v3_small": (2_554_968, 939_120),
    "mobilenet_v3_large": (5_507_432, 2_996_352),
    "efficientnet_b0": (5_330_571, 4_049_571),
    "efficientnet_b1": (7_856_239, 6_575_239),
    "efficientnet_b2": (9_177_569, 7_768_569),
    "efficientnet_b3": (12_320_535, 10_783_535),
    "efficientnet_b4": (19_466_823, 17_673_823),
    "efficientnet_b5": (30_562_527, 28_513_527),
    "efficientnet_b6": (43_265_143, 40_960_143),
    "efficientnet_b7": (66_658_687, 64_097_687),
    "inception_resnet_v2": (55_873_736, 54_336_736),
}
TOPS = {"mobilenet_v3_small": (1024,), "mobilenet_v3_large": (1280,)}  # hidden layers of Keras' own
# Logits of Keras 3.15's applications with ten classes and the weights of `keras_files.drawn`, for `picture(side)`.
LOGITS = {
    ("mobilenet_v2", 47): [3.25292, 2.73827, -4.41119, 0.52114, 0.36777, -5.36767, 2.02968, 0.16349, -0.09412, 3.99576],
    ("mobilenet_v3_small", 48): [
        0.006, -0.1704, -0.06955, 0.14518, 0.34857, 0.55077, -0.1405, -0.18225, -0.28341, -0.55861,
    ],
    ("mobilenet_v3_large", 47): [
        22.91959, -7.27762, 2.31266, -2.32349, -22.74033, 43.3294, -16.47989, 19.71573, 15.44654, 13.9004,
    ],
    ("efficientnet_b0", 47): [
        0.3275, 0.08429, -0.21103, 0.5395, -0.38693, -0.05956, -0.03944, 0.15119, -0.13339, -0.3187,
    ],
}  # fmt: skip


def picture(side):
    i, j, k = np.meshgrid(np.arange(side), np.arange(side), np.arange(3), indexing="ij")
    return ((37 * i + 91 * j + 53 * k + 11 * i * j) % 256)[None].astype(np.uint8)


def said(network, x):
    graph, state = nnx.split(network)
    return jax.jit(lambda state, x: nnx.merge(graph, state)(x))(state, x)


def values(network):
    return sum(int(np.prod(each.shape)) for each in jax.tree.leaves(nnx.state(network)))


@pytest.mark.parametrize("name", VALUES)
def test_it_has_as_many_values_as_keras(name):
    # Keras counts how many pictures EfficientNet's statistics are of; that number is none of ours.
    counted = 1 if name.startswith("efficientnet") else 0
    network = blank(name, 1000, 3, hidden=TOPS.get(name, ()))
    assert (values(network) + counted, values(network.blocks) + counted) == VALUES[name]


def test_recipes_know_the_backbones():
    assert set(BACKBONES) == set(ARCHITECTURES) == set(VALUES)


@pytest.mark.parametrize(("name", "side"), LOGITS)
def test_it_says_what_keras_says(name, side):
    network = filled(blank(name, 10, 3, hidden=TOPS.get(name, ())))
    logits = said(network, standardise(jnp.asarray(picture(side))))
    np.testing.assert_allclose(logits[0], LOGITS[name, side], atol=1e-4, rtol=1e-5)


@pytest.fixture(scope="module")
def small():
    return filled(blank("mobilenet_v3_small", 7, 1, hidden=(32,), dropout=0.5))


def grey(*shape):
    return jnp.asarray(np.random.default_rng(0).uniform(-1, 1, shape), jnp.float32)


def test_a_grey_picture_is_three_equal_channels(small):
    colour, x = filled(blank("mobilenet_v3_small", 7, 3, hidden=(32,))), grey(4, 32, 32, 1)
    np.testing.assert_allclose(said(small, x), said(colour, jnp.tile(x, (1, 1, 1, 3))), atol=1e-6)


def test_it_is_saved_and_loaded_with_its_hidden_layers(small, tmp_path):
    card = {"network": "mobilenet_v3_small", "labels": list(weights.EXPRESSIONS), "size": 32, "channels": 1}
    weights.save(tmp_path / "w.npz", small, card)
    again, read = weights.load(tmp_path / "w.npz")
    assert read == card | {"hidden": [32]}
    x = grey(4, 32, 32, 1)
    np.testing.assert_allclose(said(again, x), said(small, x), atol=5e-3)  # kept in half precision


def test_it_converts_to_onnx(small):
    network = for_export(small)
    model = export(network, ("N", 48, 48, 1), ["logits"], "small")
    assert difference(model, network, [grey(1, 48, 48, 1), grey(5, 48, 48, 1)]) < 1e-5


def test_what_it_cannot_take_is_told(small):
    with pytest.raises(ValueError, match="31×48 pixels, this network takes 32 and more"):
        small(grey(1, 31, 48, 1))
    with pytest.raises(ValueError, match="trained with a key"):
        small(grey(2, 32, 32, 1), train=True)
    with pytest.raises(ValueError, match="channels is 2, expected 1"):
        blank("mobilenet_v2", 7, 2)


def test_deeper_blocks_are_skipped_more_often():
    drops = [block.drop for block in blank("efficientnet_b0", 7, 3).blocks[1:-1]]
    assert drops == sorted(drops) and drops[0] == 0 and drops[-1] == pytest.approx(0.2 * 15 / 16)


def test_a_skipped_block_gives_what_came_in_and_the_rest_is_enlarged():
    x = jnp.ones((400, 2, 2, 3))
    out = np.asarray(dropped(x, 0.2, jax.random.key(0), (400, 1, 1, 1)))
    kinds = {tuple(np.unique(each)) for each in out}
    assert kinds == {(0.0,), (1.25,)} and 0.74 < (out[:, 0, 0, 0] > 0).mean() < 0.86


def test_training_moves_the_statistics_unless_the_backbone_rests():
    x, key = grey(4, 32, 32, 1), jax.random.key(1)
    for learns in (True, False):
        network = filled(blank("mobilenet_v3_small", 7, 1, dropout=0.5, backbone_learns=learns))
        graph, state = nnx.split(network)

        @jax.jit
        def trained(state, key):
            model = nnx.merge(graph, state)
            return model(x, train=True, key=key), nnx.state(model, nnx.BatchStat)

        before = jax.tree.leaves(nnx.state(network, nnx.BatchStat))
        logits, after = trained(state, key)
        moved = [not np.array_equal(a, b) for a, b in zip(before, jax.tree.leaves(after), strict=True)]
        assert all(moved) if learns else not any(moved)
        assert np.array_equal(logits, trained(state, key)[0])
        assert not np.array_equal(logits, trained(state, jax.random.key(2))[0])
