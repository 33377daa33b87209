"""How far apart two sets of pictures lie, by what a network makes of them: Fréchet distance (Heusel et al. 2017, "GANs
Trained by a Two Time-Scale Update Rule", equation 6) and kernel distance (Bińkowski et al. 2018, "Demystifying MMD GANs",
section 4). Whose features they are belongs beside every figure: only distances by the same features can be compared.
"""

import numpy as np


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Squared Fréchet distance of two sets of features, (N, D) and (M, D), taken as Gaussians; 0 for equal ones.

    Raises ValueError where there are fewer than two rows, or rows of different lengths.
    """
    first, second = _checked(first, second)
    covariances = [np.atleast_2d(np.cov(each, rowvar=False)) for each in (first, second)]
    # The trace of √(AB) is that of √(√A B √A), which is symmetric, so that no covariance is too singular for it.
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ covariances[1] @ root)
    apart = np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2)
    trace = sum(np.trace(each) for each in covariances) - 2 * np.sqrt(np.clip(shared, 0, None)).sum()
    return float(max(0.0, apart + trace))


def kernel_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy of (N, D) and (M, D) under the kernel (x·y / D + 1)³; about 0 for equals."""
    first, second = _checked(first, second)
    n, m = len(first), len(second)
    xx, yy, xy = (_kernel(a, b) for a, b in ((first, first), (second, second), (first, second)))
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within - 2 * xy.mean())


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return (first @ second.T / first.shape[1] + 1) ** 3


def _checked(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first, second = (np.asarray(each, np.float64) for each in (first, second))
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or min(len(first), len(second)) < 2:
        raise ValueError(
            f"two sets of at least two rows of one length are needed, got {first.shape} and {second.shape}"
        )
    return first, second
