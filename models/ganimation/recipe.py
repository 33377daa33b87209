"""The recipe of a GANimation: every number its training run depends on, each with its reason."""

from dataclasses import dataclass
from typing import Literal

Form = Literal["paper", "program"]  # of the losses of attention masks, see models.ganimation.losses


@dataclass(frozen=True)
class Recipe:
    """How both networks are trained. Raises ValueError, naming the field, for a number outside its range."""

    epochs: int  # passes over the pictures; the paper: 30
    batch_size: int  # the whole batch, over all devices; the paper: 25
    learning_rate: float  # of Adam, β 0.5 and 0.999, for both networks; the paper: 1e-4
    constant: float  # share of all steps at that rate, which then falls to 0 in a straight line; the paper: 2/3
    critic_steps: int  # of the critic for one of the generator, which needs a critic that is nearly right; the paper: 5
    adversarial: float  # weight of the critic's scores; the paper: 1, of a 128-pixel picture's four patches
    penalty: float  # weight of the critic's gradient penalty; the paper: 10
    critic_condition: float  # of the units' mean squared error, for the critic; the paper's 4000 are 160 here, see losses
    generator_condition: float  # the same for the generator, whose way to please the critic's reading need not be a face
    cycle: float  # of the way back to the input, which keeps the person; the paper: 10
    attention: float  # of the masks' size, which keeps them from copying the input; the paper: 0.1
    variation: float  # of the masks' total variation, which keeps them smooth; the paper: 0.1 · 1e-4
    form: Form  # of these two: the paper's or the authors' program's
    blur: float  # standard deviation of noise over all that the critic sees, in [-1, 1]; the paper: 0. A reading that noise
    # does not change is not changed by specks either, which a young generator finds sooner than expressions
    noise: float  # half the range of what is added to each wanted unit, so that few exact values do not suffice: 0.1
    mirror: bool  # half of the pictures are mirrored; their units stay
    ema: float  # decay over a critic's step of the averaged generator that is examined and kept; the paper: 0, none

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "critic_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate is {self.learning_rate}, expected a number above 0")
        for name in ("adversarial", "penalty", "critic_condition", "generator_condition", "cycle", "attention", "variation", "blur", "noise"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        if self.form not in ("paper", "program"):
            raise ValueError(f"form is {self.form!r}, expected 'paper' or 'program'")
        if not 0 <= self.constant <= 1:
            raise ValueError(f"constant is {self.constant}, expected a share from 0 to 1")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema is {self.ema}, expected a share from 0 to below 1")

    def weight(self, network: str, term: str) -> float:
        """Of a term in the loss of the "critic" or the "generator", by its name."""
        return getattr(self, f"{network}_{term}" if term == "condition" else term)
