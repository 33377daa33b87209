"""Drawn people: faces whose identity, gender, expression, action units and landmarks are known exactly.

`draw` streams pictures with their rows; `draw_face` draws one person with given action units in a given scene.
"""

from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

import numpy as np

from data.faceset import AU_COLUMNS, EXPRESSIONS
from data.synthetic.action_units import express
from data.synthetic.head import Pose
from data.synthetic.identity import Identity, aged, sample_identity
from data.synthetic.parallel import in_order
from data.synthetic.render import SMALLEST, DrawnFace, draw_face
from data.synthetic.scenery import Scene, sample_scene
from data.synthetic.skin import Light

__all__ = ["SMALLEST", "DrawnFace", "Identity", "Light", "Pose", "Scene", "aged", "draw", "draw_face", "draw_picture",
           "person", "sample_scene"]

PICTURES_EACH = 10  # of one person
PERIODS = 3  # of a life that the pictures of one person are from
_PEOPLE, _PICTURES, _YEARS = 0, 1, 2  # streams of random numbers under one seed


@lru_cache(maxsize=8)
def person(seed: int, number: int, period: int = 0) -> Identity:
    """The `number`-th person of the world `seed`: today in `period` 0 of `PERIODS`, years before in 1, after in 2."""
    if period == 0:
        return sample_identity(np.random.default_rng(np.random.SeedSequence((seed, _PEOPLE, number))))
    rng = np.random.default_rng(np.random.SeedSequence((seed, _YEARS, number, period)))
    return aged(person(seed, number), rng.uniform(8, 18) * (-1) ** period, rng)


def draw_picture(seed: int, size: int, index: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Draws the `index`-th picture of the world `seed`: (size, size, 3) uint8 RGB, and its row (see `draw`)."""
    rng = np.random.default_rng(np.random.SeedSequence((seed, _PICTURES, index)))
    number, label = index // PICTURES_EACH, index % len(EXPRESSIONS)
    identity = person(seed, number, int(rng.integers(PERIODS)))
    action_units = express(rng, EXPRESSIONS[label], np.array(identity.style))
    face = draw_face(identity, action_units, sample_scene(rng), size)
    return face.image, {
        "source": "synthetic", "origin": f"{seed}:{index}", "maker": "drawn", "subject": f"s{number:05d}",
        "label": label, "gender": identity.gender, **dict(zip(AU_COLUMNS, action_units.tolist())),
        "box": face.box.tolist(), "landmarks": face.landmarks.ravel().tolist(),
    }


def draw(seed: int, count: int, size: int, workers: int | None = 1) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Draws `count` faces, labels balanced, `PICTURES_EACH` of one person after the other.

    The same seed gives the same bytes, and a longer run begins with the shorter one's pictures. `workers` processes
    draw; None is one a core. More than one start new interpreters, so a script that asks for them guards `__main__`.

    Yields:
        (size, size, 3) uint8 RGB, and its row in the columns of a `FaceSet` (no split: that is the reader's choice).
    """
    return in_order(partial(draw_picture, seed, size), count, workers)
