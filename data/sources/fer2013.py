"""FER-2013 (Goodfellow et al. 2013, "Challenges in representation learning", arXiv:1307.0414): 35,887 grey 48×48 faces.

Reads the original csv of emotion, pixels and Usage (also Kaggle's later `icml_face_data.csv`), plain or packed.
"""

import csv
import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.faceset import EXPRESSIONS
from data.sources.archive import DAMAGE, Files, open_files
from data.sources.source_error import SourceError, known

WHERE = ("FER-2013 is given out by Kaggle to those who accept its terms: www.kaggle.com/c/"
         "challenges-in-representation-learning-facial-expression-recognition-challenge. "
         "Put fer2013.csv (or its .csv.gz, .zip or .tar.gz) into data/raw and run: "
         "./run configure data=fer2013 data.path=data/raw/fer2013.csv")
TERMS = "FER-2013: Kaggle competition data of 2013, for research; weights trained on it likewise"
SIDE = 48
COLUMNS = ("emotion", "pixels", "usage")
SPLITS = {"Training": "train", "PublicTest": "public_test", "PrivateTest": "private_test"}
LABELS = {str(label): label for label in range(len(EXPRESSIONS))}
VALUES = {str(value) for value in range(256)}


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every row in file order: the picture (48, 48) uint8, and `source`, `origin` (file:line), `split`, `label`.

    Args:
        path: the csv, an archive of it, or a folder with one of these.

    Raises:
        SourceError: names the line and what was expected there, or says that the file is damaged.
    """
    line = 0
    with open_files(path) as files:
        name = _table(files)
        place, origin = files.place(name), name if path.is_dir() else path.name
        try:
            with io.TextIOWrapper(files.open(name), "utf-8-sig", newline="") as file:
                rows = csv.reader(file)
                emotion, pixels, usage = _columns(place, next(rows, []))
                for row in rows:
                    line = rows.line_num
                    if not row:
                        continue
                    if len(row) <= max(emotion, pixels, usage):
                        raise SourceError(f"{place}, line {line}: {len(row)} fields, expected {', '.join(COLUMNS)}")
                    yield _picture(place, line, row[pixels]), {
                        "source": "fer2013",
                        "origin": f"{origin}:{line}",
                        "split": known(place, line, "Usage", row[usage], SPLITS),
                        "label": known(place, line, "emotion", row[emotion], LABELS),
                    }
        except (*DAMAGE, UnicodeDecodeError, csv.Error) as error:
            raise SourceError(f"{path}: damaged or cut short after line {line} ({error}); download it again") from error
    if line == 0:
        raise SourceError(f"{place}: no rows after the header")


def _table(files: Files) -> str:
    """The name of the csv that holds the set."""
    tables = [name for name in files.names if name.endswith(".csv")] if len(files.names) > 1 else files.names
    named = [name for name in tables if name.rpartition("/")[2] in ("fer2013.csv", "icml_face_data.csv")]
    if not named and files.path.is_file():  # a csv or an archive may have any name
        named = tables
    if len(named) != 1:
        there = ", ".join(files.names[:10]) or "nothing"
        raise SourceError(f"{files.path}: expected one fer2013.csv in it, found {there}")
    return named[0]


def _columns(place: str, header: list[str]) -> list[int]:
    """Where emotion, pixels and Usage stand; blanks and capitals in the header do not count."""
    names = [name.strip().lower() for name in header]
    if absent := [name for name in COLUMNS if name not in names]:
        found = ", ".join(names)[:80] or "nothing"
        raise SourceError(f"{place}, line 1: column {', '.join(absent)} missing, found {found}")
    return [names.index(name) for name in COLUMNS]


def _picture(place: str, line: int, text: str) -> np.ndarray:
    """The (48, 48) uint8 picture written as numbers with blanks between."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # NumPy stops with a warning, later an error, at a word that is no number
            values = np.fromstring(text, np.int64, sep=" ")  # four times as fast as converting word by word
    except (DeprecationWarning, ValueError):
        values = np.empty(0, np.int64)
    if len(values) != SIDE * SIDE or values.min() < 0 or values.max() > 255:
        raise SourceError(f"{place}, line {line}: {_fault(text.split())}")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _fault(words: list[str]) -> str:
    """What is wrong with the pixels of a broken row."""
    if len(words) != SIDE * SIDE:
        return f"{len(words)} pixels, expected {SIDE * SIDE}"
    for place, word in enumerate(words, 1):
        if word not in VALUES:
            return f"pixel {place} is {word!r}, expected a whole number 0…255"
    return "the numbers are set apart by other characters than blanks"
