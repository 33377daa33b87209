"""Trained SinGAN pyramids on disk: every scale's generator, z* and strength of noise, the pictures, and a card."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx, traverse_util

from models import weights_file
from models.singan.model import Pyramids
from models.singan.networks import MARGIN, Generator
from models.singan.pyramid import ScalePlan
from models.weights_file import WeightsError

REQUIRED = ("plan", "border", "quantise")


def save(path: Path, pyramids: Pyramids, card: Mapping[str, Any]) -> None:
    """Writes the pyramids; `card` has whatever else is to be remembered."""
    facts = {"plan": asdict(pyramids.plan), "border": pyramids.border, "quantise": pyramids.quantise}
    state = {"scales": dict(enumerate(pyramids.scales)), "reals": dict(enumerate(pyramids.reals))}
    weights_file.write(path, state, {**card, **facts})


def load(path: Path) -> tuple[Pyramids, dict[str, Any]]:
    """The pyramids in a file that `save` made, and its card.

    Raises FileNotFoundError, and WeightsError naming the scale that the file lacks or has in another shape.
    """
    arrays, card = weights_file.read(path, REQUIRED)
    keys = {name: tuple(int(key) if key.isdigit() else key for key in name.split("/")) for name in arrays}
    try:
        sizes = tuple((int(h), int(w)) for h, w in card["plan"]["sizes"])
        plan = ScalePlan(float(card["plan"]["factor"]), sizes, float(card["plan"]["shrink"]))
        tree = traverse_util.unflatten_dict({keys[name]: jnp.asarray(value) for name, value in arrays.items()})
        scales, reals = (tuple(tree[part][n] for n in range(len(sizes))) for part in ("scales", "reals"))
    except (TypeError, ValueError, KeyError) as error:
        raise WeightsError(f"{path} does not hold pyramids of SinGAN: {error!r} is missing or wrong") from error
    for n, (scale, real, size) in enumerate(zip(scales, reals, sizes)):
        if jax.tree.map(jnp.shape, scale) != _shapes(scale, len(reals[0]), size):
            raise WeightsError(f"{path}: scale {n} is not a generator with its z* and noise for {size[0]}×{size[1]}")
        if real.shape != (len(reals[0]), *size, 3):
            raise WeightsError(f"{path}: the pictures of scale {n} are {real.shape}, expected {size[0]}×{size[1]}")
    return Pyramids(plan, scales, reals, card["border"], card["quantise"]), card


def _shapes(scale: Mapping[str, Any], pictures: int, size: tuple[int, int]) -> dict[str, Any] | None:
    """What the arrays of a scale have to be, if its generator is as wide as the last layer takes it to be."""
    try:
        width = scale["params"]["trunk"]["last"]["kernel"].shape[-2]
    except (KeyError, TypeError, AttributeError, IndexError):
        return None
    blank = nnx.eval_shape(lambda: Generator(width, rngs=nnx.Rngs(0)))
    params, stats = (nnx.to_pure_dict(state) for state in nnx.state(blank, nnx.Param, nnx.BatchStat))
    shapes = jax.tree.map(lambda value: (pictures, *value.shape), {"params": params, "stats": stats})
    return shapes | {"noise": (pictures, *(side + 2 * MARGIN for side in size), 3), "amp": (pictures,)}
