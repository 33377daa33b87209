"""GANimation's losses (Pumarola et al. 2018, section 4.2, equations 1-6): Wasserstein distance with gradient penalty
(Gulrajani et al. 2017), attention, condition and cycle, each without its weight.

Two forms of the attention's loss: the paper's (equation 3) and that of the authors' program. The program's condition
loss divides a mean of squares by the batch once more; here it is the plain mean, and weighs 4000 / 25 = 160.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from models.ganimation.generator import Generator
from models.ganimation.recipe import Form

Judge = Callable[[Array], tuple[Array, Array]]  # a critic: pictures -> scores (N, h, w) and units (N, 17)
Terms = dict[str, Array]  # name -> ()


def attention_size(attention: Array, form: Form) -> Array:
    """How much the masks (N, H, W, 1) let through of the input: keeps them from 1, where the picture is not edited.

    "paper": the mean of ‖A‖₂ over the N masks; "program": the mean of A.
    """
    if form == "program":
        return jnp.mean(attention)
    return jnp.mean(jnp.sqrt(jnp.sum(attention**2, axis=(1, 2, 3))))


def attention_variation(attention: Array, form: Form) -> Array:
    """Total variation of the masks (N, H, W, 1).

    "paper": squared differences of neighbours, their sum in a mask, mean over masks; "program": absolute ones, summed
    over all masks too, so that it grows with the batch.
    """
    down, right = jnp.diff(attention, axis=1), jnp.diff(attention, axis=2)
    if form == "program":
        return jnp.sum(jnp.abs(down)) + jnp.sum(jnp.abs(right))
    return (jnp.sum(down**2) + jnp.sum(right**2)) / attention.shape[0]


def gradient_penalty(score: Callable[[Array], Array], real: Array, fake: Array, share: Array) -> Array:
    """Mean of (‖∇ score‖₂ - 1)² at mixtures share·real + (1 - share)·fake of (N, H, W, 3), `share` (N,) in [0, 1].

    A picture's gradient is that of the sum of its patches' scores.
    """
    share = share[:, None, None, None]
    gradient = jax.grad(lambda mixed: jnp.sum(score(mixed)))(share * real + (1 - share) * fake)
    return jnp.mean((jnp.sqrt(jnp.sum(gradient**2, axis=(1, 2, 3))) - 1) ** 2)


def condition(read: Array, units: Array) -> Array:
    """Mean squared error of (N, 17)."""
    return jnp.mean((read - units) ** 2)


def critic_terms(critic: Judge, pictures: Array, units: Array, fake: Array, share: Array) -> Terms:
    """The critic's losses on real (N, S, S, 3) with their units (N, 17), on fake ones, and between them by `share`."""
    scores, read = critic(pictures)
    return {
        "adversarial": jnp.mean(critic(fake)[0]) - jnp.mean(scores),
        "condition": condition(read, units),
        "penalty": gradient_penalty(lambda mixed: critic(mixed)[0], pictures, fake, share),
    }


def generator_terms(
    generator: Generator, critic: Judge, pictures: Array, units: Array, wanted: Array, form: Form
) -> Terms:
    """The generator's losses on real (N, S, S, 3), edited from their units (N, 17) to `wanted` (N, 17) and back."""
    there = generator(pictures, wanted)
    back = generator(there.pictures, units)
    scores, read = critic(there.pictures)
    masks = (there.attention, back.attention)
    return {
        "adversarial": -jnp.mean(scores),
        "condition": condition(read, wanted),
        "cycle": jnp.mean(jnp.abs(back.pictures - pictures)),
        "attention": sum(attention_size(mask, form) for mask in masks),
        "variation": sum(attention_variation(mask, form) for mask in masks),
    }
