"""Resizing by area averaging, as OpenCV's INTER_AREA: each new pixel is the mean of the old ones it covers.

Along one axis that is a product with a matrix that is empty but for a band around its diagonal. It is multiplied a few
rows at a time, by those old pixels only that they cover, first down the picture and then across.
"""

from functools import lru_cache
from math import ceil, sqrt

import numpy as np

CALL = 60_000  # multiplications that take as long as calling one matrix product does


def area_weights(old: int, new: int) -> np.ndarray:
    """(new, old) float32: the share that each old pixel has in each new one. Rows sum to 1. Enlarges as well."""
    edges = np.arange(new + 1) * (old / new)
    pixels = np.arange(old)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (overlap.clip(0) * (new / old)).astype(np.float32)


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H, W, C) float32 resized to (height, width, C)."""
    return resize_part(picture, (0, 0, picture.shape[1], picture.shape[0]), height, width)


def resize_part(picture: np.ndarray, part: tuple[int, int, int, int], height: int, width: int) -> np.ndarray:
    """What lies in `part`, x1, y1, x2, y2, of a picture (H, W, C) float32, resized to (height, width, C).

    The part ends before x2 and y2. What it has beyond the picture is 0.
    """
    old_height, old_width, channels = picture.shape
    x1, y1, x2, y2 = part
    left, right = min(max(x1, 0), old_width), min(max(x2, 0), old_width)
    rows = picture[:, left:right].reshape(old_height, -1)  # stays where it is
    down = np.zeros((height, rows.shape[1]), np.float32)
    for new, start, weights in _bands(y2 - y1, height, _at_once(y2 - y1, height, (x2 - x1) * channels)):
        start += y1
        first, last = max(start, 0), min(start + weights.shape[1], old_height)
        if first < last:
            np.matmul(weights[:, first - start:last - start], rows[first:last], out=down[new])
    resized = np.zeros((height, width * channels), np.float32)
    for new, start, weights in _bands(x2 - x1, width, _at_once(x2 - x1, width, height * channels**2), channels):
        start += (x1 - left) * channels
        first, last = max(start, 0), min(start + weights.shape[1], rows.shape[1])
        if first < last:
            resized[:, new] = down[:, first:last] @ weights[:, first - start:last - start].T
    return resized.reshape(height, width, channels)


def _at_once(old: int, new: int, times: int) -> int:
    """How many new pixels to work out with one product: with more there are more zeros, with fewer more calls."""
    return ceil(new / max(1, sqrt(new * old * times / CALL)))


@lru_cache(maxsize=2048)
def _bands(old: int, new: int, at_once: int, channels: int = 1) -> tuple[tuple[slice, int, np.ndarray], ...]:
    """What `area_weights` has, as (which new values, the first old one that they cover, weights (these, those)).

    With several channels the values of a pixel lie side by side.
    """
    weights, bands = area_weights(old, new), []
    for start in range(0, new, at_once):
        some = weights[start:start + at_once]
        covered = np.flatnonzero(some.any(axis=0))
        some = np.kron(some[:, covered[0]:covered[-1] + 1], np.eye(channels, dtype=np.float32))
        bands.append((slice(start * channels, start * channels + len(some)), int(covered[0]) * channels, some))
    return tuple(bands)
