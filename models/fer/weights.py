"""Weights of expression classifiers on disk: our own .npz with a card, and Keras HDF5 files without TensorFlow.

The card of an .npz (`models.weights_file`) tells network, labels, input size, pixel range, what it was trained on, how well.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from flax import nnx

from models import weights_file
from models.fer.mini_xception import FEATURES, MiniXception
from models.fer.networks import Network, blank, sized
from models.fer.transfer import Transfer
from models.weights_file import WeightsError

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # the published weights' order
GENDERS = ("woman", "man")


def load(path: Path | str) -> tuple[Network, dict[str, Any]]:
    """The network in a .npz of ours or a Keras .hdf5/.h5, and its card.

    The card always has `labels` (class names in order), `size` and `channels` of its input. Raises FileNotFoundError
    and WeightsError.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"no weights at {path}: train them (`python -m flows run evaluate`) or name another file"
        )
    return _load_keras(path) if path.suffix in (".hdf5", ".h5") else _load_npz(path)


def save(path: Path, model: Network, card: Mapping[str, Any]) -> None:
    """Write an .npz beside its place and rename it there; the same weights and card give the same bytes.

    Networks larger than mini-Xception are kept in half precision. The widths of hidden dense layers are added to the card.
    """
    if isinstance(model, Transfer):
        card = {**card, "hidden": list(model.hidden)}
    state = nnx.to_pure_dict(nnx.state(model, (nnx.Param, nnx.BatchStat)))
    weights_file.write(path, state, card, half=not isinstance(model, MiniXception))


def _blank(path: Path, card: dict[str, Any]) -> Network:
    """The network that the card tells of, with shapes in place of values."""
    try:
        name = card.get("network", "mini_xception")
        options = {"hidden": tuple(card["hidden"])} if "hidden" in card else sized(name, card["size"])
        return blank(name, len(card["labels"]), card["channels"], **options)
    except ValueError as error:
        raise WeightsError(f"{path}: {error}") from error


def _load_npz(path: Path) -> tuple[Network, dict[str, Any]]:
    arrays, card = weights_file.read(path, ("labels", "size", "channels"))
    return weights_file.restore(_blank(path, card), arrays, path), card


def _load_keras(path: Path) -> tuple[Network, dict[str, Any]]:
    try:
        with h5py.File(path, "r") as file:
            root = file["model_weights"] if "model_weights" in file else file
            # The scope inside a layer's group differs between files ("conv2d_1_1/kernel:0", "conv2d_1/kernel:0").
            arrays = {
                f"{layer}/{os.fsdecode(name).rsplit('/', 1)[1].removesuffix(':0')}": group[name][()]
                for layer, group in root.items()
                for name in group.attrs["weight_names"]
            }
            config = json.loads(file.attrs["model_config"])
    except (OSError, KeyError) as error:
        raise WeightsError(f"{path} is not a Keras weights file with its configuration: {error}") from error
    kernel = arrays.get("conv2d_1/kernel", np.zeros(0))
    if kernel.shape[:2] != (3, 3) or kernel.shape[-1] != 8:
        raise WeightsError(f"{path}: first kernel {kernel.shape}, mini-Xception has (3, 3, channels, 8)")
    _, side, _, channels = config["config"]["layers"][0]["config"]["batch_input_shape"]
    labels = {len(EXPRESSIONS): EXPRESSIONS, len(GENDERS): GENDERS}.get(len(arrays["conv2d_7/bias"]))
    if labels is None:
        raise WeightsError(
            f"{path} has {len(arrays['conv2d_7/bias'])} classes; 7 (expression) and 2 (gender) are known"
        )
    card = {"network": "mini_xception", "labels": list(labels), "size": side, "channels": channels, "maker": path.name}
    names = keras_names()

    def value_of(name: str) -> np.ndarray:
        try:
            value = arrays[names[name]]
        except KeyError as error:
            raise WeightsError(f"{path} lacks {names[name]}") from error
        # Keras keeps a depthwise kernel as (3, 3, C, 1) and a 1×1 kernel as (1, 1, C, F).
        if name.endswith("depthwise"):
            return value[..., 0]
        return value[0, 0] if name.endswith(("pointwise", "shortcut")) else value

    return weights_file.fill(_blank(path, card), value_of, path), card


def keras_names() -> dict[str, str]:
    """Our weight's path -> Keras' "layer/weight". Keras numbers layers by creation: a module's shortcut comes first."""
    layers = {f"stem/{k}": f"conv2d_{k + 1}/kernel" for k in range(2)}
    layers |= {f"head/{kind}": f"conv2d_7/{kind}" for kind in ("kernel", "bias")}
    norms = {"stem_norms/0": 1, "stem_norms/1": 2}
    for k in range(len(FEATURES)):
        module = f"modules/{k}"
        layers[f"{module}/shortcut"] = f"conv2d_{k + 3}/kernel"
        for which, number in (("first", 2 * k + 1), ("second", 2 * k + 2)):
            layers[f"{module}/{which}/depthwise"] = f"separable_conv2d_{number}/depthwise_kernel"
            layers[f"{module}/{which}/pointwise"] = f"separable_conv2d_{number}/pointwise_kernel"
        for place, norm in enumerate(("shortcut_norm", "first_norm", "second_norm")):
            norms[f"{module}/{norm}"] = 3 * (k + 1) + place
    fields = {"scale": "gamma", "bias": "beta", "mean": "moving_mean", "var": "moving_variance"}
    for norm, number in norms.items():
        layers |= {f"{norm}/{ours}": f"batch_normalization_{number}/{keras}" for ours, keras in fields.items()}
    return layers
