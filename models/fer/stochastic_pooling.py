"""Stochastic pooling (Zeiler and Fergus 2013, "Stochastic Pooling for Regularization of Deep Convolutional Neural Networks",
equations 4-6): in training one value of each window, drawn with the probability that is its share of the window's sum;
otherwise the mean of the window weighted by these probabilities.
"""

import jax
import jax.numpy as jnp
from jax import Array


def stochastic_pool(x: Array, side: int, stride: int, key: Array | None) -> Array:
    """(N, H, W, C), none below 0 -> (N, ⌈(H - side) / stride⌉ + 1, …, C); windows that reach over the border end at it.

    `key` None takes the weighted mean. A window of zeros gives 0.
    """
    windows = _windows(x, side, stride)
    total = jnp.sum(windows, axis=0)
    if key is None:
        return jnp.sum(windows**2, axis=0) / jnp.where(total > 0, total, 1.0)
    # The largest of log p + Gumbel noise is a draw from p.
    chances = jnp.log(jnp.where(windows > 0, windows, 1.0))
    noisy = jnp.where(windows > 0, chances + jax.random.gumbel(key, windows.shape), -jnp.inf)
    return jnp.take_along_axis(windows, jnp.argmax(noisy, axis=0, keepdims=True), axis=0)[0]


def _windows(x: Array, side: int, stride: int) -> Array:
    """(side², N, h, w, C): each window's values, zeros beyond the border, which are never drawn."""
    down, across = (max(-(-(length - side) // stride), 0) + 1 for length in x.shape[1:3])
    beyond = [max((count - 1) * stride + side - length, 0) for count, length in zip((down, across), x.shape[1:3])]
    x = jnp.pad(x, ((0, 0), (0, beyond[0]), (0, beyond[1]), (0, 0)))
    rows, columns = (down - 1) * stride + 1, (across - 1) * stride + 1
    return jnp.stack(
        [x[:, i : i + rows : stride, j : j + columns : stride] for i in range(side) for j in range(side)]
    )
