"""SinGAN's pyramid: how many scales a picture has, and the resizing between them (Shaham et al. 2019, section 2; the
resampling is the antialiased bicubic one of Shocher et al. 2018, "Zero-Shot Super-Resolution", that the authors use).

Scales are numbered from the coarsest, 0, to the finest, N. The paper counts the other way: its "N-1" is scale 1 here,
its "N-2" scale 2. Resizing is two matrix products on the device. The authors' program takes each picture through 8 bits
and the CPU on its way; `quantise` does the same to the values, for comparison.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

Size = tuple[int, int]  # height, width


@dataclass(frozen=True)
class ScalePlan:
    """The sizes of a pyramid, coarsest first, and the factor (at most 1) from each to the one before it."""

    factor: float
    sizes: tuple[Size, ...]
    shrink: float  # of the given picture, before anything else, so that it is no larger than max_size

    @property
    def finest(self) -> int:
        """The number of the last scale, the code's N."""
        return len(self.sizes) - 1


def plan_scales(size: Size, min_size: int = 25, max_size: int = 250, factor: float = 0.75) -> ScalePlan:
    """Scales for a picture of `size`: the shorter side of the coarsest is `min_size`, steps are about `factor`.

    Raises ValueError for a picture that is smaller than the coarsest scale.
    """
    short, long = min(size), max(size)
    if short < min_size:
        raise ValueError(f"the picture is {size[0]}×{size[1]}, expected at least {min_size} pixels on either side")
    shrink = min(max_size / long, 1)
    start = tuple(math.ceil(side * shrink) for side in size)
    if min(start) < min_size:
        raise ValueError(f"a picture of {size[0]}×{size[1]} shrinks to {start[0]}×{start[1]}, below {min_size} pixels")
    count = math.ceil(math.log(min_size / short, factor)) + 1
    finest = count - math.ceil(math.log(min(max_size, long) / long, factor))
    exact = math.pow(min_size / min(start), 1 / finest)
    sizes = (tuple(math.ceil(side * exact ** (finest - scale)) for side in start) for scale in range(finest + 1))
    return ScalePlan(exact, tuple(sizes), shrink)


def real_pyramid(picture: Array, plan: ScalePlan, quantise: bool = False) -> list[Array]:
    """A picture (…, H, W, C) in [-1, 1] at every scale of its plan, coarsest first."""
    picture = resize(picture, plan.shrink, quantise=quantise)
    factors = [plan.factor ** (plan.finest - scale) for scale in range(len(plan.sizes))]
    return [resize(picture, factor, size, quantise) for factor, size in zip(factors, plan.sizes)]


def resize(x: Array, scale: float | tuple[float, float], size: Size | None = None, quantise: bool = False) -> Array:
    """(…, H, W, C) in [-1, 1] scaled, and clipped to [-1, 1].

    Without `size` the result is ⌈scale · H⌉ × ⌈scale · W⌉; with it, its upper left part of that size, mirrored at the
    lower and right border where it is smaller.
    """
    scales = scale if isinstance(scale, tuple) else (scale, scale)
    h, w = x.shape[-3:-1]
    height, width = size or tuple(math.ceil(side * scale) for side, scale in zip((h, w), scales))
    rows, columns = resize_matrix(h, scales[0], height), resize_matrix(w, scales[1], width)
    highest = lax.Precision.HIGHEST
    # The order of operations is the authors': one level in four sits on the edge of a truncation.
    x = jnp.floor(255 * jnp.clip((x + 1) / 2, 0.0, 1.0)) if quantise else x
    x = jnp.einsum("oh,...hwc->...owc", rows.astype(np.float32), x, precision=highest)
    x = jnp.einsum("pw,...owc->...opc", columns.astype(np.float32), x, precision=highest)
    if quantise:
        x = (x / lax.optimization_barrier(jnp.full_like(x, 255)) - 0.5) * 2  # by a number, XLA would multiply instead
    return jnp.clip(x, -1.0, 1.0)


@lru_cache(maxsize=256)
def resize_matrix(before: int, scale: float, after: int) -> np.ndarray:
    """(after, before) float64: each new pixel's weights, which sum to 1, on the old ones."""
    centres = (np.arange(after) + 0.5) / scale - 0.5
    stretch = min(scale, 1.0)  # the kernel widens as the picture shrinks
    reach = 2 / stretch
    places = np.floor(centres - reach).astype(int)[:, None] + np.arange(math.ceil(2 * reach) + 3)
    # Only the lower and right border mirror. The authors' indices are unsigned, so that those before the first pixel
    # are huge and weigh nothing; what is left is brought to 1 again.
    weights = np.where(places >= 0, _cubic(stretch * (centres[:, None] - places)), 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = places % (2 * before)
    mirrored = np.where(mirrored < before, mirrored, 2 * before - 1 - mirrored)
    matrix = np.zeros((after, before))
    np.add.at(matrix, (np.arange(after)[:, None], mirrored), weights)
    return matrix


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys' kernel with a = -1/2."""
    x = np.abs(x)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
