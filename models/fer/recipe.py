"""The recipe of an expression classifier: every number its training run depends on, each with its reason."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained. Raises ValueError, naming the field, for a number outside its range."""

    network: Literal["mini_xception"]
    epochs: int  # passes over the training split
    batch_size: int  # the whole batch, over all devices
    optimizer: Literal["adam", "sgd"]  # Arriaga et al. used Adam; SGD is with Nesterov momentum 0.9
    learning_rate: float  # peak of the cosine schedule
    warmup: float  # share of all steps in which the rate rises linearly from 0
    weight_decay: float  # decoupled, on kernels only
    label_smoothing: float  # share of the target spread evenly over the classes: FER-2013's labels are noisy
    ema: float  # decay of the averaged weights that are evaluated and kept; 0 keeps the last weights
    augment: bool  # flips, shifts, zoom, rotation, light, drawn anew for every picture on the device
    select: Literal["last", "best"]  # keep the last epoch, or the one best on the validation split

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        for name in ("warmup", "label_smoothing", "ema"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a share from 0 to below 1")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate is {self.learning_rate}, expected a number above 0")
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay is {self.weight_decay}, expected 0 or more")
