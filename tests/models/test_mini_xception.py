"""mini-Xception against the numbers recorded from Keras with the published weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.fer import weights
from models.fer.mini_xception import MiniXception
from models.fer.networks import standardise
from models.fer.predict import probabilities
from models.weights_file import flat

EMOTION = "data/weights/fer2013_mini_XCEPTION.102-0.66.hdf5"
GENDER = "data/weights/gender_mini_XCEPTION.21-0.95.hdf5"


def sizes(model):
    return sum(value.size for value in jax.tree.leaves(nnx.state(model)))


def test_it_has_the_published_number_of_values():
    assert sizes(MiniXception(7, 1, rngs=nnx.Rngs(0))) == 58_423
    assert sizes(MiniXception(2, 1, rngs=nnx.Rngs(0))) == 52_658


def test_both_forms_agree():
    model = MiniXception(rngs=nnx.Rngs(0))
    images = jax.random.uniform(jax.random.key(1), (2, 48, 48, 1), minval=-1.0)
    np.testing.assert_allclose(model(images, form="shifted"), model(images, form="grouped"), atol=1e-5)


@pytest.fixture(scope="module")
def recorded(shared):
    return np.load(shared / "parity" / "mini_xception.npz")


@pytest.mark.parametrize(
    "file, inputs, outputs",
    [
        (EMOTION, "in/fer64_uint8", "out/emotion_logits_m11"),
        (EMOTION, "in/synthetic64_uint8", "out/emotion_logits_synthetic_m11"),
        (GENDER, "in/lfw_gray64_uint8", "out/gender_logits_m11"),
    ],
)
def test_logits_equal_keras(shared, recorded, file, inputs, outputs):
    model, card = weights.load(shared / file)
    images = standardise(jnp.asarray(recorded[inputs][..., None]))
    assert images.shape[1:] == (card["size"], card["size"], card["channels"])
    np.testing.assert_allclose(model(images), recorded[outputs], atol=1e-5)


def test_the_softmax_of_batches_equals_keras(shared, recorded):
    model, _ = weights.load(shared / EMOTION)
    chances = probabilities(model, recorded["in/fer64_uint8"][..., None], batch_size=12)
    np.testing.assert_allclose(chances, recorded["out/emotion_softmax_m11"], atol=2e-6)


def test_a_picture_and_its_mirror_image_count_alike():
    model = MiniXception(rngs=nnx.Rngs(0))
    pictures = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 1), np.uint8)
    turned = pictures[:, :, ::-1]
    alone = [probabilities(model, each) for each in (pictures, turned)]
    both = [probabilities(model, each, mirror=True) for each in (pictures, turned)]
    assert np.abs(alone[0] - alone[1]).max() > 1e-4
    np.testing.assert_allclose(both[0], np.mean(alone, axis=0), atol=1e-6)
    np.testing.assert_allclose(both[1], both[0], atol=1e-6)


def test_gradients_and_running_statistics_equal_keras(shared, recorded):
    model, _ = weights.load(shared / EMOTION)
    graph, params, stats = nnx.split(model, nnx.Param, nnx.BatchStat)
    images = standardise(jnp.asarray(recorded["in/fer64_uint8"][..., None]))
    labels = jnp.asarray(recorded["in/fer_labels"], jnp.int32)

    def loss(params):
        trained = nnx.merge(graph, params, stats, copy=True)
        chosen = jnp.take_along_axis(jax.nn.log_softmax(trained(images, train=True)), labels[:, None], axis=1)
        return -chosen.mean(), nnx.state(trained, nnx.BatchStat)

    (value, stats_after), grads = jax.jit(jax.value_and_grad(loss, has_aux=True))(params)
    np.testing.assert_allclose(value, recorded["out/train_ce_loss"], rtol=1e-5)
    ours = flat(nnx.to_pure_dict(grads)) | flat(nnx.to_pure_dict(stats_after))
    for name, keras in weights.keras_names().items():
        kind = "bn_after_one_train_step" if "moving" in keras else "grad"
        expected = recorded[f"{kind}/{keras}"]
        scale = max(float(np.abs(expected).max()), 1e-3)
        np.testing.assert_allclose(ours[name].reshape(-1) / scale, expected.reshape(-1) / scale, atol=3e-4, err_msg=name)
