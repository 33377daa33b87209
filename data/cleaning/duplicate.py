"""Rule `duplicate`: how like a picture is to one that is kept in its stead, found anew in any size, light or mirroring.

A picture's low spatial frequencies, divided by the 1/f that all pictures share (Field 1987) and by their own length,
are a point on a sphere: copies lie close together, different pictures hardly ever. All pairs are tried, as products of
blocks of such points; the few candidates are laid over each other (ECC, Evangelidis & Psarakis 2008), for copies are
often trimmed, and compared again in more frequencies.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import pandas as pd
from scipy.fft import dctn

from data.cleaning.blank import without_bars
from data.cleaning.look import Look

WORSE = "lower"
MEASURE = "1 - correlation with the picture kept in its stead, 0 for an exact copy"
SIDE = 32  # pixels of the thumbnail that stands for a picture
COARSE, FINE = 8, 16  # frequencies in each direction, of the search and of the comparison
# Least correlation of a candidate. Of pictures with 3 % of each border trimmed, 99 % are above it; of different
# pictures of FER-2013, one pair in 100,000.
CANDIDATE = 0.85
TRIED = 3  # candidates compared for a picture, the most like first: the frames of a film are all like each other
FLAT = 3.0  # least spread of grey values; whoever has less shows nothing to compare
BORDER = 2  # pixels of a thumbnail that a trimmed copy may lack
ROWS, COLUMNS = 1024, 4096  # of a block of pairs


def describe(look: Look) -> np.ndarray:
    """A grey thumbnail without letterbox bars, (1024,) uint8; different proportions are squeezed into one square."""
    grey = without_bars(cv2.cvtColor(look.image, cv2.COLOR_RGB2GRAY))
    return cv2.resize(grey if grey.size else np.zeros((1, 1), np.uint8), (SIDE, SIDE),
                      interpolation=cv2.INTER_AREA).ravel()


def measure(descriptions: np.ndarray, table: pd.DataFrame, seed: int) -> np.ndarray:
    """How far every picture is from the one most like it among those that go before it.

    Test pictures (of any split but these two) go before `validation`, these before `train`, and in a split the order
    of the set counts: so no copy of a test picture is trained on, and test pictures are only compared with each other.

    Args:
        descriptions: (N, 1024) uint8, of `describe`.
        table: N rows with `id` and `split`.
        seed: not used; nothing here is left to chance.

    Returns:
        (N,) 0 for an exact copy (of equal id), else 1 - correlation; nan where nothing before it is like it.
    """
    place = table["split"].map({"validation": 1, "train": 2}).fillna(0).to_numpy()
    order = np.argsort(place, kind="stable")
    copy = table["id"].iloc[order].duplicated().to_numpy()
    distance = np.full(len(table), np.nan)
    distance[order[copy]] = 0
    rows = order[~copy]
    thumbnails = np.asarray(descriptions)
    for later, earlier in _candidates(thumbnails, rows):
        found = 1 - _likeness(thumbnails[earlier].reshape(SIDE, SIDE), thumbnails[later].reshape(SIDE, SIDE))
        distance[later] = np.fmin(distance[later], max(found, 1e-6))  # 0 is left to the exact copies
    return distance


def _candidates(thumbnails: np.ndarray, rows: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs from `rows` (later, earlier) that look alike, as they are or mirrored; at most TRIED for a later one."""
    points = np.concatenate([_points(thumbnails[rows[start:start + ROWS]], COARSE)
                             for start in range(0, len(rows), ROWS)] or [np.empty((0, COARSE**2), np.float32)])
    # Mirroring turns the sign of the odd frequencies along a row, so one product serves the picture and its mirror.
    odd = np.arange(COARSE**2) % 2 == 1
    even, odd = points[:, ~odd], points[:, odd]
    for top in range(0, len(rows), ROWS):
        bottom, hits = min(top + ROWS, len(rows)), []
        for left in range(0, bottom, COLUMNS):
            right = min(left + COLUMNS, bottom)
            alike = even[top:bottom] @ even[left:right].T
            alike += np.abs(odd[top:bottom] @ odd[left:right].T)
            if right > top:  # the diagonal and beyond: a picture itself and later ones
                alike[np.arange(left, right) >= np.arange(top, bottom)[:, None]] = -1
            some = np.flatnonzero(alike.max(axis=1) >= CANDIDATE)
            best = np.argsort(-alike[some], axis=1, kind="stable")[:, :TRIED]
            hits.append(np.column_stack([np.repeat(some, best.shape[1]), left + best.ravel(),
                                         np.take_along_axis(alike[some], best, axis=1).ravel()]))
        found = pd.DataFrame(np.concatenate(hits), columns=["later", "earlier", "alike"])
        found = found[found["alike"] >= CANDIDATE].sort_values("alike", ascending=False, kind="stable")
        for later, earlier, _ in found.groupby("later").head(TRIED).itertuples(index=False):
            yield rows[top + int(later)], rows[int(earlier)]


def _points(thumbnails: np.ndarray, frequencies: int) -> np.ndarray:
    """(n, frequencies²) float32 of length 1, or 0 for a flat picture, from (n, SIDE²) uint8."""
    pixels = np.asarray(thumbnails, np.float32)
    spectrum = dctn(pixels.reshape(-1, SIDE, SIDE), axes=(1, 2), norm="ortho")[:, :frequencies, :frequencies]
    points = (spectrum * np.hypot(*np.mgrid[:frequencies, :frequencies])).reshape(len(pixels), -1)
    length = np.linalg.norm(points, axis=1, keepdims=True)
    flat = (pixels.std(axis=1, keepdims=True) < FLAT) | (length == 0)
    return np.where(flat, 0, points / np.where(flat, 1, length)).astype(np.float32)


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation in [-1, 1] of two thumbnails (SIDE, SIDE), `other` as it is or mirrored, laid over `one` or not."""
    mirrored = np.ascontiguousarray(other[:, ::-1])
    if _correlation(one, mirrored, COARSE) > _correlation(one, other, COARSE):
        other = mirrored
    inner = slice(BORDER, -BORDER)
    return max(_correlation(one, other, FINE),
               _correlation(*(cv2.resize(each[inner, inner], (SIDE, SIDE)) for each in (one, _laid_over(one, other))),
                            FINE))


def _correlation(one: np.ndarray, other: np.ndarray, frequencies: int) -> float:
    points = _points(np.stack([one.ravel(), other.ravel()]), frequencies)
    return float(points[0] @ points[1])


def _laid_over(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """`other` moved and stretched to lie over `one` as well as it can; unmoved where no way is found."""
    enough = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-4)
    try:
        _, matrix = cv2.findTransformECC(one, other, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, enough, None, 3)
    except cv2.error:  # it did not converge: they are not alike
        return other
    return cv2.warpAffine(other, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                          borderMode=cv2.BORDER_REPLICATE)
