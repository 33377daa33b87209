"""Stage `emoji`: the drawn emoji, one an expression, that the runner shows until there are personal ones; and the many that
a generator learns from, drawn of many people or read from a folder or a font.

Writes `set/<expression>.png`, `sheet.png`, `portraits/` (a face set of emoji placed as faces are cut) and `people.png`.
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from data import sources
from data.contact_sheet import contact_sheet
from data.emoji_portrait import draw_portraits, portrait
from data.faceset import EXPRESSIONS, FaceSet, FaceSetWriter
from data.letterbox import letterbox
from data.png import write_png
from data.synthetic.emoji import draw_emoji
from flows.stage import Stage

ROOT = Path(__file__).resolve().parents[1]
SIDE = 256  # pixels; the runner's largest emoji on a 720p picture is about that
BATCH = 256
SHOWN = 70


def run(stage: Stage) -> None:
    """Writes the runner's emoji (SIDE × SIDE RGBA) and those to learn from (`faces.portrait.size`, RGB)."""
    folder = stage.out / "set"
    folder.mkdir()
    pictures = [draw_emoji(expression, SIDE) for expression in EXPRESSIONS]
    for expression, picture in zip(EXPRESSIONS, pictures, strict=True):
        write_png(folder / f"{expression}.png", picture)
    sheet = contact_sheet(np.stack(pictures), columns=4, labels=EXPRESSIONS)
    write_png(stage.out / "sheet.png", sheet)

    size = stage.params.faces.portrait.size
    emoji = learnt_from(stage)
    with FaceSetWriter(stage.out / "portraits", (size, size, 3)) as writer:
        while batch := list(islice(emoji, BATCH)):
            images, rows = zip(*batch)
            writer.append(np.stack(images), [row | {"split": "train"} for row in rows])
            stage.watch.log(f"{len(writer):,} emoji to learn from")
    portraits = FaceSet.open(stage.out / "portraits")
    write_png(stage.out / "people.png", contact_sheet(np.asarray(portraits.images[:SHOWN]), columns=14))
    figures = {"count": len(pictures), "side": SIDE, "portraits": len(portraits)}
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def learnt_from(stage: Stage) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """The emoji that `emoji` in params.yaml names, as portraits, with their rows."""
    wanted, cut = stage.params.emoji, stage.params.faces.portrait
    if wanted.source == "drawn":
        yield from draw_portraits(stage.params.seed, wanted.people, cut.size, cut.margin)
        return
    for image, row in sources.read(wanted.source, ROOT / Path(wanted.path).expanduser()):
        side = max(image.shape[:2])
        yield portrait(letterbox(image, side, 3), cut.size, cut.margin), row
