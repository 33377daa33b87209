"""Stage `evaluate`: the trained classifier on every split that it has not learnt or been selected from, and beside it the
one that learnt from made faces too.

Writes `predictions.parquet` (one row a picture), `confusion.csv` and `roc.csv` (for DVC's plots), `confusion.png`,
`roc.png`, `gain.csv` (what made faces gain, overall and of each class), `reliability.png` (whether probabilities are what
they say), `grad_cam.png` and `mistakes.png` (`flows.explanation`), and `metrics.json` (`<split>/<figure>` of `fer@base`,
`augmented/<split>/<figure>` of `fer@augmented`, `gain/<split>/<figure>` of the pair; what these pictures cannot tell is left
out). Probabilities are without the weights' temperature everywhere but where it is named.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from data.faceset import EXPRESSIONS, FaceSet
from flows.explanation import write_grad_cam, write_mistakes
from flows.predictions import PROBABILITIES, classify
from flows.stage import Stage
from metrics import roc
from metrics.calibration import calibration_errors, reliability, tempered
from metrics.classification import compare, report
from metrics.plots import confusion_picture, roc_picture
from metrics.reliability_plot import reliability_picture
from models.fer import weights

SEEN = ("train", "validation")


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
    said = classify(model, held_out.images, card.get("mirror", False), stage.watch)
    predictions[PROBABILITIES] = said
    temperature = card.get("temperature", 1.0)
    mended = tempered(said, temperature)
    other, other_card = weights.load(stage.inputs["fer@augmented"] / "weights.npz")
    augmented = classify(other, held_out.images, other_card.get("mirror", False), stage.watch)
    augmented_mended = tempered(augmented, other_card.get("temperature", 1.0))
    predictions.to_parquet(stage.out / "predictions.parquet", index=False)
    reports, curves, others, gains, diagrams = {}, {}, {}, {}, {}
    for split in splits:
        here = (predictions["split"] == split).to_numpy()
        labels = predictions.loc[here, "label"].to_numpy(int)
        subjects = held_out.table["subject"][here]
        reports[split] = report(
            labels, said[here], EXPRESSIONS, subjects, settings.confidence, stage.params.seed
        ) | calibration_errors(labels, said[here], mended[here])
        others[split] = report(
            labels, augmented[here], EXPRESSIONS, subjects, settings.confidence, stage.params.seed
        ) | calibration_errors(labels, augmented[here], augmented_mended[here])
        gains[split] = compare(
            labels, said[here], augmented[here], subjects, settings.confidence, stage.params.seed
        )
        curves[split] = roc.one_against_rest(labels, said[here], EXPRESSIONS)
        diagrams[f"{split}, as it is"] = reliability(labels, said[here])
        diagrams[f"{split}, temperature {temperature:.2f}"] = reliability(labels, mended[here])

    write_plots(predictions, curves, stage.out)
    matrices = {split: np.array(found["confusion_matrix"]) for split, found in reports.items()}
    confusion_picture(matrices, EXPRESSIONS, stage.out / "confusion.png")
    roc_picture(curves, stage.out / "roc.png")
    reliability_picture(diagrams, stage.out / "reliability.png", columns=2)
    write_grad_cam(model, held_out, said, stage.params.seed, stage.out / "grad_cam.png")
    write_mistakes(held_out, said, stage.out / "mistakes.png")
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
                        f"balanced {found['balanced_accuracy']:.4f}, macro-F1 {found['macro_f1']:.4f}, "
                        f"calibration error {found['calibration_error']:.4f}, tempered "
                        f"{found['calibration_error_tempered']:.4f}")
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
