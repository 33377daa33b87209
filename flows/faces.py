"""Stage `faces`: one face a picture, found by MTCNN, turned upright, cut out and resized; or, where every picture is a
face already, only resized. Rules of `data.cleaning` and a person's own verdicts say which pictures are left out.

Writes `set/`, `colour/` (the same faces for the networks that edit them), `portraits/` (for the generators, of their size and
with their margin), `verdicts.csv` (what becomes of each picture, and why), `review.html` (the same to look at and to judge),
`contact_sheet.png` and `metrics.json`.
Pictures are worked on in chunks by worker processes (`flows.chunks`), so that memory does not grow with them, and a killed
run goes on.
"""

import json
import shutil
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap

from data.cleaning import curation
from data.faceset import IMAGES, FaceSet, FaceSetWriter
from data.letterbox import letterbox_points
from data.pixels import NpyRows
from data.png import write_png
from flows import chunks
from flows.examine import active, cuttings, of_a_set, prepare, spans
from flows.review import write_review
from flows.sections import Faces
from flows.stage import Stage
from flows.verdicts import judge, marked, score

ROOT = Path(__file__).resolve().parents[1]


def run(stage: Stage) -> None:
    """Makes the set of faces that `faces` in params.yaml asks for from the set of pictures that `ingest` made."""
    settings, folder = stage.params.faces, stage.inputs["ingest"] / "set"
    if settings.features != "none" and settings.channels != 1:
        raise ValueError(f"faces.features {settings.features} is made of grey pictures: set faces.channels to 1")
    pictures = FaceSet.open(folder)
    pictures.images = NpyRows(folder / IMAGES)
    curated = curation.apply(pictures.table, curation.read(ROOT / Path(settings.curation).expanduser()))
    if curated.unknown:
        stage.watch.log(f"{curated.unknown:,} verdicts in {settings.curation} are about pictures that are not here")
    pictures.table["label"] = curated.label
    parts = spans(len(pictures), pictures.images.shape[1:])
    files = chunks.work(
        partial(prepare, folder / IMAGES, settings), len(parts), stage.checkpoints / "chunks", settings.workers,
        lambda done: stage.watch.progress(parts[done - 1].stop if done else 0, len(pictures), "pictures examined"),
    )  # fmt: skip
    found = np.concatenate([np.empty(0, bool), *(chunks.read(file, "found")["found"] for file in files)])
    if not found.any():
        raise ValueError(f"no face of at least {settings.min_face} pixels in any of {len(pictures)} pictures: lower "
                         "faces.min_face, raise data.size, or, if they are faces already, set faces.detect to false")
    measures = measured(stage, pictures.table, files)
    thresholds = asdict(settings.cleaning)
    marks = marked(found, measures, thresholds)
    verdicts = judge(pictures.table, found, marks, curated, measures)
    for name in cuttings(settings):
        write(stage, name, pictures, verdicts["kept"].to_numpy(), parts, files)
    verdicts.to_csv(stage.out / "verdicts.csv", index=False, float_format="%.6g")
    write_review(stage.out / "review.html", verdicts, pictures, thresholds)
    report(stage, pictures.table, found, marks, verdicts)
    shutil.rmtree(stage.checkpoints / "chunks")


def measured(stage: Stage, table: pd.DataFrame, files: list[Path]) -> dict[str, np.ndarray]:
    """What the rules that are on measured, (N,) each, by their names.

    Rules that compare pictures measure here; the descriptions they need are gathered in a file, not in memory.
    """
    measures = {}
    for name, rule in active(stage.params.faces.cleaning).items():
        if not of_a_set(rule):
            measures[name] = np.concatenate([chunks.read(file, name)[name] for file in files])
            continue
        stage.watch.log(f"{name}: comparing {len(table):,} pictures")
        first = chunks.read(files[0], name)[name]
        path = stage.checkpoints / f"{name}.npy"
        descriptions = open_memmap(path, "w+", first.dtype, (len(table), *first.shape[1:]))
        start = 0
        for file in files:
            part = chunks.read(file, name)[name]
            descriptions[start:start + len(part)] = part
            start += len(part)
        measures[name] = rule.measure(descriptions, table[["id", "split", "label", "subject"]], stage.params.seed)
        del descriptions
        path.unlink()
    return measures


def write(
    stage: Stage, name: str, pictures: FaceSet, kept: np.ndarray, parts: list[slice], files: list[Path]
) -> None:
    """Writes one of the sets, `name`: the faces of the rows that are kept, one chunk after the other."""
    settings = cuttings(stage.params.faces)[name]
    kinds = ("faces", "boxes", "landmarks") if settings.detect else ("faces",)
    with FaceSetWriter(stage.out / name, (settings.size, settings.size, settings.channels)) as writer:
        for rows, file in zip(parts, files, strict=True):
            stored = chunks.read(file, "found", *(f"{name}/{kind}" for kind in kinds))
            found, chunk = stored.pop("found"), {key.removeprefix(f"{name}/"): part for key, part in stored.items()}
            table = pictures.table.iloc[rows]
            boxes, landmarks = places(chunk, table, pictures.images.shape[1:3], settings)
            chosen = kept[rows][found]  # of the pictures with a face
            table = table[found].assign(box=boxes, landmarks=landmarks)[chosen]
            writer.append(chunk["faces"][chosen], table.assign(parent=table["id"]))
            stage.watch.progress(rows.stop, len(pictures), f"{len(writer)} faces")
        if not len(writer):
            raise ValueError(f"the rules of faces.cleaning leave none of {len(pictures)} pictures: loosen some, or set "
                             "them to null")


def places(chunk: chunks.Arrays, table: pd.DataFrame, shape: tuple[int, int], settings: Faces) -> tuple[list, list]:
    """Box and landmarks of each face of a chunk: those found, or those that were known, moved as its pixels were."""
    if settings.detect:
        return list(chunk["boxes"]), list(chunk["landmarks"])
    boxes, landmarks = [], []
    for box, points in zip(table["box"], table["landmarks"], strict=True):
        if box is not None:
            corner, end = letterbox_points([box[:2], box[:2] + box[2:]], shape, settings.size)
            box = np.concatenate([corner, end - corner])
        boxes.append(box)
        landmarks.append(None if points is None else
                         letterbox_points(points.reshape(5, 2), shape, settings.size).ravel())
    return boxes, landmarks


def report(stage: Stage, table: pd.DataFrame, found: np.ndarray, marks: pd.DataFrame, verdicts: pd.DataFrame) -> None:
    """Writes the contact sheet and metrics.json; the wrapper shows picture and figures."""
    faces, kept = FaceSet.open(stage.out / "set"), verdicts["kept"].to_numpy()
    write_png(stage.out / "contact_sheet.png", faces.picture())
    rates = pd.Series(found).groupby(table["split"].to_numpy()).mean()
    figures = {"pictures": len(table), "faces": len(faces), "rejected": int((~kept).sum())}
    figures |= {"found": float(found.mean())} | {f"found/{split}": float(rate) for split, rate in rates.items()}
    rules = score(marks, kept, table["flaws"])
    figures |= {f"{name}/{rule['rule']}": value for rule in rules for name, value in rule.items() if name != "rule"}
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")
    if rules:
        stage.watch.table("rules", rules)
    faceless, left_out = int((~found).sum()), int((found & ~kept).sum())
    stage.watch.log(f"{len(faces):,} faces from {len(table):,} pictures, {faceless:,} pictures without a face, "
                    f"{left_out:,} left out by rules or a person")
