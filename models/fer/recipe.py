"""The recipe of an expression classifier: every number its training run depends on, each with its reason."""

from dataclasses import dataclass
from typing import Literal


OF_ONE_SIZE = ("alizadeh_shallow", "alizadeh_deep", "alizadeh_hybrid", "yu_zhang")  # made for pictures of one size
BACKBONES = (
    "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0", "efficientnet_b1", "efficientnet_b2",
    "efficientnet_b3", "efficientnet_b4", "efficientnet_b5", "efficientnet_b6", "efficientnet_b7", "inception_resnet_v2",
)  # fmt: skip


@dataclass(frozen=True)
class FineTune:
    """How a network on a backbone is trained in two phases, the backbone's normalisation by its running statistics in both.

    Raises ValueError, naming the field, for a number outside its range.
    """

    weights: str  # Keras file that the backbone starts from: .h5, .weights.h5 or .keras
    head_epochs: int  # of all epochs, the first: the head alone learns
    blocks: int  # of the backbone, the last, which learn with the head in the epochs after
    learning_rate: float  # peak of those epochs: 10 to 100 times below the head's, or what was learnt before is lost

    def __post_init__(self) -> None:
        for name in ("head_epochs", "blocks"):
            if getattr(self, name) < 1:
                raise ValueError(f"finetune.{name} is {getattr(self, name)}, expected at least 1")
        if not self.learning_rate > 0:
            raise ValueError(f"finetune.learning_rate is {self.learning_rate}, expected a number above 0")


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained. Raises ValueError, naming the field, for a number outside its range."""

    network: Literal["mini_xception", "residual", "vgg", *OF_ONE_SIZE, *BACKBONES]
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
    # Of networks on a backbone alone:
    hidden: tuple[int, ...] = ()  # widths of dense layers before the logits, the studies' "DNN"
    dropout: float = 0.0  # share of the values dropped in the head
    finetune: FineTune | None = None  # None: all weights are drawn and learn from the start

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        for name in ("warmup", "label_smoothing", "ema", "dropout"):
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
        if self.network not in BACKBONES and (self.hidden or self.dropout or self.finetune):
            raise ValueError(f"hidden, dropout and finetune are of networks on a backbone, which {self.network} is not")
        if min(self.hidden, default=1) < 1:
            raise ValueError(f"hidden is {self.hidden}, expected widths of at least 1")
        if self.finetune and self.finetune.head_epochs >= self.epochs:
            raise ValueError(f"finetune.head_epochs is {self.finetune.head_epochs}, expected fewer than epochs, {self.epochs}")
