"""Pictures in folders, the way most expression sets are passed on: `<split>/<class>/*` or `<class>/*`."""

import difflib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.faceset import EXPRESSIONS
from data.picture_file import read_picture
from data.sources.source_error import SourceError

WHERE = ("Sort pictures into folders named after the seven expressions, <class>/* or <split>/<class>/* with splits "
         "such as train and test, for instance under data/raw/faces, and run: "
         "./run configure data=folder data.path=data/raw/faces")
TERMS = "a folder of your own: the terms are those of its pictures"
# Names met in published sets, misspellings included; compared without case, blanks, hyphens and underscores.
CLASSES = {
    "angry": ("angry", "anger", "mad"),
    "disgust": ("disgust", "disgusted"),
    "fear": ("fear", "fearful", "scared", "afraid"),
    "happy": ("happy", "happiness", "joy"),
    "sad": ("sad", "sadness"),
    "surprise": ("surprise", "surprised", "suprise", "suprised"),
    "neutral": ("neutral", "natural", "neutrality"),
}
SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
    "public_test": ("publictest",),
    "private_test": ("privatetest",),
}
LABEL_OF = {alias: EXPRESSIONS.index(name) for name, aliases in CLASSES.items() for alias in aliases}
SPLIT_OF = {alias: name for name, aliases in SPLITS.items() for alias in aliases}
LITTER = {"thumbs.db", "desktop.ini", "__macosx"}


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every picture in order of its name: (H, W, 3) uint8 RGB and its `source`, `origin`, `split`, `label`.

    `split` is null where the folders name none.

    Raises:
        SourceError: a folder of unknown name, a file that is not a whole picture, or no picture at all.
    """
    found = False
    for split, label, folder in _class_folders(path):
        for file in _entries(folder):
            if not file.is_file():
                raise SourceError(f"{file}: a folder inside a class folder; put the pictures directly into {folder}")
            try:
                image = read_picture(file)
            except ValueError as error:
                raise SourceError(str(error)) from error
            found = True
            origin = file.relative_to(path).as_posix()
            yield image, {"source": "folder", "origin": origin, "split": split, "label": label}
    if not found:
        raise SourceError(f"{path}: no pictures found. {WHERE}")


def _class_folders(path: Path) -> Iterator[tuple[str | None, int, Path]]:
    """Yields (split, label, folder) of every class folder."""
    for folder in _folders(path):
        name = _plain(folder.name)
        if name in LABEL_OF:
            yield None, LABEL_OF[name], folder
        elif name in SPLIT_OF:
            for inner in _folders(folder):
                if _plain(inner.name) not in LABEL_OF:
                    raise _unknown(inner, LABEL_OF)
                yield SPLIT_OF[name], LABEL_OF[_plain(inner.name)], inner
        else:
            raise _unknown(folder, LABEL_OF | SPLIT_OF)


def _entries(folder: Path) -> list[Path]:
    """What people put there, sorted; hidden files and what file managers leave behind are not meant."""
    return sorted(entry for entry in folder.iterdir()
                  if not entry.name.startswith(".") and entry.name.lower() not in LITTER)


def _folders(path: Path) -> list[Path]:
    return [entry for entry in _entries(path) if entry.is_dir()]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter not in " -_")


def _unknown(folder: Path, known: dict) -> SourceError:
    near = difflib.get_close_matches(_plain(folder.name), known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(EXPRESSIONS)}, or a split."
    return SourceError(f"{folder}: {folder.name!r} is not a known class or split: {hint} Rename or move the folder")
