"""Drawn people, cut as the faces are: what networks learn from where a source does not say what they have to know."""

import numpy as np
import pandas as pd

from data.faceset import FaceSet
from data.synthetic import PICTURES_EACH, draw
from flows.cutting import cut_face, cut_for
from flows.forms import featured
from flows.sections import Faces
from flows.stage import Stage

DRAWN_AT = 128  # pixels of a drawn picture before its face is cut out
TOLD = 500  # pictures between two words about progress


def drawn_faces(stage: Stage, people: int, settings: Faces) -> tuple[np.ndarray, pd.DataFrame]:
    """Pictures (N, H, W, C) uint8 of as many drawn people, cut by their own landmarks as the faces are that `settings` are
    of, with the same features; and their rows."""
    settings = cut_for(FaceSet.open(stage.inputs["faces"] / "set").table["source"].dropna().unique(), settings)
    count = people * PICTURES_EACH
    faces, rows = [], []
    for number, (image, row) in enumerate(draw(stage.params.seed, count, DRAWN_AT, None)):
        x, y, width, height = row["box"]
        box = np.array([x, y, x + width, y + height])
        faces.append(cut_face(image, box, np.reshape(row["landmarks"], (5, 2)), settings)[0])
        rows.append(row)
        if number % TOLD == 0:
            stage.watch.progress(number, count, "people drawn")
    return featured(np.stack(faces), settings.features), pd.DataFrame(rows)
