"""Augmentation of small grey faces on the device: flip, rotation, zoom, shift, light, erasing; drawn anew for every
picture; and mixup and cutmix of pairs.

The light ranges are those of Arriaga et al. (rotation 10°, shifts and zoom 10 %, flips), with light and contrast added;
the strong ones those of Khaireddin and Chen 2021 (shifts and zoom 20 %), with random erasing (Zhong et al. 2017) of half
the pictures. Mixup: Zhang, Cissé, Dauphin and Lopez-Paz 2017, "mixup: Beyond Empirical Risk Minimization"; cutmix: Yun et
al. 2019, "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features".
"""

from dataclasses import dataclass
from math import pi

import jax
import jax.numpy as jnp
from jax import Array

from models.warp import warp


@dataclass(frozen=True)
class Ranges:
    """How far each change may go, either way."""

    rotation: float  # radians
    shift: float  # of the side
    zoom: float
    contrast: float
    brightness: float  # in values of the pixels, which reach from -1 to 1
    erased: float  # share of the pictures that lose a rectangle


LIGHT = Ranges(rotation=10 * pi / 180, shift=0.1, zoom=0.1, contrast=0.2, brightness=0.15, erased=0.0)
STRONG = Ranges(rotation=15 * pi / 180, shift=0.15, zoom=0.2, contrast=0.3, brightness=0.2, erased=0.5)
STRENGTHS = {"light": LIGHT, "strong": STRONG}
ERASED_SIDES = (0.15, 0.45)  # of the picture's side: 2 to 20 % of its area


def augment(key: Array, images: Array, ranges: Ranges = LIGHT) -> Array:
    """(N, H, W, C) float32 in [-1, 1] -> the same, each picture changed in its own way. Borders repeat the edge."""
    keys = jax.random.split(key, 3)
    images = warp(images, *draw_affine(keys[0], *images.shape[:3], ranges))
    images = jitter_light(keys[1], images, ranges)
    return erase(keys[2], images, ranges.erased) if ranges.erased else images


def draw_affine(key: Array, count: int, height: int, width: int, ranges: Ranges) -> tuple[Array, Array]:
    """Where each output pixel comes from: rows and columns, (N, H, W) each, in pixels."""
    uniform = jax.random.uniform(key, (5, count, 1, 1), minval=-1.0, maxval=1.0)
    angle, zoom, down, right, mirror = uniform
    scale = 1.0 + zoom * ranges.zoom
    cos, sin = jnp.cos(angle * ranges.rotation) * scale, jnp.sin(angle * ranges.rotation) * scale
    y = jnp.arange(height, dtype=jnp.float32).reshape(1, height, 1) - (height - 1) / 2
    x = jnp.arange(width, dtype=jnp.float32).reshape(1, 1, width) - (width - 1) / 2
    x = jnp.where(mirror > 0, x, -x)
    rows = cos * y - sin * x + (height - 1) / 2 + down * ranges.shift * height
    columns = sin * y + cos * x + (width - 1) / 2 + right * ranges.shift * width
    return rows, columns


def jitter_light(key: Array, images: Array, ranges: Ranges) -> Array:
    """(N, H, W, C) in [-1, 1] with contrast and brightness drawn for each picture, cut off at -1 and 1."""
    contrast, brightness = jax.random.uniform(key, (2, images.shape[0], 1, 1, 1), minval=-1.0, maxval=1.0)
    return jnp.clip(images * (1 + contrast * ranges.contrast) + brightness * ranges.brightness, -1.0, 1.0)


def erase(key: Array, images: Array, share: float) -> Array:
    """(N, H, W, C) of which about `share` have one rectangle, somewhere in the picture, filled with one random grey."""
    count, height, width, _ = images.shape
    chance, top, left, grey = jax.random.uniform(jax.random.fold_in(key, 0), (4, count, 1, 1))
    tall, wide = jax.random.uniform(
        jax.random.fold_in(key, 1), (2, count, 1, 1), minval=ERASED_SIDES[0], maxval=ERASED_SIDES[1]
    )
    y = jnp.arange(height, dtype=jnp.float32).reshape(1, height, 1) / height
    x = jnp.arange(width, dtype=jnp.float32).reshape(1, 1, width) / width
    top, left = top * (1 - tall), left * (1 - wide)
    inside = (y >= top) & (y < top + tall) & (x >= left) & (x < left + wide) & (chance < share)
    return jnp.where(inside[..., None], (2 * grey - 1)[..., None], images)


def mixup(key: Array, images: Array, targets: Array, alpha: float) -> tuple[Array, Array]:
    """(N, H, W, C) and (N, K) mixed with another row of the batch, all by one share from Beta(alpha, alpha)."""
    keys = jax.random.split(key)
    share = jax.random.beta(keys[0], alpha, alpha)
    other = jax.random.permutation(keys[1], images.shape[0])
    return share * images + (1 - share) * images[other], share * targets + (1 - share) * targets[other]


def cutmix(key: Array, images: Array, targets: Array, alpha: float) -> tuple[Array, Array]:
    """(N, H, W, C) and (N, K): one rectangle of each picture comes from another row of the batch, the same place in all.

    It has the picture's form, its area before the border cuts it is drawn from Beta(alpha, alpha), and targets are mixed by
    the area that there is in the end (Yun et al., section 3.2).
    """
    keys = jax.random.split(key, 3)
    _, height, width, _ = images.shape
    side = jnp.sqrt(jax.random.beta(keys[0], alpha, alpha))
    y, x = jax.random.uniform(keys[1], (2,))
    rows = jnp.abs(jnp.arange(height, dtype=jnp.float32) + 0.5 - y * height) < side * height / 2
    columns = jnp.abs(jnp.arange(width, dtype=jnp.float32) + 0.5 - x * width) < side * width / 2
    inside = rows[:, None] & columns[None, :]
    share = jnp.mean(inside.astype(jnp.float32))
    other = jax.random.permutation(keys[2], images.shape[0])
    cut = jnp.where(inside[None, :, :, None], images[other], images)
    return cut, (1 - share) * targets + share * targets[other]


def mixed(key: Array, images: Array, targets: Array, mixup_alpha: float, cutmix_alpha: float) -> tuple[Array, Array]:
    """`mixup` or `cutmix`, whichever has an alpha above 0; where both have, one of them by the toss of a coin."""
    if not cutmix_alpha:
        return mixup(key, images, targets, mixup_alpha)
    if not mixup_alpha:
        return cutmix(key, images, targets, cutmix_alpha)
    keys = jax.random.split(key, 3)
    pairs = (mixup(keys[0], images, targets, mixup_alpha), cutmix(keys[1], images, targets, cutmix_alpha))
    heads = jax.random.bernoulli(keys[2])
    return jnp.where(heads, pairs[0][0], pairs[1][0]), jnp.where(heads, pairs[0][1], pairs[1][1])
