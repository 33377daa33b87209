"""A small VGG-Face with drawn values, and the Keras file that its publishers' layout makes of it."""

from pathlib import Path

import h5py
import numpy as np
from flax import nnx

from models import weights_file
from models.san.vgg_face import VggFace, layers
from models.weights_file import flat

SIZES = {"widths": (2, 3, 4, 5, 6), "hidden": 8, "people": 7, "places": 2}


def drawn() -> VggFace:
    """Drawn by numpy: in JAX each shape would have to be compiled."""
    blank = nnx.eval_shape(lambda: VggFace(**SIZES, rngs=nnx.Rngs(0)))
    rng = np.random.default_rng(0)
    state = flat(nnx.to_pure_dict(nnx.state(blank)))
    arrays = {name: rng.normal(0, 0.3, value.shape).astype(np.float32) for name, value in state.items()}
    return weights_file.fill(blank, arrays.__getitem__, "drawn")


def values(network: VggFace) -> dict[str, np.ndarray]:
    return {name: np.asarray(value) for name, value in flat(nnx.to_pure_dict(nnx.state(network))).items()}


def write_keras(network: VggFace, path: Path) -> Path:
    """As keras-vggface: the first kernel in BGR."""
    with h5py.File(path, "w") as file:
        for ours, theirs in layers().items():
            kernel = values(network)[f"{ours}/kernel"]
            group = file.create_group(theirs)
            group[f"{theirs}/kernel:0"] = kernel[:, :, ::-1] if theirs == "conv1_1" else kernel
            group[f"{theirs}/bias:0"] = values(network)[f"{ours}/bias"]
            group.attrs["weight_names"] = [f"{theirs}/kernel:0".encode(), f"{theirs}/bias:0".encode()]
    return path
