"""What several expression classifiers say together: the mean of their probabilities, or one with weights that are learnt
(Yu and Zhang 2015, "Image based Static Facial Expression Recognition with Multiple Deep Network Learning", section 5).
"""

from collections.abc import Sequence
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from models.training import descend

STEPS, RATE = 500, 0.05  # of Adam; the likelihood is concave in the weights


def together(words: Sequence[np.ndarray], weights: np.ndarray | None = None) -> np.ndarray:
    """M networks' probabilities (N, K) -> (N, K): the mean, by `weights` (M,), which are 1 in all, if there are some.

    Raises ValueError where their shapes differ.
    """
    if len({each.shape for each in words}) != 1:
        raise ValueError(f"probabilities of one shape expected, got {', '.join(str(each.shape) for each in words)}")
    return np.average(np.stack(words), axis=0, weights=weights).astype(np.float32)


def learnt_weights(
    words: Sequence[np.ndarray], labels: np.ndarray, loss: Literal["likelihood", "hinge"] = "likelihood"
) -> np.ndarray:
    """Weights (M,), none below 0 and 1 in all, with which M networks' probabilities (N, K) fit `labels` (N,) best.

    "likelihood" is the mean negative logarithm of the right class's probability, "hinge" the mean over pictures of how far
    the other classes come within 1 of it, summed. Learn them on pictures that the networks have not seen.
    """
    said, truth = jnp.stack([jnp.asarray(each) for each in words]), jnp.asarray(labels, jnp.int32)

    def distance(raw: Array) -> Array:
        mean = jnp.einsum("m,mnk->nk", jax.nn.softmax(raw), said)
        right = jnp.take_along_axis(mean, truth[:, None], axis=1)
        if loss == "likelihood":
            return -jnp.mean(jnp.log(jnp.maximum(right, 1e-12)))
        return jnp.mean(jnp.sum(jnp.maximum(1 - right + mean, 0), axis=1) - 1)  # the right class itself counts 1

    update = optax.adam(RATE)

    def step(_: int, state: tuple[Array, optax.OptState]) -> tuple[Array, optax.OptState]:
        return descend(update, jax.grad(distance)(state[0]), state[1], state[0])

    raw = jnp.zeros(len(words))
    raw, _ = jax.lax.fori_loop(0, STEPS, step, (raw, update.init(raw)))
    return np.asarray(jax.nn.softmax(raw))
