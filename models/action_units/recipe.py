"""The recipe of an action-unit reader: every number its training run depends on, each with its reason."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """How a reader is trained. Raises ValueError, naming the field, for a number outside its range."""

    network: Literal["mini_xception", "residual", "vgg"]  # of models.fer, with an output for each unit
    epochs: int  # passes over the training pictures
    batch_size: int  # the whole batch, over all devices
    learning_rate: float  # of Adam, peak of a cosine schedule with warm-up
    warmup: float  # share of all steps in which the rate rises linearly from 0
    weight_decay: float  # decoupled, on kernels only
    ema: float  # decay of the averaged weights that are examined and kept; 0 keeps the last weights
    augment: Literal["none", "light", "strong"]  # of models.fer.augment; erased parts would hide units, so light suits

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate is {self.learning_rate}, expected a number above 0")
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay is {self.weight_decay}, expected 0 or more")
        for name in ("warmup", "ema"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a share from 0 to below 1")
