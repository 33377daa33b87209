"""Inception-v3's last features (Szegedy et al. 2015, "Rethinking the Inception Architecture", table 1), as Fréchet distances are
measured by, from weights in Keras' HDF5 layout that a person brings.

Keras publishes them as inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5 (Apache-2.0). They are another training than
that of the original FID program: figures by them can be compared with each other, not with published ones.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import h5py
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from models.layers import NHWC, channelwise
from models.weights_file import WeightsError

SIZE = 299  # pixels of a picture
CONVOLUTIONS = 94
EPSILON = 1e-3

Layers = list[tuple[Array, Array, Array]]  # kernel (k, l, C, F), scale and shift (F,) of each convolution, in Keras' order


def load(path: Path) -> Layers:
    """The convolutions in a Keras HDF5 file, each with its normalisation. Raises FileNotFoundError and WeightsError."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no weights file {path}")
    try:
        with h5py.File(path, "r") as file:
            root = file["model_weights"] if "model_weights" in file else file
            kernels, norms = (_in_order(root, name) for name in ("conv2d", "batch_normalization"))
    except (OSError, KeyError) as error:
        raise WeightsError(f"{path} is not Inception-v3 in Keras' HDF5 layout: {error}") from error
    if len(kernels) != CONVOLUTIONS or len(norms) != CONVOLUTIONS:
        raise WeightsError(f"{path} has {len(kernels)} convolutions and {len(norms)} normalisations, Inception-v3 has 94 of each")
    layers = []
    for (kernel,), (shift, mean, variance) in zip(kernels, norms):
        scale = (variance + EPSILON) ** -0.5
        layers.append(tuple(jnp.asarray(each, jnp.float32) for each in (kernel, scale, shift - mean * scale)))
    return layers


def _in_order(root: h5py.Group, kind: str) -> list[list[np.ndarray]]:
    """The weights of all layers of a kind, "conv2d", "conv2d_1", …, by their numbers."""
    named = [name for name in root if name == kind or name.startswith(f"{kind}_")]
    named.sort(key=lambda name: int(name.removeprefix(kind).removeprefix("_") or 0))
    return [[root[name][os.fsdecode(weight)][()] for weight in root[name].attrs["weight_names"]] for name in named]


def features(layers: Layers, pictures: Array) -> Array:
    """Pictures (N, H, W, 3) RGB in [-1, 1], enlarged or shrunk to 299×299 -> (N, 2048)."""
    following = iter(layers)
    x = _halved(_stem(jax.image.resize(pictures, (len(pictures), SIZE, SIZE, 3), "linear"), following))
    for _ in range(3):  # 35×35
        parts = [_row(x, following), _rows(x, following, 2), _rows(x, following, 3), _row(_averaged(x), following)]
        x = jnp.concatenate(parts, axis=-1)
    parts = [_row(x, following, "VALID", 2), _row(_rows(x, following, 2), following, "VALID", 2), _halved(x)]
    x = jnp.concatenate(parts, axis=-1)
    for _ in range(4):  # 17×17
        parts = [_row(x, following), _rows(x, following, 3), _rows(x, following, 5), _row(_averaged(x), following)]
        x = jnp.concatenate(parts, axis=-1)
    first = _row(_row(x, following), following, "VALID", 2)
    second = _row(_rows(x, following, 3), following, "VALID", 2)
    x = jnp.concatenate([first, second, _halved(x)], axis=-1)
    for _ in range(2):  # 8×8
        parts = [_row(x, following)]
        for depth in (1, 2):
            y = _rows(x, following, depth)
            parts += [_row(y, following), _row(y, following)]
        x = jnp.concatenate([*parts, _row(_averaged(x), following)], axis=-1)
    return jnp.mean(x, axis=(1, 2))


def patches(layers: Layers, pictures: Array) -> Array:
    """Pictures (N, H, W, 3) RGB in [-1, 1], at their own size of at least 27 pixels -> (N, h, w, 192), the maps before the
    second pooling, whose places each see a patch (Shaham et al. 2019, section 3)."""
    return _stem(pictures, iter(layers))


def _stem(x: Array, following: Iterator) -> Array:
    x = _row(x, following, "VALID", stride=2)
    x = _row(x, following, "VALID")
    x = _halved(_row(x, following))
    x = _row(x, following, "VALID")
    return _row(x, following, "VALID")


def _row(x: Array, following: Iterator, padding: str = "SAME", stride: int = 1) -> Array:
    """The next convolution, its normalisation, ReLU."""
    kernel, scale, shift = next(following)
    x = lax.conv_general_dilated(x, kernel, (stride, stride), padding, dimension_numbers=NHWC)
    return jax.nn.relu(x * channelwise(scale) + channelwise(shift))


def _rows(x: Array, following: Iterator, count: int) -> Array:
    for _ in range(count):
        x = _row(x, following)
    return x


def _halved(x: Array) -> Array:
    """3×3 maximum, stride 2."""
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), "VALID")


def _averaged(x: Array) -> Array:
    """3×3 mean of what lies within the map."""
    sums, counts = (lax.reduce_window(each, 0.0, lax.add, (1, 3, 3, 1), (1, 1, 1, 1), "SAME") for each in (x, jnp.ones_like(x)))
    return sums / counts
