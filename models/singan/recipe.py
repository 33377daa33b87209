"""The recipe of a SinGAN: every number its training depends on, each with its reason."""

from dataclasses import dataclass
from typing import Literal

Border = Literal["zeros", "noise"]


@dataclass(frozen=True)
class Recipe:
    """How a pyramid is trained. Raises ValueError, naming the field, for a number outside its range."""

    iterations: int  # of each scale; the quality of a scale is mostly a matter of these
    chunk: int  # iterations that run on the device at once: the grain of progress, checkpoints and resume
    critic_steps: int  # of each iteration, one on a fresh draw of the scales below each time
    generator_steps: int  # of each iteration, all on the last of those draws
    learning_rate: float  # of Adam, β 0.5 and 0.999, for both networks
    decay_at: float  # share of the iterations after which the learning rate is a tenth
    reconstruction: float  # α, weight of coming back to the picture from z*; 100 for super-resolution, 0: never
    penalty: float  # λ, weight of the gradient penalty; WGAN-GP's own 10 is for a slope over the whole picture
    noise: float  # of a scale, as a share of what the scales below it leave wrong
    width: int  # channels of the four coarsest scales; they double every four …
    width_max: int  # … up to this
    min_size: int  # shorter side of the coarsest scale: a patch of 11 pixels is then half a picture; animation: 20
    max_size: int  # longer side of the finest scale
    factor: float  # about how much smaller each scale is than the next; super-resolution: the sixth root of 1/4
    redraw: bool  # z* is drawn anew in every iteration, as in the authors' program, and not fixed, as in their paper
    border: Border  # what surrounds the noise: zeros, or noise, without which the border of an animation stands still
    quantise: bool  # pictures pass through 8 bits between the scales, as in the authors' program

    def __post_init__(self) -> None:
        for name in ("iterations", "chunk", "critic_steps", "generator_steps", "width", "width_max"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        if self.iterations % self.chunk:
            raise ValueError(f"chunk is {self.chunk}, expected a divisor of the {self.iterations} iterations")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate is {self.learning_rate}, expected a number above 0")
        for name in ("reconstruction", "penalty", "noise"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        if not 0 <= self.decay_at <= 1:
            raise ValueError(f"decay_at is {self.decay_at}, expected a share from 0 to 1")
        if not 11 <= self.min_size <= self.max_size:
            raise ValueError(f"min_size is {self.min_size}, expected from 11, a patch, to max_size {self.max_size}")
        if not 0 < self.factor < 1:
            raise ValueError(f"factor is {self.factor}, expected a number between 0 and 1")
        if self.border not in ("zeros", "noise"):
            raise ValueError(f"border is {self.border!r}, expected 'zeros' or 'noise'")


PAPER = Recipe(
    iterations=2000, chunk=100, critic_steps=3, generator_steps=3, learning_rate=5e-4, decay_at=0.8,
    reconstruction=10.0, penalty=0.1, noise=0.1, width=32, width_max=128, min_size=25, max_size=250, factor=0.75,
    redraw=False, border="zeros", quantise=False,
)  # fmt: skip
