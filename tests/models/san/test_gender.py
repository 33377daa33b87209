"""SAN's attribute classifiers: shapes and sizes of the programs they are taken from, training, files, and other judges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.fer import weights as fer_weights
from models.layers import halved_by_maximum
from models.san import published, weights
from models.san.autoencoder import Autoencoder
from models.san.classify import fit_classifier
from models.san.gender import PaperClassifier, PortClassifier, dropped
from models.san.judges import seen_by
from models.san.recipe import ClassifierRecipe
from models.weights_file import WeightsError, flat
from watchers import Interrupting

RECIPE = ClassifierRecipe(epochs=3, batch_size=8, learning_rate=0.003, augment="none")
LABELS = np.arange(32) % 2


def faces():
    """32 pictures of 16 pixels; those with label 1 are bright at the top."""
    pixels = np.random.default_rng(0).integers(60, 120, (32, 16, 16, 1), np.uint8)
    pixels[LABELS == 1, :8] += 90
    return pixels


def learn(folder, recipe=RECIPE, watch=None, labels=LABELS):
    return fit_classifier("port", recipe, faces(), labels, classes=2, seed=0, checkpoints=folder, watch=watch or Interrupting(),
                          examine=lambda network: {}, preview=lambda network, history: {})  # fmt: skip


def test_the_official_classifier_has_its_number_of_weights():
    state = nnx.eval_shape(lambda: nnx.state(PaperClassifier(rngs=nnx.Rngs(0)), nnx.Param))
    assert sum(value.size for value in jax.tree.leaves(state)) == 2_159_618


def test_the_port_ends_with_one_place_at_224_and_has_fewer_layers_below():
    large, small = (nnx.eval_shape(lambda: PortClassifier(size=size, rngs=nnx.Rngs(0))) for size in (224, 64))
    assert len(large.layers) == 6 and large.hidden.kernel.shape == (256, 256)
    assert len(small.layers) == 4 and small.hidden.kernel.shape == (2 * 2 * 128, 256)
    with pytest.raises(ValueError, match="size is 5"):
        PortClassifier(size=5, rngs=nnx.Rngs(0))


def test_odd_sides_are_halved_as_both_programs_do():
    x = jnp.arange(15.0).reshape(1, 3, 5, 1)
    np.testing.assert_array_equal(halved_by_maximum(x)[0, :, :, 0], [[6, 8]])


def test_whole_maps_are_dropped_and_the_mean_stays():
    out = dropped(jax.random.key(0), jnp.ones((50, 3, 3, 40)), (50, 1, 1, 40), 0.25)
    maps = np.asarray(out).transpose(0, 3, 1, 2).reshape(-1, 9)
    assert (np.ptp(maps, axis=1) == 0).all() and 0.2 < (maps == 0).mean() < 0.3
    assert abs(float(out.mean()) - 1) < 0.05


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return learn(tmp_path_factory.mktemp("whole"))


def test_it_learns_and_resumes_exactly(tmp_path, saved_at_every_step, whole):
    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path, watch=Interrupting(fail_after=7))
    network, outcome = learn(tmp_path)
    before, after = (flat(nnx.to_pure_dict(nnx.state(each))) for each in (whole[0], network))
    assert all(np.array_equal(before[name], after[name]) for name in before)
    said = network(jnp.float32(faces() / 255)).argmax(axis=1)
    assert (np.asarray(said) == LABELS).all() and outcome.history == whole[1].history


def test_one_class_alone_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"labels are \[1\], expected at least two of 0 … 1"):
        learn(tmp_path, labels=np.ones(32, int))
    with pytest.raises(ValueError, match="epochs is 0"):
        ClassifierRecipe(0, 8, 0.1, "none")


def test_files_give_the_same_networks(tmp_path, whole):
    autoencoder = Autoencoder((2, 3), (4, 2), 0.3, True, rngs=nnx.Rngs(1))
    for network in (whole[0], autoencoder):
        weights.save(tmp_path / "w.npz", network, {"attribute": "gender"})
        again, card = weights.load(tmp_path / "w.npz")
        before, after = (flat(nnx.to_pure_dict(nnx.state(each))) for each in (network, again))
        assert type(again) is type(network) and card["attribute"] == "gender"
        assert all(np.array_equal(before[name], after[name]) for name in before)
    assert (again.slope, again.enlarge) == (0.3, True)
    weights.weights_file.write(tmp_path / "w.npz", {}, {"network": "other", "classes": 2, "size": 8})
    with pytest.raises(WeightsError, match="no classifier is called 'other'"):
        weights.load(tmp_path / "w.npz")


def test_the_official_classifier_s_file_is_read_by_its_names(monkeypatch):
    network = PaperClassifier(rngs=nnx.Rngs(0))
    state = {}
    for name, value in flat(nnx.to_pure_dict(nnx.state(network))).items():
        layer, kind = name.rsplit("/", 1)
        value = np.asarray(value)
        value = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T
        state[f"{published.CLASSIFIER[layer]}.{'weight' if kind == 'kernel' else kind}"] = value
    assert {"features.0.weight", "features.15.bias", "classifier.1.weight"} < state.keys()
    monkeypatch.setattr(published, "read_state", lambda path: state)
    again = flat(nnx.to_pure_dict(nnx.state(published.read_classifier("aux-gpred.pkl"))))
    for name, value in flat(nnx.to_pure_dict(nnx.state(network))).items():
        np.testing.assert_array_equal(again[name], value)


def test_mini_xception_s_gender_network_judges_as_recorded(shared):
    network, card = fer_weights.load(shared / "data/weights/gender_mini_XCEPTION.21-0.95.hdf5")
    recorded = np.load(shared / "parity/mini_xception.npz")
    judge = seen_by(network, card["size"], card["channels"])
    pictures = jnp.float32(recorded["in/lfw_gray64_uint8"][..., None] / 255)
    np.testing.assert_allclose(jax.jit(judge)(pictures), recorded["out/gender_logits_m11"], atol=1e-4)


def test_a_judge_of_colour_sees_grey_in_all_channels():
    seen = seen_by(lambda pictures: pictures, size=4, channels=3, low=0.0, high=255.0)(jnp.full((1, 8, 8, 1), 0.5))
    assert seen.shape == (1, 4, 4, 3) and np.allclose(seen, 127.5)
