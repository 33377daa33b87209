"""Weights of Keras applications (.h5, .weights.h5, .keras) without TensorFlow, into any network whose layers carry Keras'
names (`models.fer.keras_layers`). Nothing in a file is ever unpickled or run.

The layouts: an .h5 has a group a layer, which lists its arrays in `weight_names` (Keras 1 … 3, "legacy"); a .weights.h5
has a group "vars" a layer, with its arrays by number and the layer's name as an attribute (newer versions of Keras 3; older
ones wrote no names); a .keras is a zip with such a file inside.
"""

import io
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import h5py
import jax.numpy as jnp
import numpy as np
from flax import nnx

from models.fer.keras_layers import Layer
from models.weights_file import WeightsError

INSIDE = "model.weights.h5"  # of a .keras
UNNAMED = re.compile(r"(conv2d|batch_normalization|normalization)(?:_(\d+))?")

Arrays = Mapping[str, list[np.ndarray]]  # of each layer that has any, in Keras' order


def load(network: nnx.Module, path: Path) -> None:
    """Fill every layer of `network`, or of the part of one that is given, with its weights in the Keras file `path`.

    What is there before may be shapes in place of values.

    Raises FileNotFoundError, and WeightsError naming the layer that the file lacks or has in another shape.
    """
    arrays = read(path)
    for place, layer in nnx.iter_modules(network):
        if isinstance(layer, Layer):
            _fill(layer, "/".join(map(str, place)), arrays, path)


def _fill(layer: Layer, place: str, arrays: Arrays, path: Path) -> None:
    if layer.keras not in arrays:
        known = ", ".join(sorted(arrays)[:4])
        raise WeightsError(f"{path} lacks the layer {layer.keras} ({place} here); it holds {known} … of {len(arrays)}")
    try:
        values = layer.from_keras(arrays[layer.keras])
    except ValueError as error:
        raise WeightsError(f"{path}: layer {layer.keras}: {error}") from None
    for name, value in values.items():
        variable = getattr(layer, name)
        if value.shape != variable.shape:
            shape = variable.shape
            raise WeightsError(f"{path}: layer {layer.keras} has a {name} of shape {value.shape}, expected is {shape}")
        variable.set_value(jnp.asarray(value, jnp.float32))


def read(path: Path) -> Arrays:
    """The arrays of each layer, by its name in lower case with "_" for "/" and "bn" for "batchnorm", as today's Keras has
    it. Layers that Keras numbered go by their order from 0: a session's second network begins where its first ended.

    Raises FileNotFoundError, and WeightsError for a file in none of the three layouts.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no weights file {path}")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                source = io.BytesIO(archive.read(INSIDE))
        else:
            source = path
        with h5py.File(source, "r") as file:
            root = file["model_weights"] if "model_weights" in file else file
            found = _legacy(root) if "layer_names" in root.attrs else _by_number(root)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path} is not weights of Keras (.h5, .weights.h5 or .keras): {error}") from error
    if not found:
        raise WeightsError(
            f"{path} names no layers: an older Keras 3 wrote it; open it with a newer one (3.15 is known to do) and save it "
            "again"
        )
    return _renumbered({_as_today(name): each for name, each in found.items()})


def _legacy(root: h5py.Group) -> dict[str, list[np.ndarray]]:
    found = {}
    for layer in map(os.fsdecode, root.attrs["layer_names"]):
        names = [os.fsdecode(name) for name in root[layer].attrs["weight_names"]]
        scopes = {name.rpartition("/")[0] for name in names}
        for name in names:  # a layer that is a network of its own has a scope a layer
            own = layer if len(scopes) == 1 else name.rpartition("/")[0]
            found.setdefault(own, []).append(root[layer][name][()])
    return found


def _by_number(root: h5py.Group) -> dict[str, list[np.ndarray]]:
    found = {}

    def look(place: str, group: h5py.Group | h5py.Dataset) -> None:
        if place.rpartition("/")[2] == "vars" and "name" in group.attrs and len(group):
            found[group.attrs["name"]] = [group[str(number)][()] for number in range(len(group))]

    root.visititems(look)
    return found


def _as_today(name: str) -> str:
    return name.lower().replace("/", "_").replace("batchnorm", "bn")


def _renumbered(arrays: Arrays) -> dict[str, list[np.ndarray]]:
    matches = [match for name in arrays if (match := UNNAMED.fullmatch(name))]
    matches.sort(key=lambda match: (match[1], int(match[2] or 0)))
    counts, names = {}, {}
    for match in matches:
        number = counts[match[1]] = counts.get(match[1], -1) + 1
        names[match[0]] = f"{match[1]}_{number}" if number else match[1]
    return {names.get(name, name): each for name, each in arrays.items()}
