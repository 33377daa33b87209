"""The released MTCNN weights (Zhang et al. 2016), as the `mtcnn` package carries them, put into our networks.

Each `.lz4` file of that package is a joblib list of arrays in the order of the Keras layers, kernels in (H, W)
orientation. The package itself is never imported, since that would import TensorFlow. joblib unpickles, which is safe
only because these files come from a package that the lock pins by its hash: nothing else may be read this way.
"""

from importlib.util import find_spec
from pathlib import Path

import jax.numpy as jnp
import joblib
import numpy as np
from flax import nnx

from models.mtcnn.networks import ONet, PNet, RNet

# The Keras order: the layers of the trunk, then the heads by their (ipazc) numbers.
ORDER = {
    "pnet": (PNet, ("conv1", "prelu1", "conv2", "prelu2", "conv3", "prelu3", "box", "face")),
    "rnet": (RNet, ("conv1", "prelu1", "conv2", "prelu2", "conv3", "prelu3", "dense4", "prelu4", "box", "face")),
    "onet": (ONet, ("conv1", "prelu1", "conv2", "prelu2", "conv3", "prelu3", "conv4", "prelu4", "dense5", "prelu5",
                    "box", "landmarks", "face")),
}


def folder() -> Path:
    """Where the installed `mtcnn` package keeps its weights; FileNotFoundError when it is not installed."""
    package = find_spec("mtcnn")
    if package is None or package.origin is None:
        raise FileNotFoundError("MTCNN's weights come with the Python package 'mtcnn', which is not installed: "
                                "install the packages of requirements.lock (./run does it)")
    return Path(package.origin).parent / "assets" / "weights"


def load() -> tuple[PNet, RNet, ONet]:
    """The three networks with their released weights; FileNotFoundError or ValueError when those are not there."""
    return tuple(network(name) for name in ORDER)


def network(name: str) -> PNet | RNet | ONet:
    """One network, "pnet", "rnet" or "onet", with its released weights."""
    path = folder() / f"{name}.lz4"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: MTCNN's weights are those of the package mtcnn 1.0.0")
    arrays = [np.asarray(array, np.float32) for array in joblib.load(path)]
    kind, layers = ORDER[name]
    net = nnx.eval_shape(lambda: kind(nnx.Rngs(0)))
    slots = [slot for layer in layers for slot in parameters(getattr(net, layer))]
    shapes = [slot.shape for slot in slots]
    if [array.size for array in arrays] != [int(np.prod(shape)) for shape in shapes]:
        raise ValueError(f"{path} holds arrays of shapes {[array.shape for array in arrays]}, expected {shapes}")
    for slot, array in zip(slots, arrays, strict=True):
        slot.set_value(jnp.asarray(array.reshape(slot.shape)))  # PReLU's alpha comes as (1, 1, C)
    return net


def parameters(layer: nnx.Module) -> tuple[nnx.Param, ...]:
    return (layer.alpha,) if hasattr(layer, "alpha") else (layer.kernel, layer.bias)
