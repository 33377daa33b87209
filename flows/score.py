"""`score`: a trained classifier on any labelled source, as a table and as JSON.

    python -m flows score fer2013 fer2013.csv --split PrivateTest --json scores.json
    python -m flows score folder my_pictures --weights models/released/mini_xception_fer2013.npz
    python -m flows score faceset artifacts/faces/set --split test

Pictures are read, cut, classified and let go a batch at a time; only their labels and probabilities are kept.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from data import sources
from data.faceset import EXPRESSIONS, FaceSet
from data.features import FEATURES, Feature
from data.letterbox import letterbox
from flows import settings
from flows.card import RELEASED
from flows.cutting import FACES_ALREADY, cut_face, cut_for, main_face
from flows.evaluate import by_class
from metrics.classification import report
from models.fer import predict, weights
from models.fer.networks import Network

ROOT = Path(__file__).resolve().parents[1]
TRAINED = ROOT / "artifacts/fer/base/weights.npz"
DRAWN = {"seed": 1_000_003, "count": 700, "size": 128}  # drawn faces to score on: not those of params.yaml's seeds
SPLITS = {"training": "train", "val": "validation", "valid": "validation", "testing": "test"}
LEAST_SIDE = 128  # of the pictures in which faces are looked for
CONFIDENCE = 0.95  # of the intervals
BATCH = 256

Pictures = Iterator[tuple[np.ndarray, dict]]
Cutter = Callable[[list[np.ndarray]], list[np.ndarray | None]]  # pictures of any size to faces for the network


def main(argv: list[str]) -> int:
    """Scores as the command line says, prints the result and writes it where `--json` says; returns the exit status."""
    given = parser().parse_args(argv)
    if given.json and not given.json.parent.is_dir():
        raise FileNotFoundError(f"--json {given.json}: there is no folder {given.json.parent}")
    console = Console(highlight=False, soft_wrap=True)
    path = given.weights or default_weights()
    model, card = weights.load(path)
    if tuple(card["labels"]) != EXPRESSIONS:
        raise ValueError(f"{shown(path)} tells {', '.join(card['labels'])}, not the seven expressions")
    how = given.faces or ("crop" if given.source in FACES_ALREADY else "detect")
    learnt = ", ".join(card.get("sources", [])) or card.get("maker", "unknown data")
    console.print(f"weights {shown(path)}, learnt from {learnt}; faces: {how}")
    if card.get("sources") == ["synthetic"] != [given.source]:
        console.print(f"these weights have seen drawn faces only; --weights {RELEASED} have seen real ones")
    pictures = chosen(read(given.source, given.path), given.split)
    features = "none" if given.source == "faceset" else card.get("features", "none")  # a set has been made of them
    mirror = card.get("mirror", False)
    with console.status("reading") as status:
        rows, probabilities = classify(pictures, cutter(how, card), FEATURES[features], model, mirror, status.update)
    scored = rows[rows["face"]]
    if scored.empty:
        raise ValueError(f"no face was found in any of {len(rows):,} pictures; --faces crop takes them whole")
    result = {
        "source": given.source,
        "path": given.path and str(given.path),
        "split": given.split,
        "weights": shown(path),
        "faces": how,
        "confidence": CONFIDENCE,
        "without_face": len(rows) - len(scored),
        "rows_by_split": scored["split"].fillna("unnamed").value_counts().to_dict(),
    } | report(scored["label"], probabilities, EXPRESSIONS, scored["subject"], CONFIDENCE)
    show(result, console)
    if given.json:
        beside = given.json.with_name(f".{given.json.name}.part")
        beside.write_text(json.dumps(result, indent=2) + "\n")
        os.replace(beside, given.json)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    known = ", ".join([*sources.SOURCES, "faceset"])
    words = argparse.ArgumentParser(prog="python -m flows score", description=__doc__.splitlines()[0])
    words.add_argument("source", metavar="SOURCE", help=f"one of {known}, a set as stage `faces` makes it")
    words.add_argument("path", metavar="PATH", type=Path, nargs="?", help="where its data is; drawn faces need none")
    words.add_argument("--split", help="score only these rows: train, validation, test, public_test, private_test, or "
                                       "as the publisher writes it, such as PrivateTest; default: all rows")
    words.add_argument("--weights", type=Path, help=".npz of this project or Keras .hdf5; default: what was trained "
                                                    "here last, or else the released weights")
    words.add_argument("--faces", choices=("crop", "detect"),
                       help="crop: each picture is a face, fitted to the network's input; detect: find, align and cut "
                            f"it as stage `faces` does; default: crop for {', '.join(sorted(FACES_ALREADY))}, else "
                            "detect")
    words.add_argument("--json", type=Path, metavar="FILE", help="write the result there too")
    return words


def default_weights() -> Path:
    """What the pipeline trained, or the released weights where nothing has been trained here."""
    for path in (TRAINED, ROOT / RELEASED):
        if path.exists():
            return path
    raise FileNotFoundError(f"there are no weights at {shown(TRAINED)} or {RELEASED}: train some with "
                            "`python -m flows run`, or name a file with --weights")


def shown(path: Path) -> str:
    """`path` as seen from the checkout where it lies in it."""
    path = path.resolve()
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def read(source: str, path: Path | None) -> Pictures:
    """Streams (picture, row) of a source of `data.sources`, or of a face set's folder where `source` is "faceset"."""
    if source != "faceset":
        return sources.read(source, path, **(DRAWN if source == "synthetic" else {}))
    if path is None:
        raise ValueError("score faceset needs the folder of a face set, for example artifacts/faces/set")
    faces = FaceSet.open(path)
    rows = faces.table[["split", "label", "subject"]].astype(object).where(faces.table.notna(), None)
    return ((faces.images[i], row) for i, row in enumerate(rows.to_dict("records")))


def chosen(pictures: Pictures, split: str | None) -> Pictures:
    """Passes on the pictures of `split`, all if it is None; "PrivateTest" is private_test, in any case.

    Raises:
        ValueError: at the end, if no picture was in that split or some had no label.
    """
    seen, passed, unlabelled = Counter(), 0, 0
    for image, row in pictures:
        name = row.get("split") or "unnamed"
        seen[name] += 1
        if split is None or plain(name) == plain(split):
            passed += 1
            if row.get("label") is None:
                unlabelled += 1
            else:
                yield image, row
    if not passed:
        there_are = ", ".join(f"{name} ({count:,})" for name, count in sorted(seen.items())) or "none"
        raise ValueError(f"no picture in split {split or 'of any name'!r}; the splits of this source: {there_are}")
    if unlabelled:
        raise ValueError(f"{unlabelled:,} of {passed:,} pictures have no label to score against")


def plain(split: str) -> str:
    """A split's name without case, blanks, dashes and other people's words for it."""
    name = "".join(letter for letter in split.lower() if letter.isalnum())
    return SPLITS.get(name, name)


def cutter(how: str, card: dict) -> Cutter:
    """What makes faces (size, size, channels), as the weights' `card` has them, of pictures."""
    size, channels = card["size"], card["channels"]
    if how == "crop":
        return lambda images: [fit(image, size, channels) for image in images]
    from models.mtcnn import Detector  # here, because its networks are compiled when it is made

    params = settings.load()
    learnt_from = card.get("sources", ["fer2013"])  # the published Keras weights say nothing of it
    faces = replace(cut_for(learnt_from, params.faces), size=size, channels=channels)
    side = max(params.data.size, LEAST_SIDE)
    detector = Detector(min_face=faces.min_face)

    def cut(images: list[np.ndarray]) -> list[np.ndarray | None]:
        pictures = np.stack([letterbox(image, side, 3) for image in images])
        results = []
        for image, picture, found in zip(images, pictures, detector.detect(pictures), strict=True):
            main = main_face(found.boxes, picture.shape[:2])
            if max(image.shape[:2]) <= size:  # no room for anything beside the face
                results.append(fit(image, size, channels))
            elif main is None:
                results.append(None)
            else:
                results.append(cut_face(picture, found.boxes[main], found.landmarks[main], faces)[0])
        return results

    return cut


def fit(image: np.ndarray, size: int, channels: int) -> np.ndarray:
    """A picture that is a face, as (size, size, channels) uint8; what is not square gets black bars.

    Enlarges linearly, as the published 64-pixel weights learnt FER-2013: cubic enlarging costs them 1.2 points.
    """
    square = letterbox(image, max(image.shape[:2]), channels)
    shrinks = len(square) > size
    resized = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized.reshape(size, size, channels)


def classify(
    pictures: Pictures, cut: Cutter, features: Feature, model: Network, mirror: bool, tell: Callable[[str], None]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Cuts `pictures`, makes them the `features` that the network learnt from, and classifies, a batch at a time.

    Returns:
        One row a picture (`split`, `label`, `subject`, and `face`: whether one was found), and the probabilities
        (M, 7) float32 of the M rows with a face.
    """
    rows, probabilities = [], [np.empty((0, len(EXPRESSIONS)), np.float32)]
    while batch := list(islice(pictures, BATCH)):
        faces = cut([image for image, _ in batch])
        rows += [
            {name: row.get(name) for name in ("split", "label", "subject")} | {"face": face is not None}
            for face, (_, row) in zip(faces, batch, strict=True)
        ]
        if found := [face for face in faces if face is not None]:
            inputs = np.stack(found)
            if inputs.shape[3] == 1:
                inputs = features(inputs[..., 0])[..., None]
            probabilities.append(predict.probabilities(model, inputs, mirror))
        tell(f"{len(rows):,} pictures")
    return pd.DataFrame(rows), np.concatenate(probabilities)


def show(result: dict, console: Console) -> None:
    """Prints scores, recall by class and the confusion matrix."""
    if trained_on := result["rows_by_split"].get("train"):
        console.print(f"note: {trained_on:,} of these pictures are for training; the weights may have learnt from them")
    if result["without_face"]:
        console.print(f"note: no face was found in {result['without_face']:,} pictures, which are not scored")
    percent = f"{result['confidence']:.0%}"
    scores = Table("score", "", f"{percent} from", "to", title=f"{result['n']:,} faces", title_justify="left")
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        scores.add_row(name.replace("_", " "), *(decimal(result[name + end]) for end in ("", "_low", "_high")))
    console.print(scores)
    classes = Table("expression", "faces", "recall", f"{percent} from", "to", "precision")
    for row in by_class(result):
        name, count, *figures = row.values()
        classes.add_row(name, f"{count:,}", *map(decimal, figures))
    console.print(classes)
    confusion = Table("", *EXPRESSIONS, title="actual down, predicted across", title_justify="left")
    for name, counts in zip(EXPRESSIONS, result["confusion_matrix"], strict=True):
        confusion.add_row(name, *map(str, counts))
    console.print(confusion)


def decimal(value: float | None) -> str:
    """A figure as tables show it."""
    return "unknown" if value is None else f"{value:.4f}"
