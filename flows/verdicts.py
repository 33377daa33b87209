"""From what the rules measured to what happens to each picture, and how often the rules are right where that is known.

Rules mark, and a person's verdict (`data.cleaning.curation`) stands above them; only training and validation rows
leave for either, because a test set that had been cleaned would flatter. A row without a face to cut leaves whatever
its split is.
"""

import numpy as np
import pandas as pd

from data.cleaning import IMPLIED, RULES, beyond
from data.cleaning.curation import Curated
from metrics.intervals import wilson

LEAVE = ("train", "validation")  # the splits that marked rows leave


def marked(found: np.ndarray, measures: dict[str, np.ndarray], thresholds: dict[str, float | None]) -> pd.DataFrame:
    """Which of N pictures each rule marks: a column a rule that was measured, and `no_face` where some have none.

    Args:
        found: (N,) bool, whether there is a face to cut.
        measures: (N,) of each rule that is on.
        thresholds: of all rules, None for those that are off.
    """
    marks = {name: beyond(name, values, thresholds[name]) for name, values in measures.items()}
    if not found.all():
        marks["no_face"] = marks.get("no_face", False) | ~found
    return pd.DataFrame({name: marks[name] for name in RULES if name in marks}, index=range(len(found)))


def judge(
    table: pd.DataFrame, found: np.ndarray, marks: pd.DataFrame, curated: Curated, measures: dict[str, np.ndarray]
) -> pd.DataFrame:
    """What becomes of every picture, in the order of `table`.

    Args:
        table: N rows of a face set.
        found, measures: as `marked` takes them.
        marks: what `marked` gave.
        curated: what a person said.

    Returns:
        id, origin, split, label, kept, rejected_by (the rules that mark it, joined by commas, and `curation`), and a
        column a rule of `RULES` with its measure, nan where there is none.
    """
    against = marks.assign(curation=curated.rejected)
    stays = curated.kept | curated.relabelled | ~table["split"].isin(LEAVE).to_numpy(bool)
    verdicts = table[["id", "origin", "split", "label"]].reset_index(drop=True)
    verdicts["kept"] = found & (stays | ~against.to_numpy().any(axis=1))
    verdicts["rejected_by"] = [",".join(against.columns[row]) for row in against.to_numpy()]
    for name in RULES:
        verdicts[name] = measures.get(name, np.full(len(table), np.nan))
    return verdicts


def score(marks: pd.DataFrame, kept: np.ndarray, flaws: pd.Series) -> list[dict]:
    """A row a rule: how many pictures it `marked` and how many of them are `removed`, and how often it is right.

    `precision` and `recall` with Wilson's 95 % bounds (`_low`, `_high`) count the rows whose `flaws` are known, without
    those of which `IMPLIED` says that nobody can tell. A figure of nothing is left out.
    """
    rows = []
    for name in marks:
        mark, planted = marks[name].to_numpy(bool), _have(flaws, name)
        unclear = np.any([_have(flaws, other) for other in IMPLIED.get(name, ())], axis=0) & ~planted
        known = flaws.notna().to_numpy() & ~unclear
        row = {"rule": name, "marked": int(mark.sum()), "removed": int((mark & ~kept).sum())}
        for figure, among in (("precision", mark & known), ("recall", planted & known)):
            if among.any():
                right = (mark & planted)[among].sum()
                bounds = zip(("", "_low", "_high"), (right / among.sum(), *wilson(right, among.sum())), strict=True)
                row |= {figure + end: float(value) for end, value in bounds}
        rows.append(row)
    return rows


def _have(flaws: pd.Series, name: str) -> np.ndarray:
    """Which of the comma-joined lists hold `name`, (N,) bool; none that is null."""
    return ("," + flaws.fillna("") + ",").str.contains(f",{name},", regex=False).to_numpy(bool)
