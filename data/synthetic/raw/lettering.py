"""Text on pictures as people find it: memes, captions under a picture, stock-photo watermarks, subtitles, dates.

Letters come from OpenCV's Hershey fonts and from the one typeface that Pillow carries, never from the system.
"""

from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

HERSHEY = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
SMALLEST = 0.06  # height of capitals, of the picture's longer side
WORDS = ("when you see the bill monday again not today happy birthday so sad why me oh no wait what good morning best "
         "friends forever keep calm never mind my face when home alone stay strong dont worry be cool love life "
         "breaking news free photo stock image sample preview copyright download now emotion faces people team").split()
MARKS = ("stockphoto", "SAMPLE", "preview", "istock", "gettypics", "dreamtime", "123face", "photobank", "COPYRIGHT",
         "shutter.com", "alamo", "depositpic")
COLOURS = ((255, 255, 255), (255, 235, 60), (20, 20, 20), (220, 40, 40), (60, 220, 90), (70, 150, 255))


@lru_cache(maxsize=64)
def _typeface(points: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(points)


def write(text: str, height: int, font: int | None, weight: int) -> np.ndarray:
    """`text` as a mask (h, w) uint8, capitals `height` pixels high.

    `font` is one of OpenCV's, or None for Pillow's; `weight` is the stroke in pixels, or what is added to it.
    """
    if font is None:
        typeface = _typeface(max(4, round(height / 0.7)))
        left, top, right, bottom = typeface.getbbox(text, stroke_width=weight)
        page = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4))
        ImageDraw.Draw(page).text((2 - left, 2 - top), text, 255, typeface, stroke_width=weight)
        return np.asarray(page)
    scale = cv2.getFontScaleFromHeight(font, height, weight)
    (wide, high), below = cv2.getTextSize(text, font, scale, weight)
    page = np.zeros((high + below + weight + 2, wide + weight + 2), np.uint8)
    return cv2.putText(page, text, (1, high), font, scale, 255, weight, cv2.LINE_AA)


def _set(rng: np.random.Generator, text: str, height: int, width: int) -> np.ndarray:
    """A line of `text`, in one of the fonts, made to fit `width` by leaving out words, at least one; a mask (h, w)."""
    font = None if rng.random() < 0.5 else HERSHEY[rng.integers(len(HERSHEY))]
    stroke, bold = max(1, round(height / rng.uniform(7, 12))), int(rng.integers(0, 1 + max(1, height // 14)))
    weight = bold if font is None else stroke
    words = text.split()
    while True:
        line = write(" ".join(words), height, font, weight)
        if line.shape[1] <= width:
            return line
        if len(words) == 1:
            return cv2.resize(line, (width, max(1, line.shape[0] * width // line.shape[1])),
                              interpolation=cv2.INTER_AREA)
        words.pop()


def _lay(picture: np.ndarray, mask: np.ndarray, x: int, y: int, colour: tuple[int, ...], opacity: float = 1.0) -> None:
    """Lays `colour` on `picture` (H, W, 3) uint8 where `mask` is set, its corner at `x`, `y`, in place."""
    height, width = picture.shape[:2]
    left, top = max(0, -x), max(0, -y)
    mask = mask[top:max(top, height - y), left:max(left, width - x)]
    if mask.size == 0:
        return
    part = picture[y + top:y + top + mask.shape[0], x + left:x + left + mask.shape[1]]
    share = mask[..., None].astype(np.float32) * np.float32(opacity / 255)
    part[:] = (part + share * (np.array(colour, np.float32) - part) + 0.5).astype(np.uint8)


def _outlined(picture: np.ndarray, mask: np.ndarray, x: int, y: int, colour: tuple[int, ...],
              edge: tuple[int, ...] | None) -> None:
    if edge is not None:
        reach = max(1, round(mask.shape[0] / 18))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
        _lay(picture, cv2.dilate(cv2.copyMakeBorder(mask, *(reach,) * 4, cv2.BORDER_CONSTANT), kernel), x - reach,
             y - reach, edge)
    _lay(picture, mask, x, y, colour)


def _sentence(rng: np.random.Generator, most: int = 6) -> str:
    start = int(rng.integers(len(WORDS)))
    return " ".join(np.roll(WORDS, -start)[:int(rng.integers(2, most + 1))])


def _meme(rng: np.random.Generator, picture: np.ndarray, height: int) -> tuple[np.ndarray, int]:
    """White capitals with a black edge, above and below."""
    rows, columns = picture.shape[:2]
    for place in ((0,), (1,), (0, 1))[rng.integers(3)]:
        line = _set(rng, _sentence(rng).upper(), round(height * rng.uniform(1.0, 1.5)), round(0.94 * columns))
        y = round(0.03 * rows) if place == 0 else rows - line.shape[0] - round(0.03 * rows)
        _outlined(picture, line, (columns - line.shape[1]) // 2, y, (255, 255, 255), (0, 0, 0))
    return picture, 0


def _caption(rng: np.random.Generator, picture: np.ndarray, height: int) -> tuple[np.ndarray, int]:
    """A bar added above or below the picture, with a line or two."""
    columns = picture.shape[1]
    paper, ink = ((255, 255, 255), (15, 15, 15)) if rng.random() < 0.6 else ((12, 12, 12), (245, 245, 245))
    lines = [_set(rng, _sentence(rng), height, round(0.92 * columns)) for _ in range(rng.integers(1, 3))]
    gap = max(2, height // 2)
    bar = np.empty((sum(len(line) + gap for line in lines) + gap, columns, 3), np.uint8)
    bar[:] = paper
    y = gap
    for line in lines:
        _lay(bar, line, (columns - line.shape[1]) // 2, y, ink)
        y += len(line) + gap
    if rng.random() < 0.6:
        return np.concatenate([bar, picture]), len(bar)
    return np.concatenate([picture, bar]), 0


def _watermark(rng: np.random.Generator, picture: np.ndarray, height: int) -> tuple[np.ndarray, int]:
    """A name across the picture, half transparent, slanted and repeated, or once over the middle."""
    rows, columns = picture.shape[:2]
    mark = _set(rng, str(rng.choice(MARKS)), height, round(0.8 * columns))
    colour = (255, 255, 255) if picture.mean() < 165 else (40, 40, 40)
    opacity = rng.uniform(0.55, 0.8)
    sheet = np.zeros((rows, columns), np.uint8)
    if rng.random() < 0.5:
        high, wide = mark.shape
        step_x, step_y = round(wide * rng.uniform(1.2, 1.6)), round(rng.uniform(2.6, 4.0) * high)
        big = np.zeros((2 * max(rows, columns),) * 2, np.uint8)
        for number, y in enumerate(range(0, big.shape[0] - high, step_y)):
            for x in range(number % 2 * step_x // 2, big.shape[1] - wide, step_x):
                big[y:y + high, x:x + wide] = mark
        side = big.shape[0]
        matrix = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(-5, 35), 1)
        matrix[:, 2] -= (side - columns) / 2, (side - rows) / 2
        sheet = cv2.warpAffine(big, matrix, (columns, rows))
    else:
        y, x = round((rows - mark.shape[0]) * rng.uniform(0.35, 0.8)), (columns - mark.shape[1]) // 2
        sheet[y:y + mark.shape[0], x:x + mark.shape[1]] = mark
    _lay(picture, sheet, 0, 0, colour, opacity)
    return picture, 0


def _label(rng: np.random.Generator, picture: np.ndarray, height: int) -> tuple[np.ndarray, int]:
    """A coloured line anywhere, in a box or with an edge: subtitles, dates, names of shows."""
    rows, columns = picture.shape[:2]
    kind = rng.integers(3)
    if kind == 0:
        text = f"{rng.integers(1, 29):02d}/{rng.integers(1, 13):02d}/{rng.integers(1998, 2024)}"
    else:
        text = _sentence(rng, 4)
    line = _set(rng, text, height, round(0.9 * columns))
    x = round((columns - line.shape[1]) * rng.uniform(0.03, 0.97))
    y = round((rows - line.shape[0]) * (rng.uniform(0.82, 0.98) if rng.random() < 0.7 else rng.uniform(0.02, 0.15)))
    colour = COLOURS[rng.integers(len(COLOURS))]
    dark = sum(colour) < 350
    if kind == 2:
        pad = max(2, height // 3)
        picture[max(y - pad, 0):y + line.shape[0] + pad, max(x - pad, 0):x + line.shape[1] + pad] = (
            (240, 240, 240) if dark else (20, 22, 30))
        _lay(picture, line, x, y, colour)
    else:
        _outlined(picture, line, x, y, colour, (245, 245, 245) if dark else (10, 10, 10))
    return picture, 0


def letter(rng: np.random.Generator, picture: np.ndarray) -> tuple[np.ndarray, int]:
    """`picture` (H, W, 3) uint8 with text on it, or above or below, its capitals at least 6 % of the longer side high.

    Returns the picture and by how many pixels it moved down for a caption above it.
    """
    height = max(7, round(max(picture.shape[:2]) * rng.uniform(SMALLEST, 2 * SMALLEST)))
    how = (_meme, _caption, _watermark, _label)[rng.integers(4)]
    return how(rng, picture.copy(), height)
