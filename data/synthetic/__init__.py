"""Drawn people: faces whose identity, gender, expression, action units and landmarks are known exactly.

`draw` streams pictures with their rows; `draw_face` draws one person with given action units in a given scene.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from data.faceset import AU_COLUMNS, EXPRESSIONS
from data.synthetic.action_units import express
from data.synthetic.head import Pose
from data.synthetic.identity import Identity, sample_identity
from data.synthetic.render import SMALLEST, DrawnFace, draw_face
from data.synthetic.scenery import Scene, sample_scene
from data.synthetic.skin import Light

__all__ = ["SMALLEST", "DrawnFace", "Identity", "Light", "Pose", "Scene", "draw", "draw_face", "person", "sample_scene"]

PICTURES_EACH = 10  # of one person
_PEOPLE, _PICTURES = 0, 1  # two streams of random numbers under one seed


@lru_cache(maxsize=4)
def person(seed: int, number: int) -> Identity:
    """The `number`-th person of the world `seed`."""
    return sample_identity(np.random.default_rng(np.random.SeedSequence((seed, _PEOPLE, number))))


def draw(seed: int, count: int, size: int) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Draws `count` faces, labels balanced, `PICTURES_EACH` of one person after the other.

    The same seed gives the same bytes, and a longer run begins with the shorter one's pictures.

    Yields:
        (size, size, 3) uint8 RGB, and its row in the columns of a `FaceSet` (no split: that is the reader's choice).
    """
    for index in range(count):
        rng = np.random.default_rng(np.random.SeedSequence((seed, _PICTURES, index)))
        number, label = index // PICTURES_EACH, index % len(EXPRESSIONS)
        identity = person(seed, number)
        action_units = express(rng, EXPRESSIONS[label], np.array(identity.style))
        face = draw_face(identity, action_units, sample_scene(rng), size)
        yield face.image, {
            "source": "synthetic", "origin": f"{seed}:{index}", "maker": "drawn", "subject": f"s{number:05d}",
            "label": label, "gender": identity.gender, **dict(zip(AU_COLUMNS, action_units.tolist())),
            "box": face.box.tolist(), "landmarks": face.landmarks.ravel().tolist(),
        }
