"""A person's own verdicts on pictures, from a csv of id, verdict and label; they stand above what the rules say.

A picture is named by the content id that it has in the set that `ingest` made, so verdicts outlive another order, other
splits and other rules. Ingested at another `data.size` or in other `data.channels` the pixels are others, and so are
the ids: such verdicts find no picture, and are counted.
"""

import csv
import difflib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data.faceset import EXPRESSIONS

COLUMNS = ("id", "verdict", "label")
VERDICTS = ("keep", "reject", "relabel")
ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Curated:
    """What a person said about the N rows of a table.

    Attributes:
        kept, rejected, relabelled: (N,) bool, of which a row has at most one; one that is relabelled is to stay.
        label: (N,) Int8, the labels of the table, and the person's where relabelled.
        unknown: how many verdicts are about pictures that the table does not have.
    """

    kept: np.ndarray
    rejected: np.ndarray
    relabelled: np.ndarray
    label: pd.Series
    unknown: int


def read(path: Path) -> pd.DataFrame:
    """The verdicts in a file: `id`, `verdict` (keep, reject or relabel), `label` (Int8, null unless relabelled).

    A verdict that stands there twice counts once.

    Raises:
        ValueError: the file is missing or no such csv, or a row is wrong; names the file, the row and the column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            header = [name.strip() for name in next(rows, [])]
            if header != list(COLUMNS):
                raise ValueError(f"{path}, line 1: {','.join(header)[:80] or 'nothing'}, expected {','.join(COLUMNS)}")
            found = {}
            for words in rows:
                if any(word.strip() for word in words):
                    _take(found, f"{path}, line {rows.line_num}", [word.strip() for word in words])
    except FileNotFoundError:
        raise ValueError(f"{path} is missing: make it with the one line {','.join(COLUMNS)}, or let `faces.curation` "
                         "name the curation.csv that review.html gave you") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: not a csv of {','.join(COLUMNS)} ({error})") from error
    frame = pd.DataFrame([(name, *words) for name, words in found.items()], columns=COLUMNS)
    return frame.astype({"id": "str", "verdict": "str", "label": "Int8"})


def apply(table: pd.DataFrame, verdicts: pd.DataFrame) -> Curated:
    """What `verdicts`, as `read` gives them, say about the rows of `table`, which has `id` and `label`.

    All rows of equal pictures get the verdict on that picture.
    """
    said = verdicts.set_index("id")
    verdict = table["id"].map(said["verdict"])
    relabelled = verdict.eq("relabel").to_numpy(bool)
    return Curated(
        kept=verdict.eq("keep").to_numpy(bool),
        rejected=verdict.eq("reject").to_numpy(bool),
        relabelled=relabelled,
        label=table["label"].mask(relabelled, table["id"].map(said["label"])).astype("Int8"),
        unknown=int((~verdicts["id"].isin(table["id"])).sum()),
    )


def _take(found: dict[str, tuple[str, int | None]], place: str, words: list[str]) -> None:
    """Adds a row to those `found`, by id."""
    if len(words) != len(COLUMNS):
        raise ValueError(f"{place}: {len(words)} fields, expected {','.join(COLUMNS)}")
    name, verdict, label = words
    if not ID.fullmatch(name):
        raise ValueError(f"{place}: id is {name!r}, expected the 32 digits (0-9, a-f) that name a picture in "
                         "review.html and verdicts.csv")
    if verdict not in VERDICTS:
        raise ValueError(f"{place}: verdict is {verdict!r}, {_nearest(verdict, VERDICTS)}")
    if verdict == "relabel" and label not in EXPRESSIONS:
        raise ValueError(f"{place}: label is {label!r}, {_nearest(label, EXPRESSIONS)}")
    if verdict != "relabel" and label:
        raise ValueError(f"{place}: label is {label!r} beside {verdict}, expected none; only relabel gives one")
    new = (verdict, EXPRESSIONS.index(label) if label else None)
    if found.setdefault(name, new) != new:
        raise ValueError(f"{place}: verdict on {name} is another than in a line above; leave one of them")


def _nearest(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word.lower(), known, 1)
    return f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(known)}"
