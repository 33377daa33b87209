"""StyleGAN2's losses: non-saturating logistic loss (Goodfellow et al. 2014), R1 (Mescheder et al. 2018) and path length
(Karras et al. 2019, "Analyzing and Improving the Image Quality of StyleGAN", section 3.2 and equation 4).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

PATH_DECAY = 0.01  # of the running mean of the lengths
PATH_WEIGHT = 2.0


def generator_loss(fake_logits: Array) -> Array:
    """Mean softplus(-D(G(z))) of logits (N, 1)."""
    return jnp.mean(jax.nn.softplus(-fake_logits))


def discriminator_loss(real_logits: Array, fake_logits: Array) -> Array:
    """Mean softplus(D(G(z))) + softplus(-D(x)) of logits (N, 1)."""
    return jnp.mean(jax.nn.softplus(fake_logits)) + jnp.mean(jax.nn.softplus(-real_logits))


def r1_penalty(logits_of: Callable[[Array], Array], real: Array) -> Array:
    """(N,) squared length of the gradient of each picture's logit with respect to the picture (N, H, W, C).

    The loss is γ/2 of its mean.
    """
    gradient = jax.grad(lambda pictures: jnp.sum(logits_of(pictures)))(real)
    return jnp.sum(gradient**2, axis=(1, 2, 3))


def path_lengths(synthesis: Callable[[Array], Array], ws: Array, noise: Array) -> Array:
    """(N,) lengths |Jᵀ y| of ws (N, L, latent) for pictures y: `noise` (N, H, W, C) drawn from N(0, 1)."""
    y = noise / float(np.sqrt(noise.shape[1] * noise.shape[2]))
    gradient = jax.grad(lambda ws: jnp.sum(synthesis(ws) * y))(ws)
    return jnp.sqrt(jnp.mean(jnp.sum(gradient**2, axis=2), axis=1))


def path_penalty(lengths: Array, mean: Array) -> tuple[Array, Array]:
    """Penalty (N,) of the lengths (N,), and the running mean that they are pulled to, with these lengths in it."""
    mean = mean + PATH_DECAY * (jnp.mean(lengths) - mean)
    return PATH_WEIGHT * (lengths - mean) ** 2, mean
