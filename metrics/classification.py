"""Scores of a classifier from labels and probabilities: accuracy, balanced accuracy, macro-F1, recall, confusion.

Balanced accuracy is the mean recall over the classes that occur (Brodersen et al. 2010, "The balanced accuracy and its
posterior distribution"). Macro-F1 is the mean of the classes' F1 scores (Opitz & Burst 2019, "Macro F1 and macro F1",
equation 1), over the classes that occur or are predicted. Both are scikit-learn's definitions, and are computed here
from confusion matrices so that thousands of resampled ones cost one expression.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix as count_pairs

from metrics.intervals import cluster_bootstrap, effective_size, stratified_bootstrap, wilson


@dataclass(frozen=True)
class Scores:
    """Scores of one confusion matrix, or of a stack of them (leading axes `...`). NaN stands for "cannot be known"."""

    confusion: np.ndarray  # (..., K, K) how many rows of class [actual] were called [predicted]
    accuracy: np.ndarray  # (...)
    balanced_accuracy: np.ndarray  # (...) mean recall over the classes that occur
    macro_f1: np.ndarray  # (...) mean F1 over the classes that occur or are predicted
    recall: np.ndarray  # (..., K) NaN for a class that does not occur
    precision: np.ndarray  # (..., K) NaN for a class that is never predicted

    def overall(self) -> np.ndarray:
        """Balanced accuracy and macro-F1 as one array (..., 2)."""
        return np.stack([self.balanced_accuracy, self.macro_f1], axis=-1)


def scores(labels: np.ndarray, probabilities: np.ndarray) -> Scores:
    """Scores of `probabilities` (N, K), rows summing to 1, against `labels` (N,) in 0…K-1. The highest wins.

    Raises ValueError on no rows, labels out of range, and probabilities that are NaN or no probabilities.
    """
    labels, predicted, classes = _predictions(labels, probabilities)
    return scores_of(count_pairs(labels, predicted, labels=range(classes)))


def scores_of(confusion: np.ndarray) -> Scores:
    """Scores of confusion matrices (..., K, K), rows actual, columns predicted."""
    confusion = np.asarray(confusion)
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    actual, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = right / actual
        f1 = 2 * right / (actual + predicted)
        return Scores(
            confusion=confusion,
            accuracy=right.sum(axis=-1) / actual.sum(axis=-1),
            balanced_accuracy=_mean_of_known(recall),
            macro_f1=_mean_of_known(f1),
            recall=recall,
            precision=right / predicted,
        )


def report(
    labels: np.ndarray,
    probabilities: np.ndarray,
    names: Sequence[str],
    subjects: Sequence[str | None] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """Every score with its interval, ready for JSON; None stands for what these rows cannot tell.

    `labels` (N,), `probabilities` (N, K), `names` the K classes. `subjects` (N,) says who is in each picture,
    None where nobody knows. Pictures of one person are no independent trials: where people are known, proportions
    get Wilson's interval at their effective size and the bootstrap draws people; otherwise plain Wilson, and rows
    within each class.
    """
    labels, predicted, classes = _predictions(labels, probabilities)
    if len(names) != classes:
        raise ValueError(f"{classes} probabilities a row but {len(names)} class names: {', '.join(names)}")
    groups = _groups(subjects, len(labels))
    if groups is None:
        result = scores_of(count_pairs(labels, predicted, labels=range(classes)))
        low, high = stratified_bootstrap(
            result.confusion, lambda counts: scores_of(counts).overall(), confidence, seed=seed
        )
        size, recall_size = len(labels), result.confusion.sum(axis=1)
    else:
        tables = _tables(groups, classes, labels, predicted)
        result = scores_of(tables.sum(axis=0))
        low, high = cluster_bootstrap(tables, lambda counts: scores_of(counts).overall(), confidence, seed=seed)
        right, actual = np.diagonal(tables, axis1=1, axis2=2), tables.sum(axis=2)
        size = effective_size(right.sum(axis=1), actual.sum(axis=1))
        recall_size = np.array([effective_size(right[:, k], actual[:, k]) for k in range(classes)])
    accuracy_low, accuracy_high = wilson(result.accuracy * size, size, confidence)
    recall_low, recall_high = wilson(np.nan_to_num(result.recall) * recall_size, recall_size, confidence)

    def by_name(values: np.ndarray) -> dict[str, float | None]:
        return {name: _known(value) for name, value in zip(names, values, strict=True)}

    return {
        "n": len(labels),
        "accuracy": _known(result.accuracy),
        "accuracy_low": _known(accuracy_low),
        "accuracy_high": _known(accuracy_high),
        "balanced_accuracy": _known(result.balanced_accuracy),
        "balanced_accuracy_low": _known(low[0]),
        "balanced_accuracy_high": _known(high[0]),
        "macro_f1": _known(result.macro_f1),
        "macro_f1_low": _known(low[1]),
        "macro_f1_high": _known(high[1]),
        "recall": by_name(result.recall),
        "recall_low": by_name(recall_low),
        "recall_high": by_name(recall_high),
        "precision": by_name(result.precision),
        "support": {name: int(n) for name, n in zip(names, result.confusion.sum(axis=1), strict=True)},
        "confusion_matrix": result.confusion.tolist(),
    }


def compare(
    labels: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    subjects: Sequence[str | None] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, float | None]:
    """What `after` (N, K) gains over `before` (N, K) on the same rows: differences of scores with paired intervals.

    Both classifiers see the same draw of rows (or people), so what is hard for both cancels. An interval that leaves
    out 0 is a difference beyond chance. Bounds are None where the two never differ.
    """
    labels, first, classes = _predictions(labels, before)
    _, second, classes_after = _predictions(labels, after)
    if classes != classes_after:
        raise ValueError(f"the classifiers know {classes} and {classes_after} classes: they cannot be compared")

    def gain(counts: np.ndarray) -> np.ndarray:  # (B, K, K, K): actual, called by the first, called by the second
        old, new = scores_of(counts.sum(axis=-1)), scores_of(counts.sum(axis=-2))
        return np.column_stack([new.accuracy - old.accuracy, new.overall() - old.overall()])

    groups = _groups(subjects, len(labels))
    bootstrap = stratified_bootstrap if groups is None else cluster_bootstrap
    rows = np.zeros(len(labels), np.intp) if groups is None else groups
    tables = _tables(rows, classes, labels, first, second)
    counts = tables[0] if groups is None else tables
    low, high = bootstrap(counts, gain, confidence, seed=seed)
    values = gain(tables.sum(axis=0)[None])[0]
    figures: dict[str, float | None] = {}
    for i, name in enumerate(("accuracy", "balanced_accuracy", "macro_f1")):
        figures |= {name: _known(values[i]), f"{name}_low": _known(low[i]), f"{name}_high": _known(high[i])}
    return figures


def _predictions(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Checked labels (N,), predicted classes (N,) and the number of classes."""
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise ValueError(f"labels (N,) and probabilities (N, K) expected, not {labels.shape} and {probabilities.shape}")
    if len(labels) == 0:
        raise ValueError("there are no rows to score")
    classes = probabilities.shape[1]
    wrong = np.flatnonzero(~np.isin(labels, range(classes)))  # also finds null labels
    if len(wrong):
        raise ValueError(f"{len(wrong)} labels are not in 0…{classes - 1}; first row {wrong[0]}: {labels[wrong[0]]}")
    wrong = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if len(wrong):
        raise ValueError(f"{len(wrong)} rows of probabilities are NaN or infinite; first row {wrong[0]}")
    wrong = np.flatnonzero((probabilities < 0).any(axis=1) | (abs(probabilities.sum(axis=1) - 1) > 1e-3))
    if len(wrong):
        raise ValueError(f"{len(wrong)} rows are no probabilities (>= 0, sum 1); first row {wrong[0]}. Logits?")
    return labels.astype(np.intp), probabilities.argmax(axis=1), classes


def _groups(subjects: Sequence[str | None] | None, rows: int) -> np.ndarray | None:
    """The number of each row's person (N,); a picture of an unknown person is a group of its own."""
    if subjects is None:
        return None
    if len(subjects) != rows:
        raise ValueError(f"{rows} rows but {len(subjects)} subjects")
    names = [s if isinstance(s, str) else None for s in subjects]  # pandas has several nulls
    if all(name is None for name in names):
        return None
    keys = [f"row {i}" if name is None else f"subject {name}" for i, name in enumerate(names)]
    return np.unique(keys, return_inverse=True)[1]


def _tables(groups: np.ndarray, classes: int, *columns: np.ndarray) -> np.ndarray:
    """How often each (actual, predicted…) combination of `columns`, each (N,), occurs in each group: (S, K, K…)."""
    tables = np.zeros((groups.max() + 1, *(classes for _ in columns)), np.int64)
    np.add.at(tables, (groups, *columns), 1)
    return tables


def _mean_of_known(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=-1) / known.sum(axis=-1)


def _known(value: float | np.ndarray) -> float | None:
    return None if np.isnan(value) else float(value)
