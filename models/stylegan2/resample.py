"""Resampling by an FIR filter: zero-insert, pad, filter, decimate (Karras et al. 2019, "Analyzing and Improving the Image
Quality of StyleGAN", appendix B; the filter [1, 3, 3, 1] is that of Zhang 2019, "Making Convolutional Networks
Shift-Invariant Again").

Written as sums of shifted slices: XLA's grouped convolution is slow on a CPU, and its first and second gradients slower.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

SMOOTH = np.array([1, 3, 3, 1]) / 8
Pair = tuple[int, int]


def upfirdn(
    x: Array,
    taps: Sequence[np.ndarray],
    up: Pair = (1, 1),
    down: Pair = (1, 1),
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0)),
) -> Array:
    """(N, H, W, C) resampled along rows with `taps[0]` and along columns with `taps[1]`, both (k,): true convolutions.

    Each sample is followed by `up` - 1 zeros (the last one too); `padding` is (before, after) of rows and of columns and
    may be negative; every `down`-th result is kept. Scale the taps for a gain.
    """
    for axis, filter_, factor, step, (before, after) in zip((1, 2), taps, up, down, padding, strict=True):
        widths = [(0, 0, 0)] * x.ndim
        widths[axis] = (before, after + factor - 1, factor - 1)
        spread = lax.pad(x, jnp.zeros((), x.dtype), widths)
        end = spread.shape[axis] - len(filter_) + 1
        x = sum(
            lax.slice_in_dim(spread, j, j + end, step, axis) * float(tap) for j, tap in enumerate(filter_[::-1])
        )
    return x


def smooth(x: Array, padding: Pair, gain: float = 1.0, step: int = 1) -> Array:
    """[1, 3, 3, 1] over rows and columns of (N, H, W, C), padded by zeros, every `step`-th kept."""
    taps = SMOOTH * np.sqrt(gain)
    return upfirdn(x, (taps, taps), down=(step, step), padding=(padding, padding))


def downsample(x: Array) -> Array:
    """(N, H, W, C) -> (N, H/2, W/2, C), smoothed by [1, 3, 3, 1]."""
    return smooth(x, (1, 1), step=2)


def upsample(x: Array) -> Array:
    """(N, H, W, C) -> (N, 2H, 2W, C), smoothed by [1, 3, 3, 1]: the two phases of each axis without inserted zeros."""
    for axis in (1, 2):
        widths = [(0, 0)] * x.ndim
        widths[axis] = (1, 1)
        padded, size = jnp.pad(x, widths), x.shape[axis]
        before, here, after = (lax.slice_in_dim(padded, start, start + size, axis=axis) for start in range(3))
        phases = jnp.stack([0.25 * before + 0.75 * here, 0.75 * here + 0.25 * after], axis=axis + 1)
        x = phases.reshape(*x.shape[:axis], 2 * size, *x.shape[axis + 1 :])
    return x
