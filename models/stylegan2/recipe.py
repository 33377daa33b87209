"""The recipe of a StyleGAN2: every number its training run depends on, each with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How a generator is trained. Raises ValueError, naming the field, for a number outside its range."""

    kimg: float  # thousands of real pictures that the discriminator sees
    batch_size: int  # the whole batch, over all devices; a multiple of the group
    group: int  # samples that share the discriminator's minibatch statistics
    learning_rate: float  # of Adam, β 0 and 0.99, for both networks; corrected for lazy regularisation
    falling: float  # share of the training, its end, over which the learning rate falls evenly to 0
    gamma: float  # weight of R1; the rule of ADA's authors is 0.0002 · resolution² / batch_size
    ema_kimg: float  # half-life of the averaged generator that is examined and kept
    mismatch: float  # weight of real pictures beside another's label, taken as false (Reed et al. 2016); 0: not shown any
    mixing: float  # share of the batches that mix two styles at a random layer
    mirror: bool  # half of the real pictures are mirrored
    ada_kimg: float  # thousands of pictures in which augmentation may grow from none to full; 0: none at all
    freeze: int  # layers of the discriminator, from the picture on, that are not trained (Mo, Cho and Shin 2020)

    def __post_init__(self) -> None:
        for name in ("batch_size", "group"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        for name in ("kimg", "learning_rate", "ema_kimg"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number above 0")
        for name in ("gamma", "mismatch", "ada_kimg", "freeze"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        for name in ("falling", "mixing"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a share from 0 to 1")
        if self.batch_size % (2 * self.group):
            raise ValueError(f"batch_size {self.batch_size} is no multiple of two groups of {self.group}")

    @property
    def ema(self) -> float:
        """Decay of the averaged generator over one step."""
        return 0.5 ** (self.batch_size / (self.ema_kimg * 1000))
