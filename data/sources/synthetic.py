"""Drawn faces as a source: nothing is downloaded, and every column but the split is known exactly."""

from collections.abc import Iterator

import numpy as np

from data.sources.source_error import SourceError
from data.synthetic import SMALLEST, draw

WHERE = None  # drawn, not read from anywhere
TERMS = "drawn by this project: no terms of others"


def read(
    seed: int = 0, count: int = 1400, size: int = 128, workers: int | None = None
) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields `count` drawn faces: (size, size, 3) uint8 RGB and their row. The same seed gives the same bytes.

    `workers` processes draw, None for one a core; a few faces are drawn without any.

    Raises SourceError where nothing, or nothing recognisable, could be drawn.
    """
    if seed < 0:
        raise SourceError(f"seed is {seed}; drawn faces need a seed of 0 or more")
    if count < 1:
        raise SourceError(f"data.count is {count}; give at least 1 face to draw")
    if size < SMALLEST:
        raise SourceError(f"data.size is {size}; a drawn face needs pictures of at least {SMALLEST} pixels")
    return draw(seed, count, size, workers)
