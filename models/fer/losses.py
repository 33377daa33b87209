"""Losses of an expression classifier, one number a picture: cross-entropy, Keras' categorical hinge (Weston and Watkins 1999
with the worst rival alone) and the L2-SVM of Tang 2013, "Deep Learning using Linear Support Vector Machines", equation 11.

Targets may be shares of classes (smoothed, mixed or voted); with one class of each picture all are their papers' own.
"""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import optax
from jax import Array


def categorical_hinge(scores: Array, targets: Array) -> Array:
    """(N, K) and (N, K) -> (N,): how far the best of the other classes comes within 1 of the right one."""
    right = jnp.sum(targets * scores, axis=-1)
    return jnp.maximum(1 + jnp.max((1 - targets) * scores, axis=-1) - right, 0)


def l2_svm(scores: Array, targets: Array) -> Array:
    """(N, K) and (N, K) -> (N,): squared hinges of every class against the rest, which is wanted at 1 or at -1."""
    return jnp.sum(jnp.square(jnp.maximum(1 - (2 * targets - 1) * scores, 0)), axis=-1)


LOSSES: dict[str, Callable[[Array, Array], Array]] = {
    "cross_entropy": optax.softmax_cross_entropy,
    "categorical_hinge": categorical_hinge,
    "l2_svm": l2_svm,
}


def balanced(labels: np.ndarray, classes: int) -> Array:
    """Weights (K,) that give every class as much to say, 1 in the mean over the rows; 0 for a class without any.

    `labels` are (N,) or shares (N, K).
    """
    counts = np.bincount(labels, minlength=classes) if labels.ndim == 1 else labels.sum(axis=0, dtype=np.float64)
    occurs = counts > 0
    return jnp.asarray(np.where(occurs, counts.sum() / (occurs.sum() * np.where(occurs, counts, 1)), 0), jnp.float32)
