"""GANimation networks of the authors' program and what descends from it: PyTorch state dicts, read without PyTorch.

The authors never released weights; a dict that someone trained with their program is read by the names it gives.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from flax import nnx

from models import weights_file
from models.action_units.units import UNITS
from models.ganimation.critic import Critic, Pair
from models.ganimation.generator import Architecture, Generator
from models.torch_pickle import read_state

Arrays = Mapping[str, np.ndarray]
NORM = {"scale": "weight", "bias": "bias"}


def read(generator: Path, critic: Path) -> Pair:
    """The networks of two legacy PyTorch files. Raises FileNotFoundError, UntrustedPickleError and what `pair` does."""
    return pair(read_state(generator), read_state(critic), f"{generator} with {critic}")


def pair(generator: Arrays, critic: Arrays, place: str) -> Pair:
    """The networks of two state dicts; `place` is what errors call them.

    Raises ValueError where a weight is missing or has a shape that does not go with the others.
    """
    arch = architecture(generator, critic, place)
    return Pair(
        weights_file.fill(
            nnx.eval_shape(lambda: Generator(arch, rngs=nnx.Rngs(0))),
            lambda name: generator_weight(generator, name, arch.blocks),
            place,
        ),
        weights_file.fill(nnx.eval_shape(lambda: Critic(arch, rngs=nnx.Rngs(0))), lambda name: critic_weight(critic, name), place),
    )


def architecture(generator: Arrays, critic: Arrays, place: str) -> Architecture:
    """What two state dicts are built from, by the shapes of their weights."""
    try:
        width, inputs, side, _ = generator["main.0.weight"].shape
        layers = sum(f"main.{2 * k}.weight" in critic for k in range(len(critic)))
        found, _, last, _ = critic["conv2.weight"].shape
        critic_width = len(critic["main.0.bias"])
    except (KeyError, ValueError) as error:
        raise ValueError(f"{place}: not GANimation's generator and critic ({error})") from error
    if (inputs, found) != (3 + len(UNITS), len(UNITS)):
        raise ValueError(f"{place}: takes {inputs - 3} action units and reads {found}, expected {len(UNITS)} of each")
    blocks = sum(name.endswith(".main.0.weight") for name in generator)
    return Architecture(last * 2**layers, width, blocks, side, critic_width, layers)


def generator_weight(arrays: Arrays, name: str, blocks: int) -> np.ndarray:
    """The value of our weight `name` from the authors' names. Raises KeyError with theirs where it is missing."""
    match name.split("/"):
        case ["stem"]:
            return _kernel(arrays["main.0.weight"])
        case ["stem_norm", kind]:
            return arrays[f"main.1.{NORM[kind]}"]
        case ["down", number]:
            return _kernel(arrays[f"main.{3 + 3 * int(number)}.weight"])
        case ["down_norms", number, kind]:
            return arrays[f"main.{4 + 3 * int(number)}.{NORM[kind]}"]
        case ["blocks", number, ("first" | "second") as layer]:
            return _kernel(arrays[f"main.{9 + int(number)}.main.{0 if layer == 'first' else 3}.weight"])
        case ["blocks", number, ("first_norm" | "second_norm") as layer, kind]:
            return arrays[f"main.{9 + int(number)}.main.{1 if layer == 'first_norm' else 4}.{NORM[kind]}"]
        case ["up", number]:
            return arrays[f"main.{9 + blocks + 3 * int(number)}.weight"].transpose(2, 3, 0, 1)
        case ["up_norms", number, kind]:
            return arrays[f"main.{10 + blocks + 3 * int(number)}.{NORM[kind]}"]
        case ["colour"]:
            return _kernel(arrays["img_reg.0.weight"])
        case ["attention"]:
            return _kernel(arrays["attetion_reg.0.weight"])  # their spelling
    raise KeyError(name)


def critic_weight(arrays: Arrays, name: str) -> np.ndarray:
    """As `generator_weight`, of the critic."""
    match name.split("/"):
        case ["kernels", number]:
            return _kernel(arrays[f"main.{2 * int(number)}.weight"])
        case ["biases", number]:
            return arrays[f"main.{2 * int(number)}.bias"]
        case ["score"]:
            return _kernel(arrays["conv1.weight"])
        case ["units"]:
            return _kernel(arrays["conv2.weight"])
    raise KeyError(name)


def _kernel(value: np.ndarray) -> np.ndarray:
    """(out, in, k, k) as (k, k, in, out)."""
    return value.transpose(2, 3, 1, 0)
