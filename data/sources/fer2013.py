"""FER-2013 (Goodfellow et al. 2013, "Challenges in representation learning", arXiv:1307.0414): 35,887 grey 48×48 faces.

Reads the original csv of emotion, pixels and Usage (also Kaggle's later `icml_face_data.csv`), plain or packed.
"""

import contextlib
import csv
import gzip
import io
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from data.faceset import EXPRESSIONS
from data.sources.source_error import SourceError

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
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError, UnicodeDecodeError, csv.Error)


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every row in file order: the picture (48, 48) uint8, and `source`, `origin` (file:line), `split`, `label`.

    Raises:
        SourceError: names the line and what was expected there, or says that the file is damaged.
    """
    line = 0
    try:
        with _open_csv(path) as file:
            rows = csv.reader(file)
            emotion, pixels, usage = _columns(path, next(rows, []))
            for row in rows:
                line = rows.line_num
                if not row:
                    continue
                if len(row) <= max(emotion, pixels, usage):
                    raise SourceError(f"{path}, line {line}: {len(row)} fields, expected {', '.join(COLUMNS)}")
                yield _picture(path, line, row[pixels]), {
                    "source": "fer2013",
                    "origin": f"{path.name}:{line}",
                    "split": _known(path, line, "Usage", row[usage], SPLITS),
                    "label": _known(path, line, "emotion", row[emotion], LABELS),
                }
    except DAMAGE as error:
        raise SourceError(f"{path}: damaged or cut short after line {line} ({error}); download it again") from error
    if line == 0:
        raise SourceError(f"{path}: no rows after the header")


@contextlib.contextmanager
def _open_csv(path: Path) -> Iterator[TextIO]:
    """The csv as text, read out of its archive without unpacking it."""
    with contextlib.ExitStack() as opened:
        if path.name.endswith((".tar.gz", ".tgz")):
            archive = opened.enter_context(tarfile.open(path))
            member = _only_csv(path, [entry.name for entry in archive if entry.isfile()])
            binary = archive.extractfile(member)
        elif path.suffix == ".zip":
            archive = opened.enter_context(zipfile.ZipFile(path))
            binary = archive.open(_only_csv(path, archive.namelist()))
        else:
            binary = gzip.open(path) if path.suffix == ".gz" else path.open("rb")
        yield opened.enter_context(io.TextIOWrapper(binary, "utf-8-sig", newline=""))


def _only_csv(path: Path, names: list[str]) -> str:
    """The member of an archive that holds the set."""
    tables = [name for name in names if name.endswith(".csv") and not name.startswith("__MACOSX")]
    named = [name for name in tables if name.rpartition("/")[2] in ("fer2013.csv", "icml_face_data.csv")] or tables
    if len(named) != 1:
        raise SourceError(f"{path}: expected one fer2013.csv in the archive, found {', '.join(names) or 'nothing'}")
    return named[0]


def _columns(path: Path, header: list[str]) -> list[int]:
    """Where emotion, pixels and Usage stand; blanks and capitals in the header do not count."""
    names = [name.strip().lower() for name in header]
    if absent := [name for name in COLUMNS if name not in names]:
        found = ", ".join(names)[:80] or "nothing"
        raise SourceError(f"{path}, line 1: column {', '.join(absent)} missing, found {found}")
    return [names.index(name) for name in COLUMNS]


def _picture(path: Path, line: int, text: str) -> np.ndarray:
    """The (48, 48) uint8 picture written as numbers with blanks between."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # NumPy stops with a warning, later an error, at a word that is no number
            values = np.fromstring(text, np.int64, sep=" ")  # four times as fast as converting word by word
    except (DeprecationWarning, ValueError):
        values = np.empty(0, np.int64)
    if len(values) != SIDE * SIDE or values.min() < 0 or values.max() > 255:
        raise SourceError(f"{path}, line {line}: {_fault(text.split())}")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _fault(words: list[str]) -> str:
    """What is wrong with the pixels of a broken row."""
    if len(words) != SIDE * SIDE:
        return f"{len(words)} pixels, expected {SIDE * SIDE}"
    place, word = next((place, word) for place, word in enumerate(words, 1) if word not in VALUES)
    return f"pixel {place} is {word!r}, expected a whole number 0…255"


def _known(path: Path, line: int, column: str, text: str, known: dict[str, str | int]) -> str | int:
    value = known.get(text.strip())
    if value is None:
        raise SourceError(f"{path}, line {line}: {column} is {text.strip()!r}, expected one of {', '.join(known)}")
    return value
