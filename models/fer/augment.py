"""Augmentation of small grey faces on the device: flip, rotation, zoom, shift, light; drawn anew for every picture.

The ranges are those of Arriaga et al. (rotation 10°, shifts and zoom 10 %, flips), with light and contrast added.
"""

import jax
import jax.numpy as jnp
from jax import Array

ROTATION = 10.0 * jnp.pi / 180
SHIFT = 0.1  # of the side
ZOOM = 0.1
CONTRAST = 0.2
BRIGHTNESS = 0.15  # of the range from black to white, which is 2 here


def augment(key: Array, images: Array) -> Array:
    """(N, H, W, C) float32 in [-1, 1] -> the same, each picture changed in its own way. Borders repeat the edge."""
    keys = jax.random.split(key, 2)
    return jitter_light(keys[1], warp(images, *draw_affine(keys[0], *images.shape[:3])))


def draw_affine(key: Array, count: int, height: int, width: int) -> tuple[Array, Array]:
    """Where each output pixel comes from: rows and columns, (N, H, W) each, in pixels."""
    uniform = jax.random.uniform(key, (5, count, 1, 1), minval=-1.0, maxval=1.0)
    angle, zoom, down, right, mirror = uniform
    scale = 1.0 + zoom * ZOOM
    cos, sin = jnp.cos(angle * ROTATION) * scale, jnp.sin(angle * ROTATION) * scale
    y = jnp.arange(height, dtype=jnp.float32).reshape(1, height, 1) - (height - 1) / 2
    x = jnp.arange(width, dtype=jnp.float32).reshape(1, 1, width) - (width - 1) / 2
    x = jnp.where(mirror > 0, x, -x)
    rows = cos * y - sin * x + (height - 1) / 2 + down * SHIFT * height
    columns = sin * y + cos * x + (width - 1) / 2 + right * SHIFT * width
    return rows, columns


def warp(images: Array, rows: Array, columns: Array) -> Array:
    """Bilinear samples of (N, H, W, C) at (rows, columns), each (N, H, W); outside, the nearest edge pixel."""
    n, h, w, c = images.shape
    rows, columns = jnp.clip(rows, 0, h - 1), jnp.clip(columns, 0, w - 1)
    top = jnp.minimum(jnp.floor(rows), h - 2).astype(jnp.int32)
    left = jnp.minimum(jnp.floor(columns), w - 2).astype(jnp.int32)
    down, right = (rows - top.astype(jnp.float32))[..., None], (columns - left.astype(jnp.float32))[..., None]
    # One gather of four neighbours is four times as fast as four gathers of one. The last row and column, where the
    # neighbours would lie outside, are never the upper left one.
    flat = images.reshape(n * h * w, c)
    neighbours = jnp.stack([jnp.roll(flat, -offset, axis=0) for offset in (0, 1, w, w + 1)], axis=1)
    first = jnp.arange(n, dtype=jnp.int32).reshape(n, 1, 1) * (h * w) + top * w + left
    corners = neighbours.at[first].get(mode="promise_in_bounds")  # (N, H, W, 4, C)
    upper = corners[..., 0, :] + (corners[..., 1, :] - corners[..., 0, :]) * right
    lower = corners[..., 2, :] + (corners[..., 3, :] - corners[..., 2, :]) * right
    return upper + (lower - upper) * down


def jitter_light(key: Array, images: Array) -> Array:
    """(N, H, W, C) in [-1, 1] with contrast and brightness drawn for each picture, cut off at -1 and 1."""
    contrast, brightness = jax.random.uniform(key, (2, images.shape[0], 1, 1, 1), minval=-1.0, maxval=1.0)
    return jnp.clip(images * (1 + contrast * CONTRAST) + brightness * BRIGHTNESS, -1.0, 1.0)
