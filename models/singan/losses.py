"""SinGAN's losses: Wasserstein with gradient penalty (Gulrajani et al. 2017, equation 3) over patches, and
reconstruction (Shaham et al. 2019, equations 4 and 5).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

TINY = 1e-24  # below this a squared slope counts as none: the root has no derivative at 0


def critic_loss(real_scores: Array, fake_scores: Array) -> Array:
    """What the critic minimises beside the penalty: the mean score of fakes minus that of the real picture."""
    return jnp.mean(fake_scores) - jnp.mean(real_scores)


def gradient_penalty(scores_of: Callable[[Array], Array], real: Array, fake: Array, share: Array) -> Array:
    """Mean squared distance from 1 of the slope at share · real + (1 - share) · fake, all (N, H, W, C), by a scalar.

    As in the authors' program the slope is a pixel's: its length is taken over the channels alone, and the mean over
    the pixels. Gulrajani et al. take one length a picture.
    """
    slope = jax.grad(lambda pictures: jnp.sum(scores_of(pictures)))(share * real + (1 - share) * fake)
    lengths = jnp.sqrt(jnp.maximum(jnp.sum(slope**2, axis=-1), TINY))
    return jnp.mean((lengths - 1) ** 2)


def reconstruction_loss(pictures: Array, real: Array) -> Array:
    """Mean squared difference."""
    return jnp.mean((pictures - real) ** 2)
