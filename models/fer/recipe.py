"""The recipe of an expression classifier: every number its training run depends on, each with its reason."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
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
