"""Histograms of oriented gradients on the device (Dalal and Triggs 2005, section 6), the numbers of `data.features.hog_vectors`
and so of scikit-image: 9 unsigned orientations, cells of 8×8 pixels, blocks of 2×2 cells, L2-Hys.
"""

import jax
import jax.numpy as jnp
from jax import Array

ORIENTATIONS = 9
CELL, BLOCK = 8, 2  # pixels a cell, cells a block, in each direction
CLIP, EPSILON = 0.2, 1e-5  # of L2-Hys
FINENESS = 64  # steps a grey level


def length(height: int, width: int) -> int:
    """How many numbers describe a picture: 900 at 48×48. Raises ValueError below the size of a block."""
    if min(height, width) < CELL * BLOCK:
        raise ValueError(f"HOG needs pictures of at least {CELL * BLOCK}×{CELL * BLOCK} pixels, got {width}×{height}")
    return (height // CELL - BLOCK + 1) * (width // CELL - BLOCK + 1) * BLOCK * BLOCK * ORIENTATIONS


def hog(images: Array) -> Array:
    """(N, H, W, 1) float32 in [-1, 1] -> (N, length(H, W)) float32 in [0, 1]."""
    # Rounded, because a level row of pixels must have no slope at all: a slope of -1e-6 is of the last orientation.
    grey = jnp.round((images[..., 0] + 1) * (127.5 * FINENESS)) / FINENESS
    count, height, width = grey.shape
    down = jnp.pad(grey[:, 2:] - grey[:, :-2], ((0, 0), (1, 1), (0, 0)))
    right = jnp.pad(grey[:, :, 2:] - grey[:, :, :-2], ((0, 0), (0, 0), (1, 1)))
    turned = (down < 0) | ((down == 0) & (right < 0))  # an orientation has no sign
    angle = jnp.arctan2(jnp.where(turned, -down, down), jnp.where(turned, -right, right))
    orientation = jnp.minimum((angle * (ORIENTATIONS / jnp.pi)).astype(jnp.int32), ORIENTATIONS - 1)
    votes = jax.nn.one_hot(orientation, ORIENTATIONS) * jnp.sqrt(down**2 + right**2)[..., None]

    rows, columns = height // CELL, width // CELL
    votes = votes[:, : rows * CELL, : columns * CELL].reshape(count, rows, CELL, columns, CELL, ORIENTATIONS)
    cells = jnp.mean(votes, axis=(2, 4))
    corners = [(i, j) for i in range(BLOCK) for j in range(BLOCK)]
    down_to, across_to = rows - BLOCK + 1, columns - BLOCK + 1
    blocks = jnp.stack([cells[:, i : i + down_to, j : j + across_to] for i, j in corners], axis=3)
    clipped = jnp.minimum(_normalised(blocks), CLIP)
    return _normalised(clipped).reshape(count, -1)


def _normalised(blocks: Array) -> Array:
    return blocks / jnp.sqrt(jnp.sum(blocks**2, axis=(-2, -1), keepdims=True) + EPSILON**2)
