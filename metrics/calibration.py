"""Whether a classifier's probabilities are what they say: expected calibration error, reliability diagram, and the one
temperature that mends them (Guo, Pleiss, Sun and Weinberger 2017, "On Calibration of Modern Neural Networks", equations 2-5
and section 4.2).

The temperature is fitted on validation rows alone; on test rows it is only applied.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

BINS = 15
BOUNDS = (-3.0, 3.0)  # of the temperature's natural logarithm: 0.05 to 20


@dataclass(frozen=True)
class Reliability:
    """Rows sorted into bins of equal width by the probability of their predicted class; NaN for an empty bin."""

    edges: np.ndarray  # (B + 1,) from 0 to 1
    counts: np.ndarray  # (B,)
    confidence: np.ndarray  # (B,) mean probability of the predicted class
    accuracy: np.ndarray  # (B,) share of rows predicted rightly

    def error(self) -> float:
        """The mean over rows of how far accuracy and confidence of their bin lie apart, from 0 to 1."""
        apart = np.nan_to_num(np.abs(self.accuracy - self.confidence))
        return float(np.sum(self.counts * apart) / np.sum(self.counts))


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> Reliability:
    """Of `labels` (N,) in 0 … K-1 and `probabilities` (N, K). Raises ValueError where there are no rows or shapes differ."""
    labels, probabilities = _checked(labels, probabilities)
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, bins - 1)  # bins are open below, closed above
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, values, bins) / counts for values in (sure, right.astype(float))]
    return Reliability(edges, counts, *means)


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> float:
    """`Reliability.error` of `labels` (N,) and `probabilities` (N, K)."""
    return reliability(labels, probabilities, bins).error()


def calibration_errors(labels: np.ndarray, said: np.ndarray, mended: np.ndarray) -> dict[str, float]:
    """The expected calibration errors of probabilities (N, K) as a network says them and as its temperature mends them."""
    return {
        "calibration_error": expected_calibration_error(labels, said),
        "calibration_error_tempered": expected_calibration_error(labels, mended),
    }


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The temperature that makes validation `labels` (N,) most likely under `tempered` `probabilities` (N, K)."""
    labels, probabilities = _checked(labels, probabilities)

    def loss(log_temperature: float) -> float:
        said = tempered(probabilities, float(np.exp(log_temperature)))
        return float(-np.log(np.maximum(said[np.arange(len(labels)), labels], 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=BOUNDS, method="bounded").x))


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (N, K) as if their logits had been divided by `temperature`; no row's winner changes."""
    logits = np.log(np.maximum(np.asarray(probabilities, float), 1e-12)) / temperature
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _checked(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, float)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not len(labels):
        raise ValueError(f"labels (N,) and probabilities (N, K) of some rows expected, not {labels.shape} and "
                         f"{probabilities.shape}")  # fmt: skip
    return labels.astype(np.intp), probabilities
