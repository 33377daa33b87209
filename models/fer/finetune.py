"""Fine-tuning of a network on a backbone in two phases: its head alone, then its last blocks as well, more slowly (Yosinski et
al. 2014, "How transferable are features in deep neural networks?"; Keras' guide "Transfer learning and fine-tuning").
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flax import nnx
from jax import Array

from models.fer import keras_weights
from models.fer.networks import ARCHITECTURES, blank, sized
from models.fer.recipe import BACKBONES, Recipe
from models.fer.transfer import Head, Transfer

Filter = Callable[..., bool]  # of nnx: (path, variable) -> whether it is meant


@dataclass(frozen=True)
class Phase:
    """Which weights learn, and the network that they are of at the start."""

    learns: Filter
    start: Transfer


def options_of(recipe: Recipe, size: int, tuned: bool) -> dict[str, Any]:
    """What the recipe's network is to be told beside its name, for pictures of `size`×`size` pixels; `tuned` networks have a
    backbone that is the same in training as outside it."""
    if recipe.network not in BACKBONES:
        return sized(recipe.network, size)
    return {"hidden": recipe.hidden, "dropout": recipe.dropout, "backbone_learns": not tuned}


def pretrained(recipe: Recipe, classes: int, channels: int, key: Array) -> Transfer:
    """The recipe's network, its backbone from `finetune.weights` and its head drawn from `key`.

    Raises FileNotFoundError and WeightsError, as `models.fer.keras_weights.load` does, and ValueError where the network has
    fewer blocks than are to learn.
    """
    network = blank(recipe.network, classes, channels, hidden=recipe.hidden, dropout=recipe.dropout, backbone_learns=False)
    if recipe.finetune.blocks > len(network.blocks):
        raise ValueError(f"finetune.blocks is {recipe.finetune.blocks}, {recipe.network} has {len(network.blocks)}")
    keras_weights.load(network.blocks, Path(recipe.finetune.weights))
    network.head = Head(ARCHITECTURES[recipe.network], classes, recipe.hidden, recipe.dropout, nnx.Rngs(key))
    return network


def phases(recipe: Recipe, network: Transfer) -> list[tuple[str, Filter, Recipe]]:
    """Name, what learns, and the recipe of each phase, which differ in epochs and learning rate."""
    finetune = recipe.finetune
    first = len(network.blocks) - finetune.blocks

    def in_head(path: tuple, value: Any) -> bool:
        return path[0] == "head"

    def late(path: tuple, value: Any) -> bool:
        return path[0] == "head" or path[1] >= first

    slow = replace(
        recipe, epochs=recipe.epochs - finetune.head_epochs, learning_rate=finetune.learning_rate, finetune=None
    )
    return [
        ("head", nnx.All(nnx.Param, in_head), replace(recipe, epochs=finetune.head_epochs, finetune=None)),
        ("blocks", nnx.All(nnx.Param, late), slow),
    ]
