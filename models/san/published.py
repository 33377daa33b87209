"""The official weights of SAN (github.com/iPRoBe-lab/semi-adversarial-networks, MIT) as our networks, from PyTorch's legacy
files without PyTorch; nothing in the files is run.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from flax import nnx

from models import weights_file
from models.san.autoencoder import Autoencoder
from models.san.gender import PaperClassifier
from models.torch_pickle import read_state
from models.weights_file import WeightsError

AUTOENCODER = {
    "encoder/0": "autoencoder.0",
    "encoder/1": "autoencoder.3",
    "expand": "autoencoder.6",
    "refine": "autoencoder.9",
    "combine": "protocombiner.0",
}
CLASSIFIER = {f"layers/{number}": f"features.{3 * number}" for number in range(6)} | {"out": "classifier.1"}


def read_autoencoder(path: Path) -> Autoencoder:
    """The autoencoder in `conv-autoencoder-e20.pkl` or a file like it, of whatever widths.

    Raises FileNotFoundError, UntrustedPickleError, and WeightsError naming what is missing or of another shape.
    """
    arrays = renamed(read_state(path), AUTOENCODER, path)
    widths = [arrays[f"{layer}/bias"].size for layer in ("encoder/0", "encoder/1", "expand", "refine")]
    blank = nnx.eval_shape(lambda: Autoencoder(tuple(widths[:2]), tuple(widths[2:]), rngs=nnx.Rngs(0)))
    return weights_file.restore(blank, arrays, path)


def read_classifier(path: Path) -> PaperClassifier:
    """The gender classifier (woman 0, man 1) in `aux-gpred.pkl` or a file like it. Raises as `read_autoencoder` does."""
    arrays = renamed(read_state(path), CLASSIFIER, path)
    blank = nnx.eval_shape(lambda: PaperClassifier(arrays["out/bias"].size, rngs=nnx.Rngs(0)))
    return weights_file.restore(blank, arrays, path)


def renamed(state: Mapping[str, np.ndarray], names: Mapping[str, str], path: Path) -> dict[str, np.ndarray]:
    """Arrays by our names and in our layout: kernels OIHW as HWIO, (out, in) as (in, out)."""
    arrays = {}
    for ours, theirs in names.items():
        for kind, ending in (("kernel", "weight"), ("bias", "bias")):
            if f"{theirs}.{ending}" not in state:
                raise WeightsError(f"{path} lacks {theirs}.{ending}; it holds {', '.join(sorted(state)[:4])} …")
            value = state[f"{theirs}.{ending}"]
            arrays[f"{ours}/{kind}"] = value.transpose(2, 3, 1, 0) if value.ndim == 4 else value.T
    return arrays
