"""Action units as OpenFace 2 estimates them (Baltrušaitis et al. 2018, "OpenFace 2.0: facial behavior analysis
toolkit", FG), with the pictures that they belong to.

Reads OpenFace's csv files in a folder together with pictures, `happy.csv` with `happy.jpg` in whatever folders
(`processed/` is where OpenFace writes). Intensities are taken by the columns' names, AU01_r … AU45_r, never by their
place, which differs with OpenFace's options; 0…5 there is 0…1 here. Pictures are joined by file name:

    happy_aligned/face_det_000001.bmp     the row of face 1 in happy.csv (FaceLandmarkImg)
    film_aligned/frame_det_00_000012.bmp  the row of face 0 in frame 12 in film.csv (FeatureExtraction)
    happy.jpg                             the only row of happy.csv, where nothing is aligned

A picture without a csv is one in which OpenFace found no face; one with several faces does not say which is which.
Such have no intensities; nor has a frame that OpenFace marks as failed (`success` 0).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.faceset import ACTION_UNITS, AU_COLUMNS
from data.sources.archive import Files, open_files
from data.sources.source_error import SourceError

WHERE = ("OpenFace is given out by its author: github.com/TadasBaltrusaitis/OpenFace. Run its FaceLandmarkImg -aus "
         "-simalign -fdir PICTURES -out_dir data/raw/openface, or put pictures and their csv there, and run: "
         "./run configure data=openface data.path=data/raw/openface")
TERMS = "OpenFace: academic and non-commercial use; the pictures' terms are their own"
INTENSITIES = tuple(f"AU{unit:02d}_r" for unit in ACTION_UNITS)
STRONGEST = 5.0
ALIGNED = re.compile(r"(?:.*/)?([^/]+)_aligned/(?:face_det_(\d+)|frame_det_(\d+)_(\d+))\.\w+")

Key = tuple[int, ...]  # (face,) in a picture, (face, frame) in a film


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every picture (H, W, 3) uint8 RGB and its `source`, `origin`, and `au01` … `au45` where they are known.

    Raises:
        SourceError: a csv lacks a column or a picture, a value is no intensity, or an aligned picture has no row.
    """
    with open_files(path) as files:
        tables = _tables(files)
        pictures = files.pictures(WHERE)
        aligned = {name: match for name in pictures if (match := ALIGNED.fullmatch(name))}
        stems = {name: match[1] for name, match in aligned.items()} or {name: _stem(name) for name in pictures}
        if not aligned and (unused := tables.keys() - set(stems.values())):
            raise SourceError(f"{path}: there is no picture for {min(unused)}.csv; they are joined by file name")
        for name, stem in stems.items():
            rows = tables.get(stem, {})
            if aligned:
                key = tuple(int(number) for number in aligned[name].groups()[1:] if number)
                if key not in rows:
                    raise SourceError(f"{files.place(name)}: {stem}.csv has no row of it")
                units = rows[key]
            else:
                units = next(iter(rows.values())) if len(rows) == 1 else {}
            yield files.picture(name), {"source": "openface", "origin": name} | units


def _tables(files: Files) -> dict[str, dict[Key, dict[str, float]]]:
    """The rows of every csv, by its stem and the face (and frame) that they are of."""
    tables = {}
    for name in files.names:
        if not name.lower().endswith(".csv"):
            continue
        if _stem(name) in tables:
            raise SourceError(f"{files.place(name)}: there are two {_stem(name)}.csv; keep one")
        tables[_stem(name)] = _rows(files, name)
    if not tables:
        raise SourceError(f"{files.path}: no csv of OpenFace found. {WHERE}")
    return tables


def _rows(files: Files, name: str) -> dict[Key, dict[str, float]]:
    header = [word.strip() for word in files.lines(name)[0].split(",")]
    film = "frame" in header
    keys = [column for column in (("face_id", "frame") if film else ("face",)) if column in header]
    place, rows = files.place(name), {}
    for line, row in files.table(name, (*INTENSITIES, *keys, *(["success"] if film else []))):
        numbers = {column: _number(place, line, column, row[column]) for column in row}
        key = tuple(int(numbers[column]) for column in keys)
        if film and len(key) == 1:
            key = (0, *key)  # before version 2.1 a film had one face and no column for it
        values = [numbers[column] for column in INTENSITIES]
        if not 0 <= min(values) <= max(values) <= STRONGEST:
            column = INTENSITIES[int(np.argmax(np.abs(np.subtract(values, STRONGEST / 2))))]
            raise SourceError(f"{place}, line {line}: {column} is {row[column]}, expected 0 to {STRONGEST:g}")
        key = key or (0,)  # before version 2 a picture had one face and no column for it
        if key in rows:
            raise SourceError(f"{place}, line {line}: a second row of one face")
        found = not film or numbers["success"] == 1
        rows[key] = {au: value / STRONGEST for au, value in zip(AU_COLUMNS, values)} if found else {}
    return rows


def _number(place: str, line: int, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise SourceError(f"{place}, line {line}: {column} is {text!r}, expected a number")
    return value


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]
