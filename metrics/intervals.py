"""How sure a figure is: Wilson's interval for proportions, the BCa bootstrap for functions of a table of counts.

Wilson 1927, "Probable inference, the law of succession, and statistical inference" (J. Am. Stat. Assoc. 22);
Efron 1987, "Better bootstrap confidence intervals" (same journal, 82), equations 2.3 and 6.6; for several samples
Davison & Hinkley 1997, section 5.3. Rao & Scott 1992 (Biometrics 48) for the effective size of clustered samples.

Every score of a classifier is a function of how often each (actual, predicted) pair occurred. Drawing N rows anew with
replacement is therefore one multinomial draw over the pairs: thousands of resamples cost milliseconds, whatever N is.
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import norm

Statistic = Callable[[np.ndarray], np.ndarray]  # counts (B, ...) -> figures (B, M), each of the B tables on its own
RESAMPLES = 2000  # the bounds then move by about 5 % of the interval's width from seed to seed
_BLOCK = 1 << 24  # numbers drawn at once when groups are resampled: 128 MB


def wilson(
    successes: np.ndarray | float, total: np.ndarray | float, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Score interval of a proportion: (low, high), each of the arguments' common shape, within [0, 1].

    Both arguments may be fractional (see `effective_size`). Where `total` is 0 nothing is known: both bounds are NaN.
    """
    successes, total = np.broadcast_arrays(np.asarray(successes, float), np.asarray(total, float))
    if np.any(total < 0) or np.any(successes < 0) or np.any(successes > total * (1 + 1e-12)):
        raise ValueError("a proportion needs 0 <= successes <= total")
    z = _normal_quantile(confidence)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = successes / total
        centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
        half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def effective_size(successes: np.ndarray, totals: np.ndarray) -> float:
    """How many independent trials clustered ones are worth for their overall proportion (Rao & Scott 1992, section 2).

    `successes` and `totals` are (S,): each cluster's own. Pictures of one person succeed or fail together, so n of them
    say less than n pictures of n people. Never more than the trials there are. Where all clusters agree completely,
    their variance cannot be estimated and the number of clusters, the least it can be, is returned.
    """
    successes, totals = (np.asarray(a, float)[np.asarray(totals) > 0] for a in (successes, totals))
    clusters, trials = len(totals), totals.sum()
    if clusters < 2:
        return float(clusters)
    share = successes.sum() / trials
    variance = clusters / (clusters - 1) * np.sum((successes - share * totals) ** 2) / trials**2
    if variance == 0:
        return float(clusters)
    return float(min(trials, share * (1 - share) / variance))


def stratified_bootstrap(
    counts: np.ndarray, statistic: Statistic, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """BCa interval when rows are drawn anew within each stratum: (low, high), each (M,).

    `counts` is (K, ...): how many rows of stratum k (the actual class) fell in each cell. Each class is a sample of its
    own, so its number of rows stays. A bound is NaN where no resample differs: such a sample tells nothing.
    """
    counts = _checked(counts)
    rng = np.random.default_rng(seed)
    flat = counts.reshape(len(counts), -1)
    sizes = flat.sum(axis=1)
    drawn = np.zeros((resamples, *flat.shape), np.int64)
    for k in np.flatnonzero(sizes):
        drawn[:, k] = rng.multinomial(sizes[k], flat[k] / sizes[k], size=resamples)

    # Leave one row out. Rows of one cell are interchangeable, so one table a cell is enough, weighted by its rows.
    stratum, cell = np.nonzero(flat)
    without = np.repeat(flat[None], len(cell), axis=0)
    without[np.arange(len(cell)), stratum, cell] -= 1
    weight, size = flat[stratum, cell][:, None], sizes[stratum][:, None]
    left_out = statistic(without.reshape(-1, *counts.shape))
    mean = np.stack([np.bincount(stratum, w, len(flat)) for w in (weight * left_out).T], axis=1)[stratum] / size
    influence = (size - 1) * (mean - left_out) / size
    return _bca(
        statistic(counts[None])[0], statistic(drawn.reshape(-1, *counts.shape)), influence, weight, confidence
    )


def cluster_bootstrap(
    counts: np.ndarray, statistic: Statistic, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """BCa interval when whole groups (people) are drawn anew: (low, high), each (M,).

    `counts` is (S, ...): the table of each group. Bounds are NaN with fewer than two groups, or where no
    resample differs.
    """
    counts = _checked(counts)
    rng = np.random.default_rng(seed)
    groups = len(counts)
    flat = counts.reshape(groups, -1).astype(float)
    chances = np.full(groups, 1 / groups)
    block = max(1, _BLOCK // groups)
    drawn = np.concatenate([
        rng.multinomial(groups, chances, size=min(block, resamples - start)) @ flat
        for start in range(0, resamples, block)
    ])
    total = counts.sum(axis=0, keepdims=True)
    figures = statistic(total)[0]
    if groups < 2:
        return np.full(figures.shape, np.nan), np.full(figures.shape, np.nan)
    left_out = statistic(total - counts)
    influence = left_out.mean(axis=0) - left_out
    return _bca(figures, statistic(drawn.reshape(-1, *counts.shape[1:])), influence, np.ones((1, 1)), confidence)


def _bca(
    figures: np.ndarray, replicates: np.ndarray, influence: np.ndarray, weight: np.ndarray, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Bias-corrected and accelerated bounds (M,) of `figures` (M,) from `replicates` (B, M).

    `influence` (J, M) is what leaving out each kind of row changes, `weight` (J, 1) how many rows are of that kind.
    """
    below = np.mean(replicates < figures, axis=0) + 0.5 * np.mean(replicates == figures, axis=0)
    bias = norm.ppf(np.clip(below, 0.5 / len(replicates), 1 - 0.5 / len(replicates)))
    spread = np.sum(weight * influence**2, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        acceleration = np.where(spread > 0, np.sum(weight * influence**3, axis=0) / (6 * spread**1.5), 0.0)
    bounds = []
    for z in (-_normal_quantile(confidence), _normal_quantile(confidence)):
        place = norm.cdf(bias + (bias + z) / (1 - acceleration * (bias + z)))
        bounds.append(np.array([np.quantile(r, p) for r, p in zip(replicates.T, place, strict=True)]))
    still = np.ptp(replicates, axis=0) == 0
    return np.where(still, np.nan, bounds[0]), np.where(still, np.nan, bounds[1])


def _normal_quantile(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must lie between 0 and 1, for example 0.95")
    return float(norm.ppf(0.5 + confidence / 2))


def _checked(counts: np.ndarray) -> np.ndarray:
    counts = np.asarray(counts)
    if counts.ndim < 2 or not np.issubdtype(counts.dtype, np.integer) or counts.min(initial=0) < 0:
        raise ValueError(f"a bootstrap needs integer counts >= 0, two axes or more, not {counts.dtype} {counts.shape}")
    if counts.sum() == 0:
        raise ValueError("a bootstrap needs at least one row")
    return counts
