"""SAN's losses: pixels J_D, attribute J_G and identity J_M (Mirjalili, Raschka, Namboodiri and Ross 2018, "Semi-Adversarial
Networks", the objective), and the two that the official program has in place of J_D and J_M.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import optax
from jax import Array

from models.san.judges import Judge


def pixel_cross_entropy(logits: Array, faces: Array) -> Array:
    """J_D: mean of -(x·log x' + (1-x)·log(1-x')) over pixels; x' as `logits` and x `faces`, both (N, H, W, 1).

    Both halves count: without the second, which the Keras port forgot, white pictures are the best.
    """
    return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, faces))


def attribute_loss(judges: Sequence[Judge], own: Array, labels: Array, other: Array, others: Array) -> Array:
    """J_G: mean cross-entropy of what the judges say of faces with their own prototype, which is to be `labels` (N,), and
    with another's, which is to be the class `others` (N,) of that; mean over the judges."""
    said = [
        optax.softmax_cross_entropy_with_integer_labels(judge(faces), classes)
        for judge in judges
        for faces, classes in ((own, labels), (other, others))
    ]
    return 2 * jnp.mean(jnp.stack(said))


def identity_loss(judges: Sequence[Judge], changed: Sequence[Array], faces: Array) -> Array:
    """J_M: mean ‖R(X') - R(X)‖² over the batch, the matchers R and the `changed` faces X'; of the paper only X'_SM."""
    known = [jax.lax.stop_gradient(judge(faces)) for judge in judges]
    apart = [
        jnp.sum((judge(each) - before) ** 2, axis=1) for judge, before in zip(judges, known) for each in changed
    ]
    return jnp.mean(jnp.stack(apart))


def mean_identity_loss(judges: Sequence[Judge], own: Array, other: Array, faces: Array) -> Array:
    """The official program's: ‖(R(X'_SM) + R(X'_OP))/2 - R(X)‖² summed over the batch, mean over the matchers R."""
    apart = [
        jnp.sum(((judge(own) + judge(other)) / 2 - jax.lax.stop_gradient(judge(faces))) ** 2) for judge in judges
    ]
    return jnp.mean(jnp.stack(apart))


def keeping_loss(judges: Sequence[Judge], changed: Sequence[Array], faces: Array) -> Array:
    """Mean cross-entropy between what the judges say of `faces` and of each of the `changed` ones, all (N, H, W, 1).

    It needs no labels: what is to be kept is what the judge sees, right or wrong.
    """
    said = [
        optax.softmax_cross_entropy(judge(each), jax.nn.softmax(jax.lax.stop_gradient(judge(faces)), axis=1))
        for judge in judges
        for each in changed
    ]
    return jnp.mean(jnp.stack(said))
