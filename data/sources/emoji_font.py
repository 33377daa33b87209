"""Emoji out of a colour emoji font that holds them as PNG pictures: the smileys, laid over white.

Reads the tables CBDT and CBLC (OpenType, as in Google's Noto Color Emoji) or sbix (OpenType, as in Apple Color Emoji),
of which the largest strike is taken. A font that draws its emoji (COLR or SVG) has no pictures and is refused.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont

from data.sources.archive import Files, open_files
from data.sources.emoji_folder import decode_png
from data.sources.source_error import SourceError

WHERE = ("Noto Color Emoji, for one, is given out by Google: github.com/googlefonts/noto-emoji, folder fonts (or by "
         "Debian as fonts-noto-color-emoji). Put NotoColorEmoji.ttf into data/raw and run: "
         "./run configure data=emoji_font data.path=data/raw/NotoColorEmoji.ttf")
TERMS = "emoji fonts: the terms are their maker's; Noto Color Emoji is under the SIL Open Font License 1.1"
FONTS = (".ttf", ".otf", ".ttc")
# Emoji that are one face: "Smileys & Emotion" of Unicode's emoji-test.txt 16.0 without hearts, cats and monkeys.
SMILEYS = (0x2639, 0x263A, *range(0x1F600, 0x1F638), *range(0x1F641, 0x1F645), *range(0x1F910, 0x1F916), 0x1F917,
           *range(0x1F920, 0x1F926), *range(0x1F927, 0x1F930), *range(0x1F970, 0x1F977), *range(0x1F978, 0x1F97B),
           *range(0x1FAE0, 0x1FAE6), 0x1FAE8, 0x1FAE9)


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every smiley of the font (H, W, 3) uint8 RGB, over white, and its `source`, `origin` (font:U+1F600).

    Args:
        path: the font (.ttf, .otf, or .ttc, of which the first is taken), or a folder or archive with one in it.

    Raises:
        SourceError: no whole font, no pictures in it, none of a smiley, or one that is broken.
    """
    with open_files(path) as files:
        name = _font(files)
        data, place = files.read(name), files.place(name)
    try:
        font = TTFont(io.BytesIO(data), fontNumber=0, lazy=True, checkChecksums=2)
        for table in font.reader.keys():
            font.reader[table]  # all of the file is looked at, not only the tables that are needed
        pictures = _pictures(font)
    except Exception as error:  # fontTools parses what it is given and fails as it happens to
        raise SourceError(f"{place}: not a font, damaged or cut short ({type(error).__name__}: {error}); "
                          "download it again") from error
    if pictures is None:
        raise SourceError(f"{place}: the font has no pictures in colour (CBDT or sbix); one that draws its emoji "
                          f"(COLR, SVG) is not read. {WHERE}")
    if not pictures:
        raise SourceError(f"{place}: no smiley (U+1F600 and its like) among the pictures of this font. {WHERE}")
    for code, picture in pictures.items():
        row = {"source": "emoji_font", "origin": f"{name.rpartition('/')[2]}:U+{code:04X}"}
        yield decode_png(picture, f"{place}:U+{code:04X}"), row


def _font(files: Files) -> str:
    """The name of the only font there is; a file that is named itself may have any name."""
    fonts = [name for name in files.names if name.lower().endswith(FONTS)]
    if not fonts and len(files.names) == 1 and files.path.is_file():
        fonts = files.names
    if len(fonts) != 1:
        raise SourceError(f"{files.path}: expected one font in it, found {', '.join(fonts[:10]) or 'none'}. {WHERE}")
    return fonts[0]


def _pictures(font: TTFont) -> dict[int, bytes] | None:
    """The file of each smiley's picture, by code point; None if this is no font with pictures."""
    if "CBDT" in font:
        sizes = [strike.bitmapSizeTable.ppemY for strike in font["CBLC"].strikes]
        glyphs = font["CBDT"].strikeData[sizes.index(max(sizes))]
    elif "sbix" in font:
        glyphs = font["sbix"].strikes[max(font["sbix"].strikes)].glyphs
    else:
        return None
    names = font.getBestCmap()
    pictures = {code: _picture(glyphs, names[code]) for code in SMILEYS if names.get(code) in glyphs}
    return {code: picture for code, picture in pictures.items() if picture}


def _picture(glyphs: dict, name: str) -> bytes | None:
    """The picture of a glyph; in sbix it may be another glyph's, or none."""
    same_as = getattr(glyphs[name], "referenceGlyphName", None)
    return glyphs[same_as or name].imageData
