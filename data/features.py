"""Input features that the study "Monday's facial expression recognition" (2021) tried in place of grey values.

Each makes a batch of grey pictures (N, H, W) uint8 into as many pictures of the same shape and type, one by one: no
picture changes another. Networks scale them to [0, 1] as they do grey values, which is the study's `rescale`.

- `equalise`: the histogram of the whole picture made flat (OpenCV's `equalizeHist`).
- `clahe_5_4`, `clahe_5_8`: the same in 4×4 or 8×8 tiles, limited to 5 times the mean count (Zuiderveld 1994, "Contrast
  limited adaptive histogram equalization", Graphics Gems IV; OpenCV's `CLAHE`).
- `hog`: histograms of oriented gradients (Dalal & Triggs 2005, CVPR; 9 orientations, cells of 8×8 pixels) as the
  picture that scikit-image draws of them, a line an orientation, from 0 to 255 in every picture.
- `lbp_ror`: local binary patterns of 8 neighbours at radius 1, the least of the 8 rotations of each (Ojala,
  Pietikäinen & Mäenpää 2002, TPAMI 24(7), eq. 8; scikit-image's method `ror`), 0 to 255 as they are.
- `lbp_var`: the variance v of these neighbours (eq. 19; method `var`) as 2·√v, because v is at most 127.5²; 0 where
  all are equal, for which scikit-image gives nan.
"""

from collections.abc import Callable
from functools import cache, wraps

import cv2
import numpy as np
from skimage.draw import line
from skimage.feature import hog as hog_of_one
from skimage.feature import local_binary_pattern

ORIENTATIONS = 9
CELL, BLOCK = 8, 2  # pixels a cell, cells a block, in each direction
NEIGHBOURS, RADIUS = 8, 1
BATCH = 16  # pictures drawn at a time, few enough for the processor to have their gradients at hand

Feature = Callable[[np.ndarray], np.ndarray]


def _grey(feature: Feature) -> Feature:
    """`feature` for grey pictures only; others are a ValueError that says what to set."""

    @wraps(feature)
    def checked(images: np.ndarray) -> np.ndarray:
        if images.ndim != 3 or images.dtype != np.uint8:
            raise ValueError(f"features are made of grey pictures (N, H, W) uint8, got {images.dtype} {images.shape}; "
                             "set faces.channels to 1, or faces.features to none")
        return feature(images)

    return checked


def _each(feature: Feature) -> Feature:
    """`feature` of one picture (H, W), for a batch."""
    return _grey(lambda images: np.array([feature(image) for image in images], np.uint8).reshape(images.shape))


def _clahe(limit: float, tiles: int) -> Feature:
    return _each(lambda image: cv2.createCLAHE(limit, (tiles, tiles)).apply(image))


def _lbp_ror(image: np.ndarray) -> np.ndarray:
    return local_binary_pattern(image, NEIGHBOURS, RADIUS, "ror").astype(np.uint8)


def _lbp_var(image: np.ndarray) -> np.ndarray:
    variance = np.nan_to_num(local_binary_pattern(image, NEIGHBOURS, RADIUS, "var"))
    return np.rint(2 * np.sqrt(variance.clip(0))).astype(np.uint8)


@_grey
def hog_vectors(images: np.ndarray) -> np.ndarray:
    """The HOG descriptors (N, d) float32 of grey pictures (N, H, W) uint8, each side at least 16 pixels.

    In blocks of 2×2 cells, normalised by L2-Hys: d = 36 × blocks down × blocks across, 900 at 48×48, in [0, 1].

    Raises:
        ValueError: the pictures are not grey, or smaller than a block.
    """
    _check_size(images)
    vectors = [hog_of_one(image, ORIENTATIONS, (CELL, CELL), (BLOCK, BLOCK), "L2-Hys") for image in images]
    blocks = [side // CELL - BLOCK + 1 for side in images.shape[1:]]
    return np.array(vectors, np.float32).reshape(len(images), blocks[0] * blocks[1] * BLOCK * BLOCK * ORIENTATIONS)


@_grey
def _hog(images: np.ndarray) -> np.ndarray:
    """scikit-image's `hog(visualize=True)`, 0…255 in each picture, ten times as fast by drawing all cells at once."""
    _check_size(images)
    starts = range(0, len(images), BATCH)
    return np.concatenate([np.empty_like(images[:0]), *(_hog_pictures(images[at:at + BATCH]) for at in starts)])


def _hog_pictures(images: np.ndarray) -> np.ndarray:
    count, height, width = images.shape
    histograms = _cell_histograms(images)
    down, across = histograms.shape[1:3]
    cells = np.zeros((count, down, CELL, across, CELL))
    for orientation, (rows, columns) in enumerate(_lines()):
        cells[:, :, rows, :, columns] += histograms[..., orientation]
    pictures = np.zeros(images.shape)  # pixels beyond the last whole cell stay 0
    pictures[:, :down * CELL, :across * CELL] = cells.reshape(count, down * CELL, across * CELL)
    strongest = pictures.max(axis=(1, 2), keepdims=True)
    return (pictures / np.where(strongest > 0, strongest, 1) * 255).astype(np.uint8)


def _cell_histograms(images: np.ndarray) -> np.ndarray:
    """Mean gradient magnitude by cell and orientation, (N, H // 8, W // 8, 9); edges of a picture have no gradient."""
    down, right = np.zeros((2, *images.shape))
    down[:, 1:-1] = images[:, 2:].astype(float) - images[:, :-2]
    right[:, :, 1:-1] = images[:, :, 2:].astype(float) - images[:, :, :-2]
    angle = np.rad2deg(np.arctan2(down, right)) % 180
    orientation = np.minimum(angle // (180 / ORIENTATIONS), ORIENTATIONS - 1).astype(int)

    rows, columns = images.shape[1] // CELL, images.shape[2] // CELL
    cell = np.arange(len(images) * rows * columns).reshape(-1, rows, 1, columns, 1)
    whole = (slice(None), slice(rows * CELL), slice(columns * CELL))
    split = (len(images), rows, CELL, columns, CELL)
    place = cell * ORIENTATIONS + orientation[whole].reshape(split)
    sums = np.bincount(place.ravel(), np.hypot(down, right)[whole].ravel(), cell.size * ORIENTATIONS)
    return sums.reshape(len(images), rows, columns, ORIENTATIONS) / CELL ** 2


@cache
def _lines() -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows and columns, in a cell, of the line that stands for each orientation: across the gradient, as edges run."""
    middle, radius = CELL // 2, CELL // 2 - 1
    angles = np.pi * (np.arange(ORIENTATIONS) + 0.5) / ORIENTATIONS
    return [line(int(middle - radius * np.cos(angle)), int(middle + radius * np.sin(angle)),
                 int(middle + radius * np.cos(angle)), int(middle - radius * np.sin(angle))) for angle in angles]


def _check_size(images: np.ndarray) -> None:
    if min(images.shape[1:]) < CELL * BLOCK:
        raise ValueError(f"HOG needs pictures of at least {CELL * BLOCK}×{CELL * BLOCK} pixels, got "
                         f"{images.shape[2]}×{images.shape[1]}; raise faces.size")


FEATURES: dict[str, Feature] = {
    "none": lambda images: images,
    "equalise": _each(cv2.equalizeHist),
    "clahe_5_4": _clahe(5, 4),
    "clahe_5_8": _clahe(5, 8),
    "hog": _hog,
    "lbp_ror": _each(_lbp_ror),
    "lbp_var": _each(_lbp_var),
}
