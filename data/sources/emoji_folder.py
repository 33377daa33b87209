"""Emoji pictures: a folder or archive of PNG with alpha, as emoji fonts are published in, laid over white.

Of each is known only which it is: its name, such as `emoji_u1f600.png`, is kept in `origin`.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.picture_file import decode_over_white
from data.sources.archive import open_files
from data.sources.source_error import SourceError

WHERE = ("Noto Emoji, for one, is given out by Google: github.com/googlefonts/noto-emoji, folder png/128. Put the PNG "
         "of the emoji you want into data/raw/emoji and run: "
         "./run configure data=emoji_folder data.path=data/raw/emoji")
TERMS = "emoji pictures: the terms are their maker's; Noto Emoji's pictures are under Apache-2.0"
PNG = b"\x89PNG\r\n\x1a\n"


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every PNG (H, W, 3) uint8 RGB, over white, and its `source`, `origin`.

    Raises:
        SourceError: a picture is broken or is no PNG, or there is none.
    """
    with open_files(path) as files:
        for name in files.pictures(WHERE):
            yield files.picture(name, decode_png), {"source": "emoji_folder", "origin": name}


def decode_png(data: bytes, place: str) -> np.ndarray:
    """The picture in the bytes of a PNG, (H, W, 3) uint8 RGB, over white. Raises SourceError unless it is whole."""
    if data and not data.startswith(PNG):
        raise SourceError(f"{place}: not a PNG; emoji need its alpha")
    try:
        return decode_over_white(data, place)
    except ValueError as error:
        raise SourceError(str(error)) from error
