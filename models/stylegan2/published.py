"""Published StyleGAN2 weights, read without running code from them: NVIDIA's TensorFlow pickles (StyleGAN2 and its ADA
version) and ADA-PyTorch's. Their weights are for research and evaluation only, whoever reads them.

Every array is looked up by name and checked against the shape that the architecture implies.
"""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx

from models import weights_file
from models.stylegan2.discriminator import Discriminator
from models.stylegan2.generator import Architecture, Generator
from models.torch_pickle import Tensor, UntrustedPickleError, read_plain

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Published:
    """What such a file holds: the averaged generator, the discriminator, and what both are built from."""

    arch: Architecture
    generator: Generator
    discriminator: Discriminator


class Network:
    """A pickled network of NVIDIA's TensorFlow library: its `__dict__`, nothing that runs."""


class Module:
    """A pickled PyTorch module of ADA's: parameters, buffers and modules by name; its source is not looked at."""

    def __init__(self, meta: Mapping[str, Any]):
        self.__dict__.update(meta["state"])


def _bytes(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise UntrustedPickleError(f"bytes in the encoding {encoding!r}; Python's pickles use latin1")
    return codecs.encode(text, encoding)


_PLACES = ("numpy.core.multiarray", "numpy._core.multiarray")
_RECONSTRUCT, _, _ = np.empty(0).__reduce__()
_SCALAR, _ = np.float64(0).__reduce__()
KNOWN: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _bytes,
    ("dnnlib.util", "EasyDict"): dict,
    ("dnnlib.tflib.network", "Network"): Network,
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): Module,
}
KNOWN |= {(place, "_reconstruct"): _RECONSTRUCT for place in _PLACES}
KNOWN |= {(place, "scalar"): _SCALAR for place in _PLACES}


def read(path: Path) -> Published:
    """The networks in a published pickle of either layout.

    Raises:
        FileNotFoundError: there is no such file.
        UntrustedPickleError: it asks for more than arrays, or is damaged.
        ValueError: it holds something else than a StyleGAN2, or a weight is missing or of another shape.
    """
    objects = read_plain(path, KNOWN)
    match objects:
        case (Network(), Network() as critic, Network() as averaged):
            generator, discriminator = _tensorflow_arrays(averaged), _tensorflow_arrays(critic)
            to_g, to_d = tensorflow_generator, tensorflow_discriminator
        case {"G_ema": Module() as averaged, "D": Module() as critic}:
            generator, discriminator = _pytorch_arrays(averaged), _pytorch_arrays(critic)
            to_g, to_d = pytorch_generator, pytorch_discriminator
        case _:
            raise ValueError(f"{path} holds {type(objects).__name__}, expected NVIDIA's (G, D, Gs) or {{G_ema, D, …}}")
    arch = _architecture(path, generator)
    shapes = nnx.eval_shape(lambda: Generator(arch, rngs=nnx.Rngs(0)))
    critic_shapes = nnx.eval_shape(lambda: Discriminator(arch, rngs=nnx.Rngs(0)))
    return Published(
        arch,
        weights_file.fill(shapes, lambda name: to_g(generator, name, arch), path),
        weights_file.fill(critic_shapes, lambda name: to_d(discriminator, name, arch), path),
    )


def pytorch_generator(arrays: Arrays, name: str, arch: Architecture) -> np.ndarray:
    """The value of our weight `name` from ADA-PyTorch's names. Raises KeyError with theirs where it is missing."""
    match name.split("/"):
        case ["mapping", "average"]:
            return arrays["mapping.w_avg"]
        case ["mapping", "dense", number, kind]:
            return _turned(arrays[f"mapping.fc{number}.{kind}"])
        case ["mapping", "embed", kind]:
            return _turned(arrays[f"mapping.embed.{kind}"])
        case ["synthesis", "blocks", number, "const"]:
            return arrays[f"synthesis.b{arch.resolutions[int(number)]}.const"].transpose(1, 2, 0)
        case ["synthesis", "blocks", number, layer, *rest]:
            theirs = {"grow": "conv0", "conv": "conv1", "to_rgb": "torgb"}[layer]
            place = f"synthesis.b{arch.resolutions[int(number)]}.{theirs}"
            match rest:
                case ["affine", kind]:
                    return _turned(arrays[f"{place}.affine.{kind}"])
                case ["kernel"]:
                    kernel = arrays[f"{place}.weight"].transpose(2, 3, 1, 0)
                    return kernel[::-1, ::-1] if layer == "grow" else kernel  # stored flipped where the picture grows
                case [kind]:
                    return arrays[f"{place}.{'noise_const' if kind == 'noise' else kind}"]
    raise KeyError(name)


def pytorch_discriminator(arrays: Arrays, name: str, arch: Architecture) -> np.ndarray:
    """As `pytorch_generator`, of the discriminator."""
    match name.split("/"):
        case ["blocks", number, layer, kind]:
            theirs = {"from_rgb": "fromrgb", "conv": "conv0", "down": "conv1", "skip": "skip"}[layer]
            value = arrays[f"b{arch.resolutions[-1 - int(number)]}.{theirs}.{'weight' if kind == 'kernel' else kind}"]
            return value.transpose(2, 3, 1, 0) if kind == "kernel" else value
        case ["conv", "kernel"]:
            return arrays["b4.conv.weight"].transpose(2, 3, 1, 0)
        case ["conv", "bias"]:
            return arrays["b4.conv.bias"]
        case [("dense" | "out") as layer, kind]:
            return _turned(arrays[f"b4.{'fc' if layer == 'dense' else 'out'}.{kind}"])
        case ["embed", kind]:
            return _turned(arrays[f"mapping.embed.{kind}"])
        case ["labels", number, kind]:
            return _turned(arrays[f"mapping.fc{number}.{kind}"])
    raise KeyError(name)


def tensorflow_generator(arrays: Arrays, name: str, arch: Architecture) -> np.ndarray:
    """The value of our weight `name` from the TensorFlow names. Raises KeyError with theirs where it is missing."""
    match name.split("/"):
        case ["mapping", "average"]:
            return arrays["dlatent_avg"]
        case ["mapping", "dense", number, kind]:
            return arrays[f"mapping/Dense{number}/{kind}"]
        case ["mapping", "embed", kind]:
            return arrays[f"mapping/LabelEmbed/{kind}"]
        case ["synthesis", "blocks", _, "const"]:
            return arrays["synthesis/4x4/Const/const"][0].transpose(1, 2, 0)
        case ["synthesis", "blocks", number, layer, *rest]:
            size = arch.resolutions[int(number)]
            theirs = {"grow": "Conv0_up", "conv": "Conv" if size == 4 else "Conv1", "to_rgb": "ToRGB"}[layer]
            place = f"synthesis/{size}x{size}/{theirs}"
            match rest:
                case ["affine", "weight"]:
                    return arrays[f"{place}/mod_weight"]
                case ["affine", "bias"]:
                    return arrays[f"{place}/mod_bias"] + 1
                case ["kernel"]:
                    return arrays[f"{place}/weight"]
                case ["noise"]:
                    place = 2 * int(number) - (layer == "grow")
                    return arrays[f"synthesis/noise{place}"][0, 0]
                case [kind]:
                    return arrays[f"{place}/{kind}"]
    raise KeyError(name)


def tensorflow_discriminator(arrays: Arrays, name: str, arch: Architecture) -> np.ndarray:
    """As `tensorflow_generator`, of the discriminator."""
    match name.split("/"):
        case ["blocks", number, layer, kind]:
            size = arch.resolutions[-1 - int(number)]
            theirs = {"from_rgb": "FromRGB", "conv": "Conv0", "down": "Conv1_down", "skip": "Skip"}[layer]
            return arrays[f"{size}x{size}/{theirs}/{'weight' if kind == 'kernel' else kind}"]
        case ["conv", kind]:
            return arrays[f"4x4/Conv/{'weight' if kind == 'kernel' else kind}"]
        case ["dense", kind]:
            return arrays[f"4x4/Dense0/{kind}"]
        case ["out", kind]:
            return arrays[f"Output/{kind}"]
    raise KeyError(name)


def _turned(value: np.ndarray) -> np.ndarray:
    """(out, in) as (in, out); a bias as it is."""
    return value.T if value.ndim == 2 else value


def _tensorflow_arrays(network: Network) -> dict[str, np.ndarray]:
    """All variables of a network and its components, by their names within it."""
    state = vars(network)
    arrays = dict(state.get("variables", ()))
    for name, component in state.get("components", {}).items():
        arrays |= {f"{name}/{key}": value for key, value in _tensorflow_arrays(component).items()}
    return arrays


def _pytorch_arrays(module: Module) -> dict[str, np.ndarray]:
    """All parameters and buffers of a module and those within it, by their dotted names."""
    state = vars(module)
    tensors = {**state.get("_parameters", {}), **state.get("_buffers", {})}
    arrays = {name: value.array() for name, value in tensors.items() if isinstance(value, Tensor)}
    for name, inner in state.get("_modules", {}).items():
        arrays |= {f"{name}.{key}": value for key, value in _pytorch_arrays(inner).items()}
    return arrays


def _architecture(path: Path, arrays: Arrays) -> Architecture:
    """What a generator with these arrays is built from, by their shapes; the features of NVIDIA's rule are required."""
    pytorch = "mapping.w_avg" in arrays
    average = arrays.get("mapping.w_avg" if pytorch else "dlatent_avg")
    if average is None:
        raise ValueError(f"{path} has no average w: it is not a StyleGAN2 generator")
    number = 0
    while f"mapping.fc{number}.weight" in arrays or f"mapping/Dense{number}/weight" in arrays:
        number += 1
    features, channels = {}, 3
    for size in (2**k for k in range(2, 11)):
        share = arrays.get(f"synthesis.b{size}.torgb.weight" if pytorch else f"synthesis/{size}x{size}/ToRGB/weight")
        if share is not None:
            features[size], channels = (share.shape[1], share.shape[0]) if pytorch else share.shape[2:]
    if not features:
        raise ValueError(f"{path} has no layers with a picture's share (ToRGB): it is not StyleGAN2's skip generator")
    resolution, most = max(features), max(features.values())
    labels = arrays.get("mapping.embed.weight" if pytorch else "mapping/LabelEmbed/weight")
    return Architecture(
        resolution=resolution,
        channel_base=features[resolution] * resolution,
        channel_max=most,
        latent=len(average),
        mapping_layers=number,
        labels=0 if labels is None else labels.shape[1 if pytorch else 0],
        channels=int(channels),
    )
