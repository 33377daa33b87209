"""The recipes of a semi-adversarial network and of its attribute classifier: every number their training runs depend on,
each with its reason.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ClassifierRecipe:
    """How an attribute classifier is trained. Raises ValueError, naming the field, for a number outside its range."""

    epochs: int  # passes over the training pictures; 5 in the port
    batch_size: int  # the whole batch, over all devices; 64 in the port
    learning_rate: float  # of Adam, constant
    augment: Literal["none", "light", "strong"]  # of models.fer.augment, drawn anew for every picture

    def __post_init__(self) -> None:
        _at_least(self, 1, "epochs", "batch_size")
        _above_zero(self, "learning_rate")
        _one_of(self, augment=("none", "light", "strong"))


@dataclass(frozen=True)
class Recipe:
    """How a semi-adversarial autoencoder is trained. Raises ValueError, naming the field, for a number outside its range.

    `objective` "paper": first the pixels alone (J_D), then attribute and identity (J_G + J_M, the identity of the face
    with its own prototype). "official", what the official program does: pixels by L1, attribute throughout, identity from
    the second part on and of the mean descriptor of both faces, summed over the batch, whatever `identity_of`.
    """

    objective: Literal["paper", "official"]
    encoder: tuple[int, int]  # widths of the maps; (8, 12) in the paper
    decoder: tuple[int, int]  # (256, 128) in the paper; nearly all of the work
    enlarge: bool  # repeat each pixel first, or the network's half-sized decoder leaves no detail to faces of some 48 pixels
    first_epochs: int  # of the first part; 3 in study D (paper), 5 in the official program
    epochs: int  # of the second part; 10 in study D, 15 in the official program
    batch_size: int  # the whole batch, over all devices; the official program's 8 goes with its summed identity term
    learning_rate: float  # of Adam, constant; 2e-4 in the official program, 1e-3 in the port
    ema: float  # decay of the averaged weights that are kept; 0, as in both programs, keeps the last
    pixel: float  # weight of the pixels in the second part: 0 in the paper, 1 in the official program
    attribute: float  # weight of J_G; 1 in both
    identity: float  # weight of J_M: 1 in the paper, 8 in the official program
    identity_of: Literal["own", "both"]  # J_M of the face with its own prototype, as in the paper, or also with another's
    keep: float  # weight of what other classifiers say of a face and are to go on saying, where there are some
    augment: Literal["none", "light", "strong"]  # of models.fer.augment, on what the attribute classifiers see: what
    # fools one of them at one place in the picture only does not fool those that were not asked

    def __post_init__(self) -> None:
        _at_least(self, 1, "batch_size", "epochs")
        _at_least(self, 0, "first_epochs", "pixel", "attribute", "identity", "keep")
        _above_zero(self, "learning_rate")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema is {self.ema}, expected a share from 0 to below 1")
        _one_of(self, objective=("paper", "official"), identity_of=("own", "both"), augment=("none", "light", "strong"))
        for name in ("encoder", "decoder"):
            widths = getattr(self, name)
            if len(widths) != 2 or min(widths) < 1:
                raise ValueError(f"{name} is {widths}, expected two widths of at least 1")


def _at_least(recipe: Recipe | ClassifierRecipe, least: int, *names: str) -> None:
    for name in names:
        if not getattr(recipe, name) >= least:
            raise ValueError(f"{name} is {getattr(recipe, name)}, expected at least {least}")


def _above_zero(recipe: Recipe | ClassifierRecipe, *names: str) -> None:
    for name in names:
        if not getattr(recipe, name) > 0:
            raise ValueError(f"{name} is {getattr(recipe, name)}, expected a number above 0")


def _one_of(recipe: Recipe | ClassifierRecipe, **known: tuple[str, ...]) -> None:
    for name, values in known.items():
        if getattr(recipe, name) not in values:
            raise ValueError(f"{name} is {getattr(recipe, name)!r}, expected one of {', '.join(values)}")
