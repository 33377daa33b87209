"""VGG-16's maps (Simonyan and Zisserman 2014, "Very Deep Convolutional Networks", configuration D), as perceptual distances are
measured by (Zhang et al. 2018, LPIPS), from weights in Keras' HDF5 layout that a person brings.

Keras publishes them as vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5 (CC BY 4.0, from the authors' release).
"""

import os
from pathlib import Path

import h5py
import jax
import jax.numpy as jnp
from jax import Array, lax

from models.layers import NHWC, halved_by_maximum
from models.weights_file import WeightsError

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # features and convolutions of each
MEANS = (103.939, 116.779, 123.68)  # of blue, green and red, which the weights expect in this order

Layers = list[list[tuple[Array, Array]]]  # kernel (3, 3, C, F) and bias (F,) of each block's convolutions


def load(path: Path) -> Layers:
    """The convolutions in a Keras HDF5 file. Raises FileNotFoundError, and WeightsError naming what it lacks."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no weights file {path}")
    layers, channels = [], 3
    try:
        with h5py.File(path, "r") as file:
            root = file["model_weights"] if "model_weights" in file else file
            for block, (features, count) in enumerate(BLOCKS, 1):
                layers.append([])
                for number in range(1, count + 1):
                    group = root[f"block{block}_conv{number}"]
                    kernel, bias = (group[os.fsdecode(name)][()] for name in group.attrs["weight_names"])
                    if kernel.shape != (3, 3, channels, features) or bias.shape != (features,):
                        raise WeightsError(f"{path}: block{block}_conv{number} has shapes {kernel.shape} and {bias.shape}, "
                                           f"VGG-16 has {(3, 3, channels, features)} and {(features,)}")
                    layers[-1].append((jnp.asarray(kernel, jnp.float32), jnp.asarray(bias, jnp.float32)))
                    channels = features
    except (OSError, KeyError, ValueError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(f"{path} is not VGG-16 in Keras' HDF5 layout: {error}") from error
    return layers


def maps(layers: Layers, pictures: Array) -> list[Array]:
    """Pictures (N, H, W, 3) RGB in [-1, 1] -> the last map of each block that a picture of that size has."""
    x = (pictures[..., ::-1] + 1) * 127.5 - jnp.array(MEANS, jnp.float32)[None, None, None]
    found = []
    for block, convolutions in enumerate(layers):
        if block:
            if min(x.shape[1:3]) < 2:
                break
            x = halved_by_maximum(x)
        for kernel, bias in convolutions:
            x = lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=NHWC)
            x = jax.nn.relu(x + bias[None, None, None])
        found.append(x)
    return found
