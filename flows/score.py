"""`score`: a trained classifier, or the mean of several, on any labelled source, as a table and as JSON.

    python -m flows score fer2013 fer2013.csv --split PrivateTest --json scores.json
    python -m flows score folder my_pictures --weights models/released/mini_xception_fer2013.npz
    python -m flows score faceset artifacts/faces/set --split test
    python -m flows score rafdb RAF-DB --weights one.npz --weights other.npz

Pictures are read, cut, classified and let go a batch at a time; only their labels and probabilities are kept.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from data import sources
from data.faceset import EXPRESSIONS, FaceSet
from flows.card import RELEASED
from flows.cutting import TAKEN_WHOLE
from flows.evaluate import by_class
from flows.fitting import Cutter, Finder, cutter, finder
from flows.forms import featured
from metrics.calibration import calibration_errors, tempered
from metrics.classification import report
from models.fer import predict, weights
from models.fer.ensemble import together
from models.fer.networks import Network

ROOT = Path(__file__).resolve().parents[1]
TRAINED = ROOT / "artifacts/fer/base/weights.npz"
DRAWN = {"seed": 1_000_003, "count": 700, "size": 128}  # drawn faces to score on: not those of params.yaml's seeds
SPLITS = {"training": "train", "val": "validation", "valid": "validation", "testing": "test"}
CONFIDENCE = 0.95  # of the intervals
BATCH = 256

Pictures = Iterator[tuple[np.ndarray, dict]]


@dataclass(frozen=True)
class Classifier:
    """A network with all that its pictures have to go through before it sees them."""

    name: str  # of its file, as people are shown it
    network: Network
    card: dict
    cut: Cutter
    features: str  # of data.features, still to be made of grey faces

    def read(self, faces: np.ndarray) -> np.ndarray:
        """Probabilities (N, 7) float32 of faces (N, size, size, channels) uint8."""
        return predict.probabilities(self.network, featured(faces, self.features), self.card.get("mirror", False))


def main(argv: list[str]) -> int:
    """Scores as the command line says, prints the result and writes it where `--json` says; returns the exit status."""
    given = parser().parse_args(argv)
    if given.json and not given.json.parent.is_dir():
        raise FileNotFoundError(f"--json {given.json}: there is no folder {given.json.parent}")
    console = Console(highlight=False, soft_wrap=True)
    how = given.faces or ("crop" if given.source in TAKEN_WHOLE else "detect")
    networks = [classifier(path, how) for path in given.weights or [default_weights()]]
    for each in networks:
        learnt = ", ".join(each.card.get("sources", [])) or each.card.get("maker", "unknown data")
        console.print(f"weights {each.name}, learnt from {learnt}; faces: {how}")
    if given.source == "faceset":
        networks = as_made(networks)
    if all(each.card.get("sources") == ["synthetic"] != [given.source] for each in networks):
        console.print(f"these weights have seen drawn faces only; --weights {RELEASED} have seen real ones")
    pictures = chosen(read(given.source, given.path), given.split)
    with console.status("reading") as status:
        rows, words = classify(pictures, finder(how), networks, status.update)
    probabilities = together(words)
    mended = together([tempered(said, each.card.get("temperature", 1.0)) for said, each in zip(words, networks)])
    scored = rows[rows["face"]]
    if scored.empty:
        raise ValueError(f"no face was found in any of {len(rows):,} pictures; --faces crop takes them whole")
    result = {
        "source": given.source,
        "path": given.path and str(given.path),
        "split": given.split,
        "weights": [each.name for each in networks],
        "faces": how,
        "confidence": CONFIDENCE,
        "without_face": len(rows) - len(scored),
        "rows_by_split": scored["split"].fillna("unnamed").value_counts().to_dict(),
    } | report(scored["label"], probabilities, EXPRESSIONS, scored["subject"], CONFIDENCE)
    result |= calibration_errors(scored["label"].to_numpy(int), probabilities, mended)
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
    words.add_argument("--weights", type=Path, action="append",
                       help=".npz of this project or Keras .hdf5, again for several, whose mean is scored; default: what "
                            "was trained here last, or else the released weights")
    words.add_argument("--faces", choices=("crop", "detect"),
                       help="crop: each picture is a face, fitted to the network's input; detect: find, align and cut "
                            f"it as stage `faces` does; default: crop for {', '.join(sorted(TAKEN_WHOLE))}, else "
                            "detect")
    words.add_argument("--json", type=Path, metavar="FILE", help="write the result there too")
    return words


def classifier(path: Path, how: str) -> Classifier:
    """The classifier in `path`; raises ValueError where it tells other classes than the seven expressions."""
    model, card = weights.load(path)
    if tuple(card["labels"]) != EXPRESSIONS:
        raise ValueError(f"{shown(path)} tells {', '.join(card['labels'])}, not the seven expressions")
    return Classifier(shown(path), model, card, cutter(how, card), card.get("features", "none"))


def as_made(networks: Sequence[Classifier]) -> list[Classifier]:
    """The classifiers for a face set, which has been made the features that they learnt from; raises ValueError where
    these differ."""
    kinds = {each.features: each.name for each in networks}
    if len(kinds) > 1:
        told = ", ".join(f"{name} from {kind}" for kind, name in kinds.items())
        raise ValueError(f"a face set holds one kind of features, but {told}: score them one by one, or on the pictures")
    return [replace(each, features="none") for each in networks]


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


def classify(
    pictures: Pictures, find: Finder, networks: Sequence[Classifier], tell: Callable[[str], None]
) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Cuts `pictures` as each network learnt them, makes them its features, and classifies, a batch at a time.

    Returns:
        One row a picture (`split`, `label`, `subject`, and `face`: whether there is one for every network), and each
        network's probabilities (M, 7) float32 of the M rows with a face.
    """
    rows, words = [], [[np.empty((0, len(EXPRESSIONS)), np.float32)] for _ in networks]
    while batch := list(islice(pictures, BATCH)):
        found = find([image for image, _ in batch])
        cuts = [[each.cut(image, face) for (image, _), face in zip(batch, found, strict=True)] for each in networks]
        seen = [all(face is not None for face in faces) for faces in zip(*cuts, strict=True)]
        rows += [
            {name: row.get(name) for name in ("split", "label", "subject")} | {"face": face}
            for face, (_, row) in zip(seen, batch, strict=True)
        ]
        if any(seen):
            for network, faces, said in zip(networks, cuts, words, strict=True):
                said.append(network.read(np.stack([face for face, there in zip(faces, seen) if there])))
        tell(f"{len(rows):,} pictures")
    return pd.DataFrame(rows), [np.concatenate(said) for said in words]


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
    scores.add_row("calibration error", decimal(result["calibration_error"]))
    scores.add_row("the same, tempered", decimal(result["calibration_error_tempered"]))
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
