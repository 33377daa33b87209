"""`Look`, one picture as the rules of `data.cleaning` see it: pixels, the faces found in it, the main one upright."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Look:
    """A picture and what was found in it, or, of one without a face, what may be one.

    Attributes:
        image: (H, W, 3) uint8 RGB as ingested: letterboxed to a square, grey repeated in the three channels.
        boxes: (k, 4) float32 x1, y1, x2, y2 in pixels of the faces found; None where none were looked for.
        scores: (k,) float32 probability of a face; None like `boxes`.
        landmarks: (k, 5, 2) float32 x, y in pixels of left eye, right eye, nose, left and right corner of the mouth,
            where left is the left of the picture; None like `boxes`.
        main: index of the face that the picture is of; None without a face.
        face: (64, 64) uint8 grey, the main face upright with a margin of 0.25 (`data.alignment`); where faces were not
            looked for the whole picture at that size; None without a face.
    """

    image: np.ndarray
    boxes: np.ndarray | None
    scores: np.ndarray | None
    landmarks: np.ndarray | None
    main: int | None
    face: np.ndarray | None
