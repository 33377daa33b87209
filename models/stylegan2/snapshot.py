"""A trained StyleGAN2 on disk: generator, discriminator, and a card that tells what it descends from.

Two generators can be blended if one was trained further from the other, or both from a third: their lineages then share
an id. Every training run adds one, made of all that it depends on but the machine.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx

from models import weights_file
from models.stylegan2.discriminator import Discriminator
from models.stylegan2.generator import Architecture, Generator
from models.stylegan2.train import Pair, plain
from models.weights_file import WeightsError

REQUIRED = ("architecture", "group", "lineage")


def descend(lineage: tuple[str, ...], facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The lineage of what a run with these `facts` (seed, recipe, data; as JSON has them) makes of its ancestor."""
    made_from = json.dumps([lineage, facts], sort_keys=True)
    return (*lineage, hashlib.blake2b(made_from.encode(), digest_size=8).hexdigest())


def related(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether the lineages on two cards share an ancestor."""
    return bool(set(first["lineage"]) & set(second["lineage"]))


def save(path: Path, pair: Pair, card: Mapping[str, Any], half: bool = True) -> None:
    """Writes both networks, by default in half precision; `card` has `lineage` and whatever else is to be remembered."""
    params, buffers, critic = plain(pair)
    facts = {"architecture": pair.generator.arch.as_dict(), "group": pair.discriminator.group}
    state = {"generator": {"params": params, "buffers": buffers}, "discriminator": critic}
    weights_file.write(path, state, {**card, **facts}, half)


def load(path: Path) -> tuple[Pair, dict[str, Any]]:
    """The networks in a file that `save` made, in single precision, and its card.

    Raises FileNotFoundError, and WeightsError naming what the file lacks or has in another shape.
    """
    arrays, card = weights_file.read(path, REQUIRED)
    try:
        arch, group = Architecture(**card["architecture"]), card["group"]
        generator = nnx.eval_shape(lambda: Generator(arch, rngs=nnx.Rngs(0)))
        discriminator = nnx.eval_shape(lambda: Discriminator(arch, group, rngs=nnx.Rngs(0)))
        return Pair(
            _filled(generator, arrays, ("generator/params/", "generator/buffers/"), path),
            _filled(discriminator, arrays, ("discriminator/",), path),
        ), card
    except (TypeError, ValueError) as error:
        raise WeightsError(str(error)) from error


def _filled(blank: nnx.Module, arrays: weights_file.Arrays, places: tuple[str, ...], path: Path) -> Any:
    """`blank` with its values from `arrays`, where each stands under one of `places`."""

    def value_of(name: str) -> np.ndarray:
        found = [arrays[place + name] for place in places if place + name in arrays]
        return found[0] if found else weights_file.named(arrays, places[0] + name, path)

    return weights_file.fill(blank, value_of, path)
