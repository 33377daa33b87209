"""Stage `evaluate`: the trained classifier on every split that it has not learnt or been selected from, and beside it the
one that learnt from made faces too.

Writes `predictions.parquet` (one row a picture), `confusion.csv` and `roc.csv` (for DVC's plots), `confusion.png`,
`roc.png`, `gain.csv` (what made faces gain, overall and of each class), and `metrics.json` (`<split>/<figure>` of `fer@base`,
`augmented/<split>/<figure>` of `fer@augmented`, `gain/<split>/<figure>` of the pair; what these pictures cannot tell is left out).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from data.faceset import EXPRESSIONS, FaceSet
from flows.stage import Stage
from flows.watch import Watcher
from metrics import roc
from metrics.classification import compare, report
from metrics.plots import confusion_picture, roc_picture
from models.fer import predict, weights
from models.fer.networks import Network

SEEN = ("train", "validation")
PROBABILITIES = [f"p_{name}" for name in EXPRESSIONS]
BATCH = 4096  # pictures between two words about progress


def run(stage: Stage) -> None:
    """Scores both classifiers on the splits of `evaluate.splits`, or on all but train and validation."""
    settings = stage.params.evaluate
    faces = FaceSet.open(stage.inputs["faces"] / "set")
    model, card = weights.load(stage.inputs["fer@base"] / "weights.npz")
    splits = choose(faces.table["split"], settings.splits)
    held_out = faces.select(faces.table["split"].isin(splits))
    if unlabelled := int(held_out.table["label"].isna().sum()):
        raise ValueError(f"{unlabelled} of {len(held_out)} faces in {', '.join(splits)} have no label to score against")

    predictions = held_out.table[["id", "split", "label"]].reset_index(drop=True)
    predictions[PROBABILITIES] = classify(model, held_out.images, card.get("mirror", False), stage.watch)
    other, other_card = weights.load(stage.inputs["fer@augmented"] / "weights.npz")
    augmented = classify(other, held_out.images, other_card.get("mirror", False), stage.watch)
    predictions.to_parquet(stage.out / "predictions.parquet", index=False)
    reports, curves, others, gains = {}, {}, {}, {}
    for split in splits:
        here = (predictions["split"] == split).to_numpy()
        labels = predictions.loc[here, "label"].to_numpy(int)
        probabilities = predictions.loc[here, PROBABILITIES].to_numpy()
        subjects = held_out.table["subject"][here]
        reports[split] = report(
            labels, probabilities, EXPRESSIONS, subjects, settings.confidence, stage.params.seed
        )
        others[split] = report(
            labels, augmented[here], EXPRESSIONS, subjects, settings.confidence, stage.params.seed
        )
        gains[split] = compare(
            labels, probabilities, augmented[here], subjects, settings.confidence, stage.params.seed
        )
        curves[split] = roc.one_against_rest(labels, probabilities, EXPRESSIONS)

    write_plots(predictions, curves, stage.out)
    matrices = {split: np.array(found["confusion_matrix"]) for split, found in reports.items()}
    confusion_picture(matrices, EXPRESSIONS, stage.out / "confusion.png")
    roc_picture(curves, stage.out / "roc.png")
    figures = {f"{split}/{name}": value for split, found in reports.items() for name, value in flat(found).items()}
    figures |= {f"augmented/{split}/{name}": value for split, found in others.items() for name, value in flat(found).items()}
    figures |= {
        f"gain/{split}/{name}": value for split, found in gains.items() for name, value in found.items() if value is not None
    }
    table = gained(reports, others, gains)
    table.to_csv(stage.out / "gain.csv", index=False, float_format="%.4f")
    stage.watch.table("what made faces gain", table.to_dict("records"))
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")
    for split, found in reports.items():
        stage.watch.log(f"{split}: {found['n']:,} faces, accuracy {found['accuracy']:.4f} "
                        f"({found['accuracy_low']:.4f} to {found['accuracy_high']:.4f}), "
                        f"balanced {found['balanced_accuracy']:.4f}, macro-F1 {found['macro_f1']:.4f}")
        stage.watch.table(f"recall on {split}", by_class(found))


def choose(splits: pd.Series, wanted: Sequence[str] | None) -> list[str]:
    """The splits to score, in order of their names: those `wanted`, or all that were not for training or selection.

    Raises:
        ValueError: a wanted split does not exist, or nothing is held out; the splits there are are named.
    """
    known = sorted(splits.dropna().unique())
    there_are = f"the splits of this set: {', '.join(known) or 'none'}"
    if wanted is None:
        held_out = [name for name in known if name not in SEEN]
        if not held_out:
            raise ValueError(f"there is nothing to evaluate on but what was learnt from; {there_are}. Set data.test")
        return held_out
    if not wanted:
        raise ValueError(f"evaluate.splits is empty: name some, or null for all that are held out; {there_are}")
    if absent := sorted(set(wanted) - set(known)):
        raise ValueError(f"evaluate.splits names {', '.join(absent)}; {there_are}")
    return sorted(set(wanted))


def classify(model: Network, images: np.ndarray, mirror: bool, watch: Watcher) -> np.ndarray:
    """Probabilities (N, 7) float32 of `images` (N, H, W, C) uint8, read from the disk a batch at a time.

    With `mirror`, as the card of our own weights says, the mean over a picture and its mirror image.
    """
    found = []
    for start in range(0, len(images), BATCH):
        found.append(predict.probabilities(model, images[start : start + BATCH], mirror))
        watch.progress(min(start + BATCH, len(images)), len(images), "faces classified")
    return np.concatenate(found)


def write_plots(predictions: pd.DataFrame, curves: Mapping[str, Mapping[str, roc.Curve]], out: Path) -> None:
    """Writes `confusion.csv`, one row a picture, and `roc.csv`, one row a corner of a curve."""
    names = np.array(EXPRESSIONS)
    pairs = {
        "split": predictions["split"],
        "actual": names[predictions["label"].to_numpy(int)],
        "predicted": names[predictions[PROBABILITIES].to_numpy().argmax(axis=1)],
    }
    pd.DataFrame(pairs).to_csv(out / "confusion.csv", index=False)
    lines = [
        pd.DataFrame(roc.corners(curve)._asdict()).assign(split=split, expression=name)
        for split, named in curves.items()
        for name, curve in named.items()
    ]
    points = pd.concat([pd.DataFrame(columns=["split", "expression", "fpr", "tpr"]), *lines])
    points[["split", "expression", "fpr", "tpr"]].to_csv(out / "roc.csv", index=False, float_format="%.6g")


def gained(before: Mapping[str, Mapping], after: Mapping[str, Mapping], gains: Mapping[str, Mapping]) -> pd.DataFrame:
    """One row a split and score: without and with made faces, and the difference, with its interval where it is overall."""
    rows = []
    for split, gain in gains.items():
        for name in ("accuracy", "balanced_accuracy", "macro_f1"):
            rows.append({"split": split, "score": name, "base": before[split][name], "augmented": after[split][name],
                         "gain": gain[name], "low": gain[f"{name}_low"], "high": gain[f"{name}_high"]})  # fmt: skip
        for name, recall in before[split]["recall"].items():
            other = after[split]["recall"][name]
            known = recall is not None and other is not None
            rows.append({"split": split, "score": f"recall {name}", "base": recall, "augmented": other,
                         "gain": other - recall if known else None})  # fmt: skip
    return pd.DataFrame(rows)


def by_class(found: Mapping) -> list[dict]:
    """One row a class of a report, for tables."""
    columns = ("support", "recall", "recall_low", "recall_high", "precision")
    return [{"expression": name} | {column: found[column][name] for column in columns} for name in found["recall"]]


def flat(found: Mapping) -> dict[str, float]:
    """A report's numbers by one name each: recall of happy and its interval are `recall_happy`, `recall_happy_low`…"""
    figures = {name: value for name, value in found.items() if np.isscalar(value)}
    for column, end in (("recall", ""), ("recall_low", "_low"), ("recall_high", "_high")):
        figures |= {f"recall_{name}{end}": value for name, value in found[column].items()}
    return {name: value for name, value in figures.items() if value is not None}
