"""Tensors out of PyTorch's legacy files and out of plain pickles, without PyTorch and without running code from them.

A pickle is a program: it may name any function and call it. Here only the names in a short table are understood, and what
they are mapped to builds arrays and nothing else; any other name is refused. The legacy format (PyTorch up to 1.5, and
still inside pickled modules) is five parts: magic number, protocol, system, the objects, and the storages' raw bytes.
"""

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
STORAGES = {
    "DoubleStorage": np.float64,
    "FloatStorage": np.float32,
    "HalfStorage": np.float16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}


class UntrustedPickleError(ValueError):
    """A pickle asks for something that reading weights does not need, or is damaged."""


class Storage:
    """A flat array that tensors are views of; a legacy file brings its values after all objects."""

    def __init__(self, kind: np.dtype, count: int):
        self.kind, self.count = kind, count
        self.values: np.ndarray | None = None


class Tensor:
    """Which part of a storage a tensor is; its array exists when the storage has been read."""

    def __init__(self, storage: Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any):
        self.storage, self.offset, self.size, self.stride = storage, offset, tuple(size), tuple(stride)

    def array(self) -> np.ndarray:
        """A copy of the values, of the tensor's shape. Raises UntrustedPickleError where they lie outside the storage."""
        values = self.storage.values
        if values is None:
            raise UntrustedPickleError("a tensor's storage is missing from the file")
        empty = 0 in self.size
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        if min(self.offset, *self.size, *self.stride, 0) < 0 or (not empty and last >= len(values)):
            raise UntrustedPickleError(f"a tensor {self.size} reaches beyond its storage of {len(values)} values")
        if empty:
            return np.empty(self.size, values.dtype)
        steps = [step * values.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(values[self.offset :], self.size, steps, writeable=False).copy()


def _parameter(tensor: Tensor, *_: Any) -> Tensor:
    return tensor


def _storage_from_bytes(content: bytes) -> Storage:
    return read_legacy(io.BytesIO(content), "a storage inside the file")


TENSORS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor"): Tensor,
    ("torch._utils", "_rebuild_tensor_v2"): Tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch.storage", "_load_from_bytes"): _storage_from_bytes,
} | {("torch", name): np.dtype(kind) for name, kind in STORAGES.items()}


class Reader(pickle.Unpickler):
    """An unpickler that understands the names in `known` and refuses every other one."""

    def __init__(self, file: BinaryIO, known: Mapping[tuple[str, str], Any], place: str, **options: Any):
        super().__init__(file, **options)
        self.known, self.place, self.storages = known, place, {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.known:
            raise UntrustedPickleError(f"{self.place} asks for {module}.{name}, which weights do not need: not read. "
                                       "If you trust it, convert it to plain arrays with the program that made it")
        return self.known[module, name]

    def persistent_load(self, identity: Any) -> Storage:
        """A storage that a legacy file names before it brings its values."""
        match identity:
            case ("storage", np.dtype() as kind, str() as key, _, int() as count, *_):
                return self.storages.setdefault(key, Storage(kind, count))
        raise UntrustedPickleError(f"{self.place} names {identity!r} where a storage is expected")


def read_legacy(file: BinaryIO, place: str) -> Any:
    """The objects of a legacy PyTorch file, tensors as `Tensor`; `place` is what errors call it."""

    def load(**options: Any) -> tuple[Any, dict[str, Storage]]:
        reader = Reader(file, TENSORS, place, **options)
        try:
            return reader.load(), reader.storages
        except UntrustedPickleError:
            raise
        except Exception as error:  # a damaged pickle may raise nearly anything
            raise UntrustedPickleError(f"{place} is not a readable legacy PyTorch file: {error}") from error

    if load()[0] != MAGIC or load()[0] != PROTOCOL:
        raise UntrustedPickleError(f"{place} is not a legacy PyTorch file: its magic number is another")
    load()  # the system it was written on
    objects, storages = load()
    for key in load()[0]:
        if key not in storages:
            raise UntrustedPickleError(f"{place} brings a storage {key!r} that nothing uses")
        storage = storages[key]
        count = int.from_bytes(file.read(8), "little")
        content = file.read(count * storage.kind.itemsize) if count == storage.count else b""
        if len(content) != storage.count * storage.kind.itemsize:
            raise UntrustedPickleError(f"{place} is cut short: storage {key!r} should hold {storage.count} values")
        storage.values = np.frombuffer(content, storage.kind.newbyteorder("<")).astype(storage.kind)
    return objects


def read_state(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a state dict that an old `torch.save` wrote, by name.

    Raises FileNotFoundError and UntrustedPickleError.
    """
    with Path(path).open("rb") as file:
        objects = read_legacy(file, str(path))
    if not isinstance(objects, dict) or not all(isinstance(value, Tensor) for value in objects.values()):
        raise UntrustedPickleError(f"{path} holds {type(objects).__name__}, expected a state dict of tensors")
    return {str(name): value.array() for name, value in objects.items()}


def read_plain(path: Path, known: Mapping[tuple[str, str], Callable[..., Any]]) -> Any:
    """The objects of a plain pickle that names nothing but `known` and tensors. Python 2's text is read as Latin-1.

    Raises FileNotFoundError and UntrustedPickleError.
    """
    with Path(path).open("rb") as file:
        try:
            return Reader(file, TENSORS | dict(known), str(path), encoding="latin1").load()
        except UntrustedPickleError:
            raise
        except Exception as error:  # a damaged pickle may raise nearly anything
            raise UntrustedPickleError(f"{path} is not a readable pickle: {error}") from error
