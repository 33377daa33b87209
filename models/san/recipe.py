"""The recipe of a semi-adversarial network: every number its training run depends on, each with its reason."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """How an autoencoder is trained. Raises ValueError, naming the field, for a number outside its range."""

    pretrain_epochs: int  # on pixels alone, with the own prototype
    epochs: int  # with both frozen networks
    batch_size: int  # the whole batch, over all devices
    learning_rate: float  # of Adam
    # "paper": the descriptor of the face drawn with its own prototype stays; "official": as the authors' program has it,
    # the mean of both descriptors; "both": each of them, since both are shown to matchers in the end.
    matching: Literal["paper", "official", "both"]
    hide: float  # weight of J_G, by which the classifier is pleased and misled
    keep: float  # weight of J_M, by which the matcher still knows the face
    pixels: float  # weight of J_D after the pre-training; the paper has none, the authors' program keeps one

    def __post_init__(self) -> None:
        for name in ("pretrain_epochs", "epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate is {self.learning_rate}, expected a number above 0")
        for name in ("hide", "keep", "pixels"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        if self.matching not in ("paper", "official", "both"):
            raise ValueError(f"matching is {self.matching!r}, expected 'paper', 'official' or 'both'")
