"""What accuracy costs: the Pareto front, on which nothing is both cheaper and better."""

import numpy as np


def pareto_front(costs: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Which of N points (N,) have no other that costs at most as much and gains at least as much, and differs: (N,) bool."""
    costs, gains = np.asarray(costs, float), np.asarray(gains, float)
    no_dearer = costs[None, :] <= costs[:, None]
    no_worse = gains[None, :] >= gains[:, None]
    better = (costs[None, :] < costs[:, None]) | (gains[None, :] > gains[:, None])
    return ~(no_dearer & no_worse & better).any(axis=1)
