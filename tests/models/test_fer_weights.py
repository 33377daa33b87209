"""Weights files: round trips, same bytes, and every way in which a file can be wrong."""

import json

import h5py
import numpy as np
import pytest
from flax import nnx

from models.fer import weights
from models.fer.mini_xception import MiniXception
from models.weights_file import flat

CARD = {"network": "mini_xception", "labels": list(weights.EXPRESSIONS), "size": 48, "channels": 1}


@pytest.fixture(scope="module")
def model():
    return MiniXception(rngs=nnx.Rngs(3))


def test_round_trip_keeps_every_value_and_the_card(tmp_path, model):
    weights.save(tmp_path / "w.npz", model, CARD)
    again, card = weights.load(tmp_path / "w.npz")
    before, after = (flat(nnx.to_pure_dict(nnx.state(m))) for m in (model, again))
    assert card == CARD and before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_the_same_weights_give_the_same_bytes_and_nothing_half_written(tmp_path, model):
    weights.save(tmp_path / "a.npz", model, CARD)
    weights.save(tmp_path / "b.npz", weights.load(tmp_path / "a.npz")[0], CARD)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.npz"):
        weights.load(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("damage", [lambda data: data[:2000], lambda data: b"", lambda data: b"PK" + data[2:600]])
def test_a_truncated_file_is_named(tmp_path, model, damage):
    path = tmp_path / "w.npz"
    weights.save(path, model, CARD)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(weights.WeightsError, match="w.npz is not a weights file"):
        weights.load(path)


def test_a_pickle_inside_is_never_opened(tmp_path):
    path = tmp_path / "w.npz"
    np.savez(path, card=np.array(json.dumps(CARD)), evil=np.array([object()], dtype=object))
    with pytest.raises(weights.WeightsError):
        weights.load(path)


def test_a_lacking_and_a_misshapen_weight_are_named(tmp_path, model):
    path = tmp_path / "w.npz"
    weights.save(path, model, CARD)
    with np.load(path) as stored:
        arrays = dict(stored)
    np.savez(path, **{name: value for name, value in arrays.items() if name != "head/bias"})
    with pytest.raises(weights.WeightsError, match="lacks head/bias"):
        weights.load(path)
    np.savez(path, **(arrays | {"head/bias": np.zeros(9, np.float32)}))
    with pytest.raises(weights.WeightsError, match=r"head/bias has shape \(9,\)"):
        weights.load(path)


def test_another_keras_network_is_refused_by_its_first_kernel(tmp_path):
    path = tmp_path / "other.hdf5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"
        group = file.create_group("model_weights/conv2d_1")
        group.create_dataset("conv2d_1/kernel:0", data=np.zeros((5, 5, 1, 8)))
        group.attrs["weight_names"] = [b"conv2d_1/kernel:0"]
    with pytest.raises(weights.WeightsError, match=r"first kernel \(5, 5, 1, 8\)"):
        weights.load(path)
    path.write_bytes(b"not hdf5")
    with pytest.raises(weights.WeightsError, match="not a Keras weights file"):
        weights.load(path)
