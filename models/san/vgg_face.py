"""VGG-Face, the matcher that SAN was trained against (Parkhi, Vedaldi and Zisserman 2015, "Deep Face Recognition", network
D): 13 convolutions and three full layers, whose 2,622 outputs before the softmax, of length 1, describe a face.

Its weights are their publisher's to give (research only) and no part of this project; a user who has them may read them
from two common layouts. The network learnt RGB in 0 … 255 less the mean colour. A grey face is shown to it as three equal
channels: that is what the official SAN program does by adding up the first kernels and subtracting a recorded correction,
which is the response to the mean colour with its border of zeros. The Keras port forgot the mean.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from models import weights_file
from models.layers import halved_by_maximum
from models.san.gender import Convolution
from models.torch_pickle import read_state
from models.weights_file import WeightsError

MEAN = (129.1863, 104.7624, 93.5940)  # red, green, blue
WIDTHS, DEPTHS = (64, 128, 256, 512, 512), (2, 2, 3, 3, 3)
HIDDEN, PEOPLE = 4096, 2622
PLACES = 7  # a side, that the first full layer sees
FULL = ("fc6", "fc7", "fc8")


class VggFace(nnx.Module):
    """Grey (N, S, S, 1) or RGB (N, S, S, 3) in [0, 1], S = 224 -> (N, 2622) of length 1."""

    def __init__(
        self,
        widths: Sequence[int] = WIDTHS,
        hidden: int = HIDDEN,
        people: int = PEOPLE,
        places: int = PLACES,
        *,
        rngs: nnx.Rngs,
    ):
        self.side = places * 2 ** len(widths)
        channels, blocks = 3, []
        for features, depth in zip(widths, DEPTHS):
            shapes = [(channels, features), *[(features, features)] * (depth - 1)]
            blocks.append(nnx.List([Convolution(c, f, 3, "SAME", rngs) for c, f in shapes]))
            channels = features
        self.blocks = nnx.List(blocks)
        sizes = (places * places * channels, hidden, hidden, people)
        self.full = nnx.List([nnx.Linear(i, o, rngs=rngs) for i, o in zip(sizes, sizes[1:])])

    def __call__(self, x: Array) -> Array:
        if x.shape[1:3] != (self.side, self.side) or x.shape[3] not in (1, 3):
            raise ValueError(f"faces are {x.shape[1:]}, expected {self.side}×{self.side} pixels, grey or RGB")
        x = 255.0 * jnp.broadcast_to(x, (*x.shape[:3], 3)) - jnp.asarray(MEAN).reshape(1, 1, 1, 3)
        for block in self.blocks:
            for convolution in block:
                x = jax.nn.relu(convolution(x))
            x = halved_by_maximum(x)
        x = x.reshape(x.shape[0], -1)
        for layer in self.full[:-1]:
            x = jax.nn.relu(layer(x))
        described = self.full[-1](x)
        return described / jnp.maximum(jnp.linalg.norm(described, axis=1, keepdims=True), 1e-12)


def read(path: Path) -> VggFace:
    """The network in a legacy PyTorch state dict with layers conv1_1 … fc8 (RGB, as `vgg_face_dag`), or in a Keras .h5 with
    the same names (BGR, as keras-vggface).

    The channel order goes with the layout, since a file does not tell it. Raises FileNotFoundError, UntrustedPickleError,
    and WeightsError naming what is missing or of another shape.
    """
    path = Path(path)
    arrays = _keras(path) if path.suffix in (".h5", ".hdf5") else _pytorch(path)
    widths = [arrays[f"blocks/{block}/0/bias"].size for block in range(len(DEPTHS))]
    hidden, people = arrays["full/0/bias"].size, arrays["full/2/bias"].size
    places = round((arrays["full/0/kernel"].shape[0] / widths[-1]) ** 0.5)
    blank = nnx.eval_shape(lambda: VggFace(widths, hidden, people, places, rngs=nnx.Rngs(0)))
    return weights_file.restore(blank, arrays, path)


def layers() -> dict[str, str]:
    """Our layer's path -> its published name: "blocks/0/1" -> "conv1_2"."""
    convolutions = {
        f"blocks/{block}/{place}": f"conv{block + 1}_{place + 1}"
        for block, depth in enumerate(DEPTHS)
        for place in range(depth)
    }
    return convolutions | {f"full/{place}": name for place, name in enumerate(FULL)}


def _pytorch(path: Path) -> dict[str, np.ndarray]:
    state = read_state(path)

    def value_of(layer: str, kind: str) -> np.ndarray:
        value = state[f"{layer}.{'weight' if kind == 'kernel' else kind}"]
        if kind == "bias":
            return value
        if layer == "fc6":  # sees channels first, and may be kept as the convolution that it is
            channels = state["conv5_3.bias"].size
            places = round((value.size / len(value) / channels) ** 0.5)
            value = value.reshape(len(value), channels, places, places)
            return value.transpose(2, 3, 1, 0).reshape(-1, len(value))
        return value.transpose(2, 3, 1, 0) if layer.startswith("conv") else value.reshape(len(value), -1).T

    return _named(value_of, path)


def _keras(path: Path) -> dict[str, np.ndarray]:
    try:
        with h5py.File(path, "r") as file:
            root = file["model_weights"] if "model_weights" in file else file
            stored = {
                layer: [group[name][()] for name in map(os.fsdecode, group.attrs["weight_names"])]
                for layer, group in root.items()
            }
    except (OSError, KeyError) as error:
        raise WeightsError(f"{path} is not a Keras weights file: {error}") from error

    def value_of(layer: str, kind: str) -> np.ndarray:
        kernel, bias = stored[layer]
        if kind == "bias":
            return bias
        if layer == "conv1_1":
            return kernel[:, :, ::-1]  # BGR
        return kernel.reshape(-1, kernel.shape[-1]) if layer in FULL else kernel

    return _named(value_of, path)


def _named(value_of: Callable[[str, str], np.ndarray], path: Path) -> dict[str, np.ndarray]:
    arrays = {}
    for ours, theirs in layers().items():
        for kind in ("kernel", "bias"):
            try:
                arrays[f"{ours}/{kind}"] = value_of(theirs, kind)
            except (KeyError, ValueError) as error:
                raise WeightsError(f"{path} lacks {theirs}'s {kind}, or has it in another form: {error}") from error
    return arrays
