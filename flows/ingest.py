"""Stage `ingest`: a source's pictures become one face set, letterboxed, with validation and test carved where missing.

Writes `set/`, `contact_sheet.png` and `metrics.json` (pictures by split and class).
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from data import sources
from data.faceset import EXPRESSIONS, FaceSet, FaceSetWriter
from data.letterbox import letterbox, letterbox_points
from data.png import write_png
from data.splits import carve
from flows.stage import Stage

ROOT = Path(__file__).resolve().parents[1]
BATCH = 256


def run(stage: Stage) -> None:
    """Reads the source named in `data.source` and writes it as a face set of `data.size` and `data.channels`."""
    data = stage.params.data
    with FaceSetWriter(stage.out / "set", (data.size, data.size, data.channels)) as writer:
        pictures = (fit(image, row, data.size, data.channels) for image, row in _source(stage))
        while batch := list(islice(pictures, BATCH)):
            images, rows = zip(*batch)
            writer.append(np.stack(images), rows)
            _tell(stage, len(writer))
        writer.assign_splits(complete_splits(writer.table, data.validation, data.test, stage.params.seed))

    faces = FaceSet.open(stage.out / "set")
    counts = count(faces.table)
    stage.watch.log(f"{len(faces):,} pictures, {faces.table['id'].nunique():,} of them distinct")
    stage.watch.table("pictures by split and class", counts.reset_index().to_dict("records"))
    write_png(stage.out / "contact_sheet.png", faces.picture())
    figures = {"pictures": len(faces), "distinct_pictures": faces.table["id"].nunique()}
    figures |= {f"{split}/{name}": int(number) for split, row in counts.iterrows() for name, number in row.items()}
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def _source(stage: Stage) -> Iterator[tuple[np.ndarray, dict]]:
    """The pictures of the chosen source; a relative path counts from the root of the checkout."""
    data = stage.params.data
    if data.source == "synthetic":
        return sources.read("synthetic", seed=stage.params.seed, count=data.count, size=data.size)
    if data.source == "synthetic_raw":
        return sources.read("synthetic_raw", seed=stage.params.seed, count=data.count)
    return sources.read(data.source, ROOT / Path(data.path).expanduser())


def _tell(stage: Stage, done: int) -> None:
    """Progress; how many pictures a file or folder holds is known only at its end."""
    data = stage.params.data
    if data.source in ("synthetic", "synthetic_raw"):
        stage.watch.progress(done, data.count, "pictures drawn")
    elif done % (32 * BATCH) == 0:
        stage.watch.log(f"{done:,} pictures read")


def fit(image: np.ndarray, row: dict, size: int, channels: int) -> tuple[np.ndarray, dict]:
    """One picture letterboxed to (size, size, channels), the box and landmarks of its row moved along."""
    moved = {}
    for name in ("box", "landmarks"):
        if row.get(name) is not None:
            points = np.array(row[name], np.float32).reshape(-1, 2)
            if name == "box":
                points[1] += points[0]  # corner and size to two corners
            points = letterbox_points(points, image.shape[:2], size)
            if name == "box":
                points[1] -= points[0]
            moved[name] = points.ravel()
    return letterbox(image, size, channels), row | moved


def complete_splits(table: pd.DataFrame, validation: float, test: float, seed: int) -> pd.Series:
    """The split of every row: what the source says, else `train`, from which the shares that are missing are carved.

    A source that has rows neither for training nor for validation is taken to bring its own test. Equal pictures and
    pictures of one subject stay on one side of what is carved here; what the source itself divided is left as it is.
    """
    split = table["split"].fillna("train")
    if not (split == "train").any():
        raise sources.SourceError(f"the source has no pictures for training, only {', '.join(sorted(split.unique()))}")
    has_test = bool((~split.isin(["train", "validation"])).any())
    wanted = [("test", 0.0 if has_test else test), ("validation", 0.0 if (split == "validation").any() else validation)]
    for name, share in wanted:
        if share > 0:
            rows = table[split == "train"]
            carved = carve(rows["id"], rows["label"], rows["subject"], share, seed)
            split[rows.index[carved]] = name
    return split


def count(table: pd.DataFrame) -> pd.DataFrame:
    """Pictures by split (rows) and expression (columns), with a column `unlabelled` where there are such."""
    names = table["label"].map(dict(enumerate(EXPRESSIONS))).fillna("unlabelled")
    counts = pd.crosstab(table["split"], names)
    return counts.reindex(columns=[name for name in (*EXPRESSIONS, "unlabelled") if name in counts])
