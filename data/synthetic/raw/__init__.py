"""The drawn world as people find it on the web: pictures of mixed sizes, about half of them flawed, each flaw known.

`draw_raw` streams pictures with their rows. What is wrong with a picture stands in its row's `flaws`.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from data.faceset import AU_COLUMNS
from data.synthetic import person
from data.synthetic.parallel import in_order
from data.synthetic.raw.copies import copy_of
from data.synthetic.raw.picture import Found, find
from data.synthetic.raw.plan import Plan, plan

__all__ = ["draw_raw"]


def draw_raw(seed: int, count: int, workers: int | None = 1) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Draws `count` pictures as found, `plan.PICTURES_EACH` of one person after the other, every fifth person for test.

    The same seed gives the same bytes, and a longer run begins with the shorter one's pictures. `workers` processes
    draw; None is one a core. More than one start new interpreters: a script that asks for them has a `__main__` guard.

    Yields:
        (h, w, 3) uint8 RGB of about 90 to 700 pixels, and its row in the columns of a `FaceSet`. The action units are
        those that the face shows, whatever the label says; of a picture without a face nothing is known but its label.
    """
    return in_order(partial(_draw_one, seed), count, workers)


def _draw_one(seed: int, index: int) -> tuple[np.ndarray, dict[str, Any]]:
    """The `index`-th picture of the world `seed` and its row."""
    here = plan(seed, index)
    if here.original is None:
        found, source = find(here), here
    else:
        source = plan(seed, here.original)
        found = copy_of(here.rng("copy"), find(source))
    return found.image, _row(seed, here, source, found)


def _row(seed: int, here: Plan, source: Plan, found: Found) -> dict[str, Any]:
    """What is known of a picture at `here` that shows what `source` planned."""
    row = {"source": "synthetic_raw", "origin": f"{seed}:{here.index}", "maker": "drawn", "split": here.split,
           "label": source.label if source.wrong_label is None else source.wrong_label, "flaws": ",".join(here.flaws)}
    if found.box is None or found.landmarks is None:
        return row
    return row | {
        "subject": f"s{source.person:05d}", "gender": person(seed, source.person).gender,
        **dict(zip(AU_COLUMNS, source.action_units.tolist())),
        "box": found.box.tolist(), "landmarks": found.landmarks.ravel().tolist(),
    }
