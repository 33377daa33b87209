"""Carving a share off a set: stratified by label, and grouped so that nothing known to belong together is divided.

Two rows belong together when their pictures are equal or their subject is the same; a model that has seen one of them
has seen the other, so both must be on one side (Kapoor & Narayanan 2023, "Leakage and the reproducibility crisis").
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd


def carve(ids: Sequence[str], labels: Sequence[int | None], groups: Sequence[str | None], share: float,
          seed: int) -> np.ndarray:
    """Chooses about `share` of the rows, of every label alike, taking whole groups.

    Groups are met in an order drawn from `seed` and their names alone, so the order of the rows does not matter; nor, where
    subjects are known, does a pixel that another processor rounds otherwise and that gives a picture another id. One is
    taken, or in a later round given back, when that brings the counts by label nearer (in squares) to their targets.

    Args:
        ids: N content ids; rows of equal id stay together.
        labels: N labels, null for unlabelled, which count as one more label.
        groups: N subjects, null for unknown; rows of equal subject stay together.
        share: in (0, 1).

    Returns:
        (N,) bool, True for the carved rows.

    Raises:
        ValueError: `share` is out of range, or the rows are too few or too entangled to divide.
    """
    if not 0 < share < 1:
        raise ValueError(f"a share between 0 and 1 is needed to carve a split, got {share}")
    group = _connected(ids, groups)
    codes = pd.factorize(pd.Series(labels), use_na_sentinel=False)[0]
    counts = np.zeros((group.max(initial=-1) + 1, codes.max(initial=0) + 1))  # groups × labels
    np.add.at(counts, (group, codes), 1)
    names = pd.Series(list(groups), dtype="str").fillna(pd.Series(list(ids), dtype="str"))
    first_name = names.groupby(group).min()
    order = sorted(range(len(counts)), key=lambda g: hashlib.blake2b(f"{seed}:{first_name[g]}".encode()).digest())
    missing = share * counts.sum(axis=0)
    taken = np.zeros(len(counts), bool)
    moved = True
    while moved:  # ends, because every move brings |missing|² down
        moved = False
        for candidate in order:
            change = -counts[candidate] if taken[candidate] else counts[candidate]
            if change @ (2 * missing - change) > 1e-9:  # |missing|² > |missing - change|², by more than rounding
                taken[candidate] = not taken[candidate]
                missing -= change
                moved = True
    if not taken.any() or taken.all():
        raise ValueError(f"{len(group)} rows in {len(counts)} groups of equal pictures or subjects are too few to "
                         f"carve a share of {share}: add pictures, or choose a share nearer to a half")
    return taken[group]


def _connected(ids: Sequence[str], groups: Sequence[str | None]) -> np.ndarray:
    """(N,) a number for each row, the same for rows linked by equal ids or groups, over any number of links."""
    ids = pd.Series(list(ids), dtype="str")
    links = [ids, pd.Series(list(groups), dtype="str").fillna("\0" + ids)]  # an unknown subject links only equal ids
    component = pd.Series(np.arange(len(ids)))
    while True:
        before = component
        for link in links:
            component = component.groupby(link).transform("min")
        if component.equals(before):
            return pd.factorize(component)[0]
