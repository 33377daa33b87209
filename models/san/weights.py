"""Weights of semi-adversarial autoencoders: our own files (`models.weights_file`), and the official checkpoint, read without
running code from it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx

from models import torch_pickle, weights_file
from models.san.autoencoder import WIDTHS, Autoencoder, as_ours, published_names
from models.weights_file import WeightsError


def save(path: Path, network: Autoencoder, card: Mapping[str, Any]) -> None:
    """Writes the autoencoder; `card` has its `size`, `attribute` and whatever else is to be remembered."""
    weights_file.write(path, nnx.to_pure_dict(nnx.state(network, nnx.Param)), {**card, "widths": list(network.widths)})


def load(path: Path) -> tuple[Autoencoder, dict[str, Any]]:
    """The autoencoder in a file that `save` made, and its card. Raises FileNotFoundError and WeightsError."""
    arrays, card = weights_file.read(path, ("widths", "size", "attribute"))
    return weights_file.fill(blank(tuple(card["widths"])), lambda name: weights_file.named(arrays, name, path), path), card


def load_published(path: Path) -> Autoencoder:
    """The network in the authors' conv-autoencoder-e20.pkl, a legacy PyTorch file of tensors.

    Raises FileNotFoundError, WeightsError naming a weight that is missing or of another shape, and
    `torch_pickle.UntrustedPickleError` for a pickle that asks for more than tensors.
    """
    stored = torch_pickle.read_state(path)
    names = published_names()

    def value_of(name: str) -> np.ndarray:
        if names[name] not in stored:
            raise WeightsError(f"{path} lacks {names[name]}; it holds {', '.join(sorted(stored)[:4])} …")
        return as_ours(name, stored[names[name]])

    return weights_file.fill(blank(WIDTHS), value_of, path)


def blank(widths: tuple[int, int, int, int]) -> Autoencoder:
    """An autoencoder with shapes in place of values."""
    return nnx.eval_shape(lambda: Autoencoder(widths, rngs=nnx.Rngs(0)))
