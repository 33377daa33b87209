"""Weights drawn for a network of `models.fer.keras_layers`, and files of them in the layouts that Keras writes."""

import zipfile
import zlib
from pathlib import Path

import h5py
import jax.numpy as jnp
import numpy as np
from flax import nnx

from models.fer.keras_layers import Dense, Layer, Norm, Standardise

Arrays = dict[str, list[np.ndarray]]


def drawn(network: nnx.Module, flat_dense: bool = True) -> Arrays:
    """Of each layer, by Keras' name, arrays that are a function of that name alone."""
    found = {}
    for _, layer in nnx.iter_modules(network):
        if not isinstance(layer, Layer):
            continue
        shapes = [getattr(layer, name).shape for name in layer.WEIGHTS if getattr(layer, name) is not None]
        if isinstance(layer, Dense) and not flat_dense:
            shapes[0] = (1, 1, *shapes[0])
        found[layer.keras] = arrays(layer.keras, shapes, isinstance(layer, Norm))
        if isinstance(layer, Standardise):
            found[layer.keras] = [np.array([0.5, 0.4, 0.3], np.float32), np.array([0.1, 0.2, 0.3], np.float32), np.zeros(())]
    return found


def filled(network: nnx.Module) -> nnx.Module:
    """`network`, of shapes in place of values, with the weights of `drawn`."""
    weights = drawn(network)
    for _, layer in nnx.iter_modules(network):
        if isinstance(layer, Layer):
            for name, value in layer.from_keras(weights[layer.keras]).items():
                getattr(layer, name).set_value(jnp.asarray(value, jnp.float32))
    return network


def arrays(name: str, shapes: list[tuple[int, ...]], norm: bool) -> list[np.ndarray]:
    """Kernels that neither enlarge nor shrink what passes, biases, and, of a `norm`, variances above 0 in the last place."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    made = []
    for place, shape in enumerate(shapes):
        values = rng.normal(size=shape) * 0.1
        if len(shape) > 1:
            fan = shape[0] * shape[1] if shape[-1] == 1 else np.prod(shape[:-1])
            values *= 10 * (2 / fan) ** 0.5
        elif norm and (place == len(shapes) - 1 or (place == 0 and len(shapes) == 4)):
            values = 1 + np.abs(values)
        made.append(values.astype(np.float32))
    return made


def write_legacy(path: Path, weights: Arrays, scope: str = "") -> None:
    """An .h5 of Keras 2; in `scope`, the network is a layer of another one."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = np.array([scope] if scope else list(weights), "S")
        for layer, values in weights.items():
            group = root.require_group(scope or layer)
            names = [f"{layer}/weight_{number}:0" for number in range(len(values))]
            for name, value in zip(names, values):
                group[name] = value
            group.attrs["weight_names"] = np.array([*group.attrs.get("weight_names", []), *map(str.encode, names)], "S")


def write_numbered(path: Path, weights: Arrays, names: bool = True) -> None:
    """A .weights.h5 of Keras 3, in whose older versions layers had no names."""
    with h5py.File(path, "w") as file:
        for number, (layer, values) in enumerate(weights.items()):
            group = file.create_group(f"layers/some_layer_{number}/vars")
            if names:
                group.attrs["name"] = layer
            for place, value in enumerate(values):
                group[str(place)] = value
        file.create_group("layers/activation/vars").attrs["name"] = "activation"


def write_zip(path: Path, weights: Arrays) -> None:
    """A .keras of Keras 3."""
    inside = path.with_suffix(".inside")
    write_numbered(inside, weights)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.write(inside, "model.weights.h5")
