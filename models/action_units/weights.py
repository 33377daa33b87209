"""A trained action-unit reader on disk: an .npz with a card that tells network, units and input."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flax import nnx

from models import weights_file
from models.action_units.units import UNITS
from models.fer.networks import Network, blank
from models.weights_file import WeightsError

REQUIRED = ("network", "units", "size", "channels")


def save(path: Path, model: Network, card: Mapping[str, Any]) -> None:
    """Writes the network; `card` has `network`, its name in models.fer, `size`, the pictures' side, and what else is to
    be remembered. The same weights and card give the same bytes.
    """
    state = nnx.to_pure_dict(nnx.state(model, (nnx.Param, nnx.BatchStat)))
    weights_file.write(path, state, {**card, "units": list(UNITS), "channels": model.channels})


def load(path: Path) -> tuple[Network, dict[str, Any]]:
    """The network in a file that `save` made, and its card.

    Raises FileNotFoundError, and WeightsError naming what the file lacks, has in another shape, or reads otherwise.
    """
    arrays, card = weights_file.read(path, REQUIRED)
    if tuple(card["units"]) != UNITS:
        raise WeightsError(f"{path} reads the action units {card['units']}, expected {UNITS}")
    try:
        empty = blank(card["network"], len(UNITS), card["channels"])
        return weights_file.restore(empty, arrays, path), card
    except ValueError as error:
        raise WeightsError(str(error)) from error
