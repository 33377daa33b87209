"""Readers of face pictures, by name. To add one, write a module with `read`, `WHERE` and `TERMS` and list it here."""

import difflib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.sources import (
    celeba,
    emoji_folder,
    emoji_font,
    fer2013,
    ferplus,
    ffhq,
    folder,
    lfw,
    openface,
    orl,
    rafdb,
    synthetic,
    synthetic_raw,
    utkface,
)
from data.sources.source_error import SourceError

# A reader is `read(path, **options)`, which yields (picture, row): (H, W) or (H, W, 3) RGB uint8, and known columns of
# `data.faceset.SCHEMA`. `WHERE` says where people get the data and put it, None for a source that needs none;
# `TERMS` on what terms.
SOURCES = {
    "synthetic": synthetic,
    "synthetic_raw": synthetic_raw,
    "folder": folder,
    "fer2013": fer2013,
    "ferplus": ferplus,
    "rafdb": rafdb,
    "celeba": celeba,
    "lfw": lfw,
    "utkface": utkface,
    "orl": orl,
    "ffhq": ffhq,
    "openface": openface,
    "emoji_folder": emoji_folder,
    "emoji_font": emoji_font,
}


def read(name: str, path: str | Path | None = None, **options: int) -> Iterator[tuple[np.ndarray, dict]]:
    """Streams the pictures of the source `name` at `path`.

    Raises:
        SourceError: no such source, or no path; both say what to do. More errors come while reading.
        FileNotFoundError: nothing is at `path`.
    """
    if name not in SOURCES:
        near = difflib.get_close_matches(name, SOURCES, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(SOURCES)}"
        raise SourceError(f"unknown source {name!r}: {hint}")
    source = SOURCES[name]
    if source.WHERE is None:
        return source.read(**options)
    if path is None:
        raise SourceError(f"data.path is not set, and {name} needs it. {source.WHERE}")
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist. {source.WHERE}")
    return source.read(path, **options)
