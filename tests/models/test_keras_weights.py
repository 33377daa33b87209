"""Weights of Keras applications are read from each layout, whole or the backbone alone, and what is wrong is named."""

import numpy as np
import pytest
from flax import nnx

from keras_files import drawn, write_legacy, write_numbered, write_zip
from models.fer import keras_weights
from models.fer.keras_layers import Standardise
from models.fer.networks import blank
from models.weights_file import WeightsError, flat

NAME = "mobilenet_v3_small"


def empty():
    return blank(NAME, 10, 3, hidden=(1024,))


@pytest.fixture(scope="module")
def weights():
    return drawn(empty(), flat_dense=False)


def values(network):
    return flat(nnx.to_pure_dict(nnx.state(network)))


def as_published(weights):
    """The names that MobileNetV3's published .h5 has, which Keras 2 wrote."""
    parts = [("_bn", "/BatchNorm"), ("_squeeze_excite_conv", "/squeeze_excite/Conv"), ("_expand", "/expand")]
    parts += [("_depthwise", "/depthwise"), ("_project", "/project")]

    def older(name):
        for now, then in parts:
            name = name.replace(now, then) if name.startswith("expanded") or now == "_bn" else name
        return {"conv": "Conv", "conv/BatchNorm": "Conv/BatchNorm", "logits": "Logits"}.get(name, name)

    return {older(name): each for name, each in weights.items()}


@pytest.mark.parametrize("write", [write_legacy, write_numbered, write_zip])
def test_every_layout_gives_every_value(write, weights, tmp_path):
    network, path = empty(), tmp_path / "weights"
    write(path, weights)
    keras_weights.load(network, path)
    found = values(network)
    assert np.array_equal(found["blocks/0/conv/kernel"], weights["conv"][0])
    assert np.array_equal(found["blocks/0/norm/scale"], weights["conv_bn"][0])
    assert np.array_equal(found["blocks/0/norm/var"], weights["conv_bn"][3])
    assert np.array_equal(found["blocks/4/depthwise/conv/kernel"], weights["expanded_conv_3_depthwise"][0])
    assert np.array_equal(found["head/hidden/0/kernel"], weights["conv_2"][0][0, 0])
    assert np.array_equal(found["head/logits/bias"], weights["logits"][1])
    assert sum(value.size for value in found.values()) == sum(each.size for rows in weights.values() for each in rows)


def test_published_names_are_todays(weights, tmp_path):
    older = as_published(weights)
    assert {"expanded_conv_3/squeeze_excite/Conv_1", "expanded_conv/depthwise/BatchNorm", "Conv"} < older.keys()
    write_legacy(tmp_path / "w.h5", older)
    assert keras_weights.read(tmp_path / "w.h5").keys() == weights.keys()


def test_a_network_that_is_a_layer_of_another_is_found(weights, tmp_path):
    write_legacy(tmp_path / "w.h5", weights, scope="MobileNetV3Small")
    network = empty()
    keras_weights.load(network, tmp_path / "w.h5")
    assert np.array_equal(values(network)["blocks/0/norm/mean"], weights["conv_bn"][2])


def test_a_backbone_is_filled_from_a_file_without_a_top(weights, tmp_path):
    without = {name: each for name, each in weights.items() if name not in ("conv_2", "logits")}
    write_zip(tmp_path / "w.keras", without)
    keras_weights.load(empty().blocks, tmp_path / "w.keras")
    with pytest.raises(WeightsError, match=r"w.keras lacks the layer conv_2 \(head/hidden/0 here\)"):
        keras_weights.load(empty(), tmp_path / "w.keras")


def test_what_is_misshapen_or_too_little_is_named(weights, tmp_path):
    path = tmp_path / "w.h5"
    write_legacy(path, weights | {"expanded_conv_2_expand": [np.zeros((1, 1, 24, 80), np.float32)]})
    told = r"expanded_conv_2_expand has a kernel of shape \(1, 1, 24, 80\), expected is \(1, 1, 24, 88\)"
    with pytest.raises(WeightsError, match=told):
        keras_weights.load(empty(), path)
    write_legacy(path, weights | {"conv_1_bn": weights["conv_1_bn"][1:]})
    with pytest.raises(WeightsError, match="layer conv_1_bn: has 3 arrays, expected scale, bias, mean, var"):
        keras_weights.load(empty(), path)


def test_layers_that_keras_numbered_go_by_their_order(tmp_path):
    names = ["conv2d_203", "conv2d_9", "batch_normalization_203", "conv2d_1000", "conv_7b", "block8_10_conv"]
    write_numbered(tmp_path / "w.weights.h5", {name: [np.full(2, float(k))] for k, name in enumerate(names)})
    found = {name: values[0][0] for name, values in keras_weights.read(tmp_path / "w.weights.h5").items()}
    expected = {"conv2d": 1, "conv2d_1": 0, "conv2d_2": 3, "batch_normalization": 2, "conv_7b": 4, "block8_10_conv": 5}
    assert found == expected


def test_published_deviations_are_squared_and_variances_are_not():
    layer, mean = Standardise("normalization"), np.array([0.485, 0.456, 0.406], np.float32)
    published = layer.from_keras([mean, np.array([0.229, 0.224, 0.225], np.float32), np.zeros(())])
    np.testing.assert_allclose(published["var"], np.square([0.229, 0.224, 0.225]), rtol=1e-6)
    own = np.array([0.05, 0.06, 0.07], np.float32)
    assert np.array_equal(layer.from_keras([mean, own, np.zeros(())])["var"], own)


def test_what_is_no_file_of_keras_is_told(weights, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.h5"):
        keras_weights.read(tmp_path / "nowhere.h5")
    (tmp_path / "w.h5").write_bytes(b"something else")
    with pytest.raises(WeightsError, match="w.h5 is not weights of Keras"):
        keras_weights.read(tmp_path / "w.h5")
    np.savez(tmp_path / "w.npz", a=np.zeros(2))
    with pytest.raises(WeightsError, match="w.npz is not weights of Keras"):
        keras_weights.read(tmp_path / "w.npz")
    write_numbered(tmp_path / "old.weights.h5", weights, names=False)
    with pytest.raises(WeightsError, match="names no layers: an older Keras 3 wrote it"):
        keras_weights.read(tmp_path / "old.weights.h5")
