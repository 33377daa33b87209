"""The recipe of an expression classifier: every number its training run depends on, each with its reason."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained. Raises ValueError, naming the field, for a number outside its range."""

    network: Literal[
        "mini_xception", "residual", "vgg", "alizadeh_shallow", "alizadeh_deep", "alizadeh_hybrid", "yu_zhang"
    ]
    epochs: int  # passes over the training split
    batch_size: int  # the whole batch, over all devices
    optimizer: Literal["adam", "sgd", "rmsprop"]  # Arriaga et al. used Adam; SGD is with Nesterov momentum 0.9
    learning_rate: float  # peak of the cosine schedule
    warmup: float  # share of all steps in which the rate rises linearly from 0
    weight_decay: float  # decoupled, on kernels only
    label_smoothing: float  # share of the target spread evenly over the classes: FER-2013's labels are noisy
    ema: float  # decay of the averaged weights that are evaluated and kept; 0 keeps the last weights
    augment: Literal["none", "light", "strong"]  # of models.fer.augment, drawn anew for every picture on the device
    mixup: float  # α of the Beta distribution that pairs of pictures are mixed by (Zhang et al. 2017); 0 mixes none
    teachers: tuple[str, ...]  # weight files whose mean word on each augmented picture is learnt beside the label
    distil: float  # share of the teachers in the loss, where there are some
    temperature: float  # that softens the words of teachers and pupil (Hinton, Vinyals and Dean 2015)
    select: Literal["last", "best"]  # keep the last epoch, or the one best on the validation split
    loss: Literal["cross_entropy", "categorical_hinge", "l2_svm"] = "cross_entropy"  # of models.fer.losses
    class_weights: Literal["none", "balanced"] = "none"  # balanced: rare classes count as much as frequent ones
    cutmix: float = 0.0  # α of cutmix (Yun et al. 2019), which takes turns with mixup where both are set; 0: none
    votes: float = 0.0  # share of people's votes in what is learnt of a face that has them (FER+)

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        for name in ("warmup", "label_smoothing", "ema"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a share from 0 to below 1")
        for name in ("learning_rate", "temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number above 0")
        for name in ("weight_decay", "mixup", "cutmix"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        for name in ("distil", "votes"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a share from 0 to 1")
