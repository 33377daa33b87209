"""Expressions as directions in the space of w (Radford, Metz and Chintala 2015, section 6.3.2; Shen et al. 2020, "Interpreting
the Latent Space of GANs", equation 3), learnt from generated faces that a classifier has judged, and walked as far as the
classifier needs to see the expression.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Make = Callable[[np.ndarray], np.ndarray]  # ws (N, layers, latent) -> pictures (N, R, R, C)
Judge = Callable[[np.ndarray], np.ndarray]  # pictures -> probabilities (N, K)
LEAST_SEEN = 3.0  # faces' worth of probability that a direction is learnt from


@dataclass(frozen=True)
class Moved:
    """N people, each with K expressions."""

    ws: np.ndarray  # (N, K, layers, latent)
    steps: np.ndarray  # (N, K) how far along the direction
    chances: np.ndarray  # (N, K) probability of the wanted expression there


def directions(ws: np.ndarray, chances: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """(K, latent): from the mean of all w (N, latent) to the mean of those with each expression.

    `chances` (N, K) are the classifier's probabilities of the faces made from them, by which each w counts; averaged over
    many faces, who they are cancels out and how they look remains.

    Raises ValueError, by its name, for an expression that the generator does not make.
    """
    seen = chances.sum(axis=0)
    if absent := [f"{name} ({count:.1f})" for name, count in zip(names, seen, strict=True) if count < LEAST_SEEN]:
        raise ValueError(
            f"of {len(ws)} generated faces too few look {', '.join(absent)}: at least {LEAST_SEEN:g} of each are needed "
            "to learn a direction from. Generate more, or train the generator longer"
        )
    # The classes weigh alike in the middle, however often the generator makes each.
    means = chances.T @ ws / seen[:, None]
    return means - means.mean(axis=0)


def walk(
    make: Make, judge: Judge, ws: np.ndarray, towards: np.ndarray, steps: Sequence[float], wanted: float
) -> Moved:
    """Takes each of ws (N, layers, latent) along each of `towards` (K, latent), in all layers alike.

    Of the ascending `steps`, the first at which the judge gives the expression at least the probability `wanted`, and
    where it never does the one at which it comes nearest: no further than is needed, since people change on the way.
    """
    if not len(steps) or list(steps) != sorted(steps):
        raise ValueError(f"steps to try are {list(steps)}, expected ascending ones")
    tried = ws[:, None, None] + np.asarray(steps).reshape(1, 1, -1, 1, 1) * towards[None, :, None, None, :]
    tried = tried.astype(np.float32)  # (N, K, steps, layers, latent)
    count, kinds = tried.shape[:2]
    chances = np.stack([
        np.stack([judge(make(tried[person, kind]))[:, kind] for kind in range(kinds)]) for person in range(count)
    ])
    reached = chances >= wanted
    chosen = np.where(reached.any(axis=-1), reached.argmax(axis=-1), chances.argmax(axis=-1))
    people, kind = np.ogrid[:count, :kinds]
    return Moved(tried[people, kind, chosen], np.asarray(steps)[chosen], chances[people, kind, chosen])
