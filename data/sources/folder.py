"""Pictures in folders, the way most expression sets are passed on: `<split>/<class>/*` or `<class>/*`."""

import difflib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.faceset import EXPRESSIONS
from data.sources.archive import PICTURES, Files, open_files
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


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every picture: (H, W, 3) uint8 RGB and its `source`, `origin`, `split`, `label`.

    `split` is null where the folders name none. `path` is the folder or an archive of it; files that are in no folder
    of a class are not meant, unless they are pictures of a split.

    Raises:
        SourceError: a folder of unknown name, a picture in no class, a file that is no whole picture, or none at all.
    """
    found = False
    with open_files(path, archives_inside=False) as files:
        above = _common_folder(files)
        for name in files.names:
            folders = name.split("/")[above:-1]
            split = SPLIT_OF.get(_plain(folders[0])) if folders else None
            classes = folders[1:] if split else folders
            if not classes:
                if split and name.lower().endswith(PICTURES):
                    raise SourceError(f"{files.place(name)}: in a split but in no class; put the picture into a folder "
                                      f"of {folders[0]} named after its expression")
                continue
            label = LABEL_OF.get(_plain(classes[0]))
            if label is None:
                raise _unknown(files, name, classes[0], LABEL_OF if split else LABEL_OF | SPLIT_OF)
            if len(classes) > 1:
                raise SourceError(f"{files.place(name)}: in a folder inside a class folder; put the pictures directly "
                                  f"into {classes[0]}")
            found = True
            yield files.picture(name), {"source": "folder", "origin": name, "split": split, "label": label}
    if not found:
        raise SourceError(f"{path}: no pictures found. {WHERE}")


def _common_folder(files: Files) -> int:
    """1 where an archive holds all in one folder that is neither class nor split, else 0."""
    tops = {name.split("/")[0] for name in files.names if "/" in name}
    return int(files.path.is_file() and len(tops) == 1 and not {_plain(*tops)} & (LABEL_OF.keys() | SPLIT_OF.keys()))


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter not in " -_")


def _unknown(files: Files, name: str, folder: str, known: dict) -> SourceError:
    near = difflib.get_close_matches(_plain(folder), known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(EXPRESSIONS)}, or a split."
    return SourceError(f"{files.place(name)}: {folder!r} is not a known class or split: {hint} Rename or move the "
                       "folder")
