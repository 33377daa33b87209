"""Receiver operating characteristics: the curve, its area, the equal error rate, the match rate at a false match rate.

Fawcett 2006, "An introduction to ROC analysis" (Pattern Recognition Letters 27), algorithm 1: one operating point a
distinct score. False and true match rate (FMR, TMR) are ISO/IEC 19795-1's names of the same two axes in verification.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn import metrics


class Curve(NamedTuple):
    """Operating points (P,), from "accept nothing" at (0, 0) to "accept everything" at (1, 1)."""

    fpr: np.ndarray  # false positive rate, never falling
    tpr: np.ndarray  # true positive rate, never falling
    thresholds: np.ndarray  # accepted is score >= threshold; the first is infinite


def roc_curve(positive: np.ndarray, scores: np.ndarray) -> Curve:
    """Curve of `scores` (N,), higher meaning more surely positive, against the truth `positive` (N,) of bools."""
    positive, scores = np.asarray(positive, bool), np.asarray(scores)
    if positive.ndim != 1 or positive.shape != scores.shape:
        raise ValueError(f"truth and scores must both be (N,), not {positive.shape} and {scores.shape}")
    if not np.isfinite(scores).all():
        raise ValueError(f"{np.sum(~np.isfinite(scores))} scores are NaN or infinite")
    if positive.all() or not positive.any():
        raise ValueError(f"a ROC curve needs positive and negative rows; there are {positive.sum()} of {len(positive)}")
    return Curve(*metrics.roc_curve(positive, scores, drop_intermediate=False))


def one_against_rest(labels: np.ndarray, probabilities: np.ndarray, names: Sequence[str]) -> dict[str, Curve]:
    """Curve of each class against all others, by name, from `labels` (N,) and `probabilities` (N, K).

    A class that does not occur, or is the only one that does, has no curve and is left out.
    """
    truth = {name: np.asarray(labels) == k for k, name in enumerate(names)}
    return {
        name: roc_curve(positive, probabilities[:, k])
        for k, (name, positive) in enumerate(truth.items())
        if positive.any() and not positive.all()
    }


def area(curve: Curve) -> float:
    """Area under the curve, AUC: the chance that a positive row scores higher than a negative one."""
    return float(metrics.auc(curve.fpr, curve.tpr))


def equal_error_rate(curve: Curve) -> float:
    """EER: where false positives and false negatives are equally frequent, linear between operating points."""
    gap = curve.fpr - (1 - curve.tpr)  # rises from -1 to 1
    after = int(np.argmax(gap >= 0))
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(curve.fpr[after - 1] + share * (curve.fpr[after] - curve.fpr[after - 1]))


def tmr_at(curve: Curve, fmr: float) -> float:
    """True match rate at the most generous threshold whose false match rate is at most `fmr`; nothing interpolated."""
    if not 0 <= fmr <= 1:
        raise ValueError(f"a false match rate lies in [0, 1], not {fmr}")
    return float(curve.tpr[np.searchsorted(curve.fpr, fmr, side="right") - 1])


def corners(curve: Curve) -> Curve:
    """The same line with only the points at which it turns: all that a picture or a table of it needs."""
    turn = np.diff(curve.fpr[:-1]) * np.diff(curve.tpr[1:]) != np.diff(curve.tpr[:-1]) * np.diff(curve.fpr[1:])
    keep = np.concatenate([[True], turn, [True]])
    return Curve(*(points[keep] for points in curve))
