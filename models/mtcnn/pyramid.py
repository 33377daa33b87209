"""P-Net over an image pyramid, as one program for each picture size (Zhang et al. 2016, section III; facenet's scales).

The picture is shrunk until a face of `min_face` pixels, then ever larger ones, fill P-Net's window of 12 pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import jax
import jax.numpy as jnp
import numpy as np

from models.mtcnn.networks import PNet

WINDOW, STRIDE = 12, 2  # of P-Net, in pixels of a level
FACTOR = 0.709          # between levels: about half the area, as in facenet


@dataclass(frozen=True)
class Pyramid:
    """The levels of a picture, and the windows that P-Net looks at, all levels one after the other.

    Attributes:
        sizes: (height, width) of each level, the finest first.
        windows: (M, 4) float64 x1, y1, x2, y2 in pixels of the picture, truncated as facenet does.
        level: (M,) which level each window is on.
    """

    sizes: tuple[tuple[int, int], ...]
    windows: np.ndarray
    level: np.ndarray


def pyramid(height: int, width: int, min_face: float) -> Pyramid:
    """The pyramid for pictures of one size; it has no levels when the picture is smaller than `min_face`."""
    scales = []
    shortest = min(height, width) * WINDOW / min_face
    while shortest >= WINDOW:
        scales.append(WINDOW / min_face * FACTOR ** len(scales))
        shortest *= FACTOR
    sizes = tuple((ceil(height * scale), ceil(width * scale)) for scale in scales)
    windows = [_windows(*size, scale) for size, scale in zip(sizes, scales, strict=True)]
    level = np.repeat(np.arange(len(windows)), [len(here) for here in windows])
    return Pyramid(sizes, np.concatenate([np.empty((0, 4)), *windows]), level)


def _windows(height: int, width: int, scale: float) -> np.ndarray:
    """The windows of one level row by row, as P-Net puts them out."""
    y, x = np.mgrid[: _outputs(height), : _outputs(width)].reshape(2, -1) * STRIDE
    return np.fix((np.stack([x, y, x, y], axis=1) + [1, 1, WINDOW, WINDOW]) / scale)


def _outputs(side: int) -> int:
    """How many windows P-Net has along a side: convolution 3, pooling 2/2, convolutions 3 and 3."""
    return ceil((side - 2) / 2) - 4


def propose(pnet: PNet, levels: Sequence[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """P-Net on levels, each (N, h, w, 3) float32 RGB in [0, 255]: probability (N, M) and box regression (N, M, 4)."""
    probabilities, boxes = [], []
    for level in levels:
        level = jnp.round(level)  # the original shrinks 8-bit pictures to 8-bit pictures
        probability, box = pnet((level - 127.5) / 128)
        probabilities.append(probability.reshape(len(level), -1))
        boxes.append(box.reshape(len(level), -1, 4))
    return jnp.concatenate(probabilities, axis=1), jnp.concatenate(boxes, axis=1)
