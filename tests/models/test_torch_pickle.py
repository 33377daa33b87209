"""Legacy PyTorch files are read without PyTorch, and nothing in them is run."""

import collections
import io
import os
import pickle
import struct
import sys
import types

import numpy as np
import pytest

from models.torch_pickle import MAGIC, PROTOCOL, UntrustedPickleError, read_plain, read_state

STATE = {
    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "conv.bias": np.array([1.5, -2.0], np.float32),
    "steps": np.array(7, np.int64),
}
KINDS = {"float32": "FloatStorage", "int64": "LongStorage"}




class Writer(pickle.Pickler):
    """Writes arrays as an old `torch.save` wrote tensors: a storage by its key, its values after all objects."""

    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.storages = {}

    def persistent_id(self, thing):
        if isinstance(thing, Storage):
            self.storages[thing.key] = thing.values
            return ("storage", sys.modules["torch"].__dict__[KINDS[thing.values.dtype.name]], thing.key, "cuda:0",
                    thing.values.size, None)
        return None

    def reducer_override(self, thing):
        if isinstance(thing, np.ndarray):
            strides = tuple(step // thing.itemsize for step in thing.strides)
            storage = Storage(str(len(self.storages)), thing.ravel())
            return sys.modules["torch._utils"]._rebuild_tensor, (storage, 0, thing.shape, strides)
        return NotImplemented


class Storage:
    def __init__(self, key, values):
        self.key, self.values = key, values


@pytest.fixture
def torch(monkeypatch):
    """Modules with the names that torch's pickles use; gone again when a file is read."""
    root, inner = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in KINDS.values():
        setattr(root, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor(*_):
        raise AssertionError("nothing in a file is run")

    _rebuild_tensor.__module__, _rebuild_tensor.__qualname__ = "torch._utils", "_rebuild_tensor"
    inner._rebuild_tensor = _rebuild_tensor
    monkeypatch.setitem(sys.modules, "torch", root)
    monkeypatch.setitem(sys.modules, "torch._utils", inner)


def legacy(state):
    """The bytes of a legacy file of `state`."""
    out = io.BytesIO()
    for part in (MAGIC, PROTOCOL, {"little_endian": True}):
        pickle.dump(part, out, protocol=2)
    writer = Writer(out)
    writer.dump(collections.OrderedDict(state))
    pickle.dump(list(writer.storages), out, protocol=2)
    for values in writer.storages.values():
        out.write(struct.pack("<q", values.size) + values.tobytes())
    return out.getvalue()


def test_a_state_dict_comes_back(torch, tmp_path):
    (tmp_path / "weights.pkl").write_bytes(legacy(STATE))
    found = read_state(tmp_path / "weights.pkl")
    assert list(found) == list(STATE)
    for name, value in STATE.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize("kept", [3, 60, -1])
def test_a_file_that_is_cut_short_is_named(torch, tmp_path, kept):
    path = tmp_path / "weights.pkl"
    path.write_bytes(legacy(STATE)[:kept])
    with pytest.raises(UntrustedPickleError, match="weights.pkl"):
        read_state(path)


def test_a_tensor_beyond_its_storage_is_refused(torch, tmp_path):
    content = legacy({"bias": np.zeros(2, np.float32)})
    path = tmp_path / "weights.pkl"
    path.write_bytes(content.replace(b"K\x02\x85", b"K\x09\x85", 1))  # its size (2,) made (9,)
    with pytest.raises(UntrustedPickleError, match="reaches beyond its storage of 2 values"):
        read_state(path)


class Hostile:
    """Runs a command where it is unpickled by the ordinary reader."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_a_pickle_that_would_run_something_is_refused(tmp_path):
    mark, path = tmp_path / "was here", tmp_path / "hostile.pkl"
    parts = [MAGIC, PROTOCOL, {}, {"weight": Hostile(mark)}]
    path.write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in parts))
    with pytest.raises(UntrustedPickleError, match=r"asks for (posix|nt|os)\.mkdir"):
        read_state(path)
    path.write_bytes(pickle.dumps({"G_ema": Hostile(mark)}))
    with pytest.raises(UntrustedPickleError, match=r"asks for (posix|nt|os)\.mkdir"):
        read_plain(path, {})
    assert not mark.exists()
    with path.open("rb") as file:
        pickle.load(file)  # the file is indeed hostile
    assert mark.exists()


def test_another_kind_of_file_is_named(tmp_path):
    path = tmp_path / "picture.pkl"
    path.write_bytes(pickle.dumps(1) + pickle.dumps(2))
    with pytest.raises(UntrustedPickleError, match="its magic number is another"):
        read_state(path)
    path.write_bytes(b"\x89PNG\r\n")
    with pytest.raises(UntrustedPickleError, match="picture.pkl"):
        read_state(path)


def test_the_official_autoencoder_is_read_as_recorded(shared):
    recorded = np.load(shared / "parity/san.npz")
    state = read_state(shared / "data/weights/san_conv-autoencoder-e20.pkl")
    assert sum(value.size for value in state.values()) == 324_248
    for name, value in state.items():
        np.testing.assert_array_equal(value, recorded[f"W/{name}"])
