"""Stage `emoji`: the drawn emoji, one an expression, that the runner shows until there are personal ones."""

import json

import numpy as np

from data.contact_sheet import contact_sheet
from data.emoji import draw_emoji
from data.faceset import EXPRESSIONS
from data.png import write_png
from flows.stage import Stage

SIDE = 256  # pixels; the runner's largest emoji on a 720p picture is about that


def run(stage: Stage) -> None:
    """Writes set/<expression>.png (SIDE x SIDE RGBA) and all of them on sheet.png."""
    folder = stage.out / "set"
    folder.mkdir()
    pictures = [draw_emoji(expression, SIDE) for expression in EXPRESSIONS]
    for expression, picture in zip(EXPRESSIONS, pictures, strict=True):
        write_png(folder / f"{expression}.png", picture)
    sheet = contact_sheet(np.stack(pictures), columns=4, labels=EXPRESSIONS)
    write_png(stage.out / "sheet.png", sheet)
    figures = {"count": len(pictures), "side": SIDE}
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")
