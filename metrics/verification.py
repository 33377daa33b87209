"""How well two pictures of one person are told from those of two: scores of pairs, and the figures of their ROC curve with
bootstrap intervals.

Scores are P = 1 / (1 + ‖a - b‖²), as study D compares descriptors, or the negative distance: the same order, so the same
curve. TMR at an FMR: ISO/IEC 19795-1. Intervals: percentile bootstrap (Efron 1979) that draws genuine and impostor pairs
anew, each as a sample of its own; where pairs share people, whole people are drawn instead.
"""

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from metrics.intervals import RESAMPLES
from metrics.roc import Curve, area, equal_error_rate, roc_curve, tmr_at

FMRS = {"tmr_at_1_percent": 0.01, "tmr_at_0.1_percent": 0.001}


@dataclass(frozen=True)
class Figure:
    """A figure and the bounds of its interval; NaN where it cannot be told."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def pair_scores(first: np.ndarray, second: np.ndarray, kind: Literal["similarity", "distance"]) -> np.ndarray:
    """(N,) scores of pairs of descriptors (N, D), higher for more alike.

    "similarity" is 1 / (1 + ‖a - b‖²), from 0 to 1; "distance" is -‖a - b‖.
    """
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(f"descriptors are {first.shape} and {second.shape}, expected (N, D) twice")
    if kind not in ("similarity", "distance"):
        raise ValueError(f"kind is {kind!r}, expected 'similarity' or 'distance'")
    squared = np.sum((first.astype(np.float64) - second) ** 2, axis=1)
    return 1 / (1 + squared) if kind == "similarity" else -np.sqrt(squared)


def pairs(subjects: np.ndarray, impostors: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows (P, 2) to compare, and whether each pair is genuine (P,).

    Genuine: each picture of a person with each of their others. Impostor: as many distinct pairs of two people's pictures,
    drawn evenly. A person with one picture takes part in impostor pairs only.

    Raises ValueError where nobody has two pictures, there are not two people, or not so many impostor pairs.
    """
    subjects = np.asarray(subjects)
    count = len(subjects)
    genuine = [
        (first, second)
        for name in np.unique(subjects)
        for rows in [np.flatnonzero(subjects == name)]
        for place, first in enumerate(rows)
        for second in rows[place + 1 :]
    ]
    if not genuine:
        raise ValueError(f"nobody among {count} pictures has two: matching cannot be measured")
    possible = count * (count - 1) // 2 - len(genuine)
    if not 1 <= impostors <= possible:
        raise ValueError(f"{impostors} impostor pairs are asked for, expected 1 to {possible}")
    rng, chosen = np.random.default_rng(seed), {}
    while len(chosen) < impostors:
        drawn = np.sort(rng.integers(0, count, (2 * impostors, 2)), axis=1)
        strangers = drawn[subjects[drawn[:, 0]] != subjects[drawn[:, 1]]]
        chosen |= dict.fromkeys(map(tuple, strangers.tolist()))  # keeps the order in which they were drawn
    rows = np.array(genuine + list(chosen)[:impostors])
    return rows, np.arange(len(rows)) < len(genuine)


def figures(
    genuine: np.ndarray,
    scores: np.ndarray,
    people: np.ndarray | None = None,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Figure]:
    """"auc", "eer", "tmr_at_1_percent" and "tmr_at_0.1_percent" of scores (N,), with intervals.

    Args:
        genuine: (N,) of bools.
        scores: (N,), higher for more surely genuine.
        people: (N, 1 or 2), who is on each picture of a pair, as integers. If given, people are drawn anew and a pair counts
            as often as the product of its people's draws (a genuine pair as often as its one person's), as pictures of one
            person are not independent.

    Raises ValueError as `metrics.roc.roc_curve` does.
    """
    genuine, scores = np.asarray(genuine, bool), np.asarray(scores, np.float64)
    curve = roc_curve(genuine, scores)
    counts = _grouped(genuine, scores)
    rng = np.random.default_rng(seed)
    groups = None if people is None else _groups(people)
    draws = []
    for _ in range(resamples):
        times = _pairs_anew(rng, genuine) if groups is None else _people_anew(rng, *groups)
        if times[genuine].any() and times[~genuine].any():
            draws.append(_read(_weighted_curve(counts, times)))
    return _with_intervals(NAMES, _read(curve), draws, confidence)


def class_figures(
    labels: np.ndarray,
    scores: np.ndarray,
    people: np.ndarray,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Figure]:
    """"auc" and "eer" of an attribute read in faces, with intervals: of two classes those of class 1, of more the mean over
    the classes, each against the rest.

    Args:
        labels: (N,) true classes.
        scores: (N, K), higher for more surely of a class.
        people: (N,) who is on each face, as integers; whole people are drawn anew.

    Raises ValueError where fewer than two classes occur.
    """
    chosen = [1] if scores.shape[1] == 2 else range(scores.shape[1])
    kinds = [(labels == k, scores[:, k].astype(np.float64)) for k in chosen if 0 < (labels == k).sum() < len(labels)]
    if not kinds:
        raise ValueError(f"all {len(labels)} faces are of one class: how well classes are told apart cannot be measured")
    counts, rng, groups = [_grouped(*kind) for kind in kinds], np.random.default_rng(seed), _groups(people)
    draws = []
    for _ in range(resamples):
        times = _people_anew(rng, *groups)
        if all(times[truth].any() and times[~truth].any() for truth, _ in kinds):
            draws.append(_read_classes([_weighted_curve(each, times) for each in counts]))
    return _with_intervals(NAMES[:2], _read_classes([roc_curve(*kind) for kind in kinds]), draws, confidence)


NAMES = ("auc", "eer", *FMRS)


def _read(curve: Curve) -> tuple[float, ...]:
    return area(curve), equal_error_rate(curve), *(tmr_at(curve, fmr) for fmr in FMRS.values())


def _read_classes(curves: list[Curve]) -> tuple[float, ...]:
    return float(np.mean([area(curve) for curve in curves])), float(np.mean([equal_error_rate(curve) for curve in curves]))


def _with_intervals(
    names: tuple[str, ...], values: tuple[float, ...], draws: list[tuple[float, ...]], confidence: float
) -> dict[str, Figure]:
    tail = (1 - confidence) / 2
    bounds = np.quantile(draws, [tail, 1 - tail], axis=0) if draws else np.full((2, len(names)), np.nan)
    return {name: Figure(float(value), float(a), float(b)) for name, value, a, b in zip(names, values, *bounds)}


def _grouped(genuine: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The order of falling scores, whether genuine in it, the last place of each distinct score, and the scores there."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    return order, genuine[order], last, ordered[last]


def _weighted_curve(counts: tuple[np.ndarray, ...], times: np.ndarray) -> Curve:
    """The curve where each row counts so many `times` (N,)."""
    order, genuine, last, thresholds = counts
    times = times[order]
    accepted = [np.concatenate([[0], np.cumsum(times * kind)[last]]) for kind in (~genuine, genuine)]
    false, true = (each / each[-1] for each in accepted)
    return Curve(false, true, np.concatenate([[np.inf], thresholds]))


def _pairs_anew(rng: np.random.Generator, genuine: np.ndarray) -> np.ndarray:
    times = np.zeros(len(genuine), np.int64)
    for kind in (genuine, ~genuine):
        rows = np.flatnonzero(kind)
        times[rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)))
    return times


def _groups(people: np.ndarray) -> tuple[int, np.ndarray]:
    """How many people there are, and which of them are on each row, (N, 1 or 2)."""
    people = np.asarray(people).reshape(len(people), -1)
    names, places = np.unique(people, return_inverse=True)
    return len(names), places.reshape(people.shape)


def _people_anew(rng: np.random.Generator, count: int, places: np.ndarray) -> np.ndarray:
    drawn = rng.multinomial(count, np.full(count, 1 / count))[places]
    alone = places[:, 0] == places[:, -1]
    return np.where(alone, drawn[:, 0], drawn.prod(axis=1))
