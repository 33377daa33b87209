"""A trained GANimation on disk: generator, critic, and a card that tells what both are built from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flax import nnx

from models import weights_file
from models.ganimation.critic import Critic, Pair
from models.ganimation.generator import Architecture, Generator
from models.ganimation.train import plain
from models.weights_file import WeightsError


def save(path: Path, pair: Pair, card: Mapping[str, Any], half: bool = True) -> None:
    """Writes both networks, by default in half precision; the same weights and card give the same bytes."""
    state = {"generator": plain(pair.generator), "critic": plain(pair.critic)}
    weights_file.write(path, state, {**card, "architecture": pair.generator.arch.as_dict()}, half)


def load(path: Path) -> tuple[Pair, dict[str, Any]]:
    """The networks in a file that `save` made, in single precision, and its card.

    Raises FileNotFoundError, and WeightsError naming what the file lacks or has in another shape.
    """
    arrays, card = weights_file.read(path, ("architecture",))
    try:
        arch = Architecture(**card["architecture"])
        generator, critic = (
            weights_file.restore(nnx.eval_shape(lambda: network(arch, rngs=nnx.Rngs(0))), arrays, path, f"{place}/")
            for place, network in (("generator", Generator), ("critic", Critic))
        )
    except (TypeError, ValueError) as error:
        raise WeightsError(str(error)) from error
    return Pair(generator, critic), card
