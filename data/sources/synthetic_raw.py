"""Drawn pictures as people find them, half of them flawed, as a source: nothing is downloaded, every flaw is known."""

from collections.abc import Iterator

import numpy as np

from data.sources.source_error import SourceError
from data.synthetic.raw import draw_raw

WHERE = None  # drawn, not read from anywhere
TERMS = "drawn by this project: no terms of others"


def read(seed: int = 0, count: int = 1400, workers: int | None = None) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields `count` found pictures, (h, w, 3) uint8 RGB of mixed sizes, and their row; the same seed, the same bytes.

    `workers` processes draw, None for one a core; a few pictures are drawn without any.

    Raises SourceError where nothing could be drawn.
    """
    if seed < 0:
        raise SourceError(f"seed is {seed}; drawn pictures need a seed of 0 or more")
    if count < 1:
        raise SourceError(f"data.count is {count}; give at least 1 picture to draw")
    return draw_raw(seed, count, workers)
