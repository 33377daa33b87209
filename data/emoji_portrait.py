"""Emoji as a generator learns them: on white paper, placed so that eyes and mouth lie where those of cut faces do.

Two generators of which one was trained further from the other on pictures of the same layout can be blended layer by
layer (Pinkney and Adler 2020); pictures of another layout would teach it to move the eyes first.
"""

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import cv2
import numpy as np

from data.alignment import CANONICAL
from data.contact_sheet import over_white
from data.faceset import AU_COLUMNS, EXPRESSIONS
from data.synthetic import person
from data.synthetic.action_units import express
from data.synthetic.emoji import draw_emoji_of, eyes_and_mouth
from data.synthetic.parallel import in_order

STRANGERS = 10**6  # the first of the drawn people whose emoji are drawn: no set of drawn faces has that many
OVERSAMPLE = 4


def draw_portraits(
    seed: int, people: int, size: int, margin: float, workers: int | None = None
) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Draws each of seven expressions as an emoji of each of `people`, one person after the other.

    The same seed gives the same bytes, whatever the number of `workers` (None: one a core).

    Yields:
        (size, size, 3) uint8 RGB, and its row in the columns of a `FaceSet` (no split: that is the caller's choice).
    """
    return in_order(partial(_draw, seed, size, margin), people * len(EXPRESSIONS), workers)


def portrait(emoji: np.ndarray, size: int, margin: float) -> np.ndarray:
    """An emoji (S, S, 3) uint8 RGB on white that fills its square, as (size, size, 3): a face cut with `margin`."""
    scale, middle = _place(margin)
    side, large = len(emoji), size * OVERSAMPLE
    share = large / side * scale
    matrix = np.array([[share, 0, large / 2 - share * side / 2], [0, share, large * middle - share * side / 2]])
    placed = cv2.warpAffine(emoji, matrix, (large, large), flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255))
    return cv2.resize(placed, (size, size), interpolation=cv2.INTER_AREA)


def disc(size: int, margin: float) -> np.ndarray:
    """Where the head of a drawn emoji is in its portrait: (size, size) uint8, 255 in it."""
    scale, middle = _place(margin)
    alpha = np.zeros((size * OVERSAMPLE,) * 2, np.uint8)
    centre = round(size * OVERSAMPLE / 2), round(size * OVERSAMPLE * middle)
    cv2.circle(alpha, centre, round(size * OVERSAMPLE * scale / 2), 255, cv2.FILLED)
    return cv2.resize(alpha, (size, size), interpolation=cv2.INTER_AREA)


@cache
def _place(margin: float) -> tuple[float, float]:
    """The emoji's size and the height of its middle, in sides of the portrait, that bring eyes and mouth near a face's."""
    eyes, mouth = eyes_and_mouth()  # in half sides from the middle
    faces = (CANONICAL - 0.5) / (1 + margin) + 0.5
    scale = (faces[1, 0] - faces[0, 0]) / eyes[0]
    height = (faces[0, 1] + faces[3, 1]) / 2 - scale * (eyes[1] + mouth[1]) / 4
    return scale, height


def _draw(seed: int, size: int, margin: float, index: int) -> tuple[np.ndarray, dict[str, Any]]:
    number, label = divmod(index, len(EXPRESSIONS))
    rng = np.random.default_rng(np.random.SeedSequence((seed, STRANGERS, index)))
    identity = person(seed, STRANGERS + number)
    units = express(rng, EXPRESSIONS[label], np.array(identity.style))
    emoji = draw_emoji_of(units, 2 * size, EXPRESSIONS[label], identity)
    return portrait(over_white(emoji), size, margin), {
        "source": "emoji", "origin": f"{seed}:{index}", "maker": "drawn", "subject": f"e{number:05d}", "label": label,
        "gender": identity.gender, **dict(zip(AU_COLUMNS, units.tolist())),
    }  # fmt: skip
