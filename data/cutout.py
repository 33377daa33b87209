"""Cutting a head out of a plain background: a soft alpha, and colours freed of the background at the edge.

Smith and Blinn 1996, "Blue Screen Matting": with a known background the edge's colour is a mixture, alpha its share.
What is like the background but surrounded by the head, such as teeth or the white of an eye, belongs to the head.
"""

import cv2
import numpy as np

NEAR = 12.0  # distance from the background's colour up to which a pixel is background, at least
APART = 0.5  # of the distance that parts near from far ones (Otsu 1979): a generator's background is not quite plain
EDGE = 2.0  # pixels of the given picture, from the outline inwards, that may be mixtures of head and background
OVERSAMPLE = 4  # edges are found on an enlarged picture, so that a small one gets a smooth edge
BORDER = 2  # pixels along the picture's edge that show the background
LIMB = 0.33  # share of the picture's side; what is narrower and grows out of the head is a shadow of the generator's
LEAST_HEAD = 0.05  # share of the picture; less is a speck


def cut_out(picture: np.ndarray, size: int) -> np.ndarray:
    """(H, W, 3) uint8 RGB of one head before a plain background -> (size, size, 4) uint8 RGBA, alpha straight.

    Raises ValueError where nothing stands out from the colour along the border.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"a picture (H, W, 3) uint8 RGB is needed, got {picture.dtype} {tuple(picture.shape)}")
    background = _border_colour(picture)
    side = size * OVERSAMPLE
    large = np.clip(cv2.resize(picture.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC), 0, 255)
    away = np.sqrt(((large - background) ** 2).sum(axis=2))
    head = _largest(_without_limbs(_filled(away > max(NEAR, APART * _parting(away)))))
    if head.mean() < LEAST_HEAD:
        raise ValueError(
            f"no head stands out from the background {tuple(int(c) for c in background)}: {head.mean():.1%} of the picture "
            f"differs from it, at least {LEAST_HEAD:.0%} is needed"
        )
    # In the band along the outline a pixel mixes the background with the colour of the head just inside.
    width = 2 * round(EDGE * side / min(picture.shape[:2])) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    core = cv2.erode(head.astype(np.uint8), kernel, borderValue=1).astype(bool)
    pure = large[_nearest(core)] - background
    mixed = ((large - background) * pure).sum(axis=2) / np.maximum((pure**2).sum(axis=2), NEAR**2)
    alpha = np.where(core, 1.0, np.clip(mixed, 0, 1) * head).astype(np.float32)
    colour = np.where(core[..., None], large, pure + background) * alpha[..., None]
    alpha, colour = (cv2.resize(each, (size, size), interpolation=cv2.INTER_AREA) for each in (alpha, colour))
    colour = np.where(alpha[..., None] > 1e-3, colour / np.maximum(alpha[..., None], 1e-3), 0)
    return np.dstack([np.clip(np.rint(colour), 0, 255), np.rint(alpha * 255)]).astype(np.uint8)


def _border_colour(picture: np.ndarray) -> np.ndarray:
    """(3,) the median colour along the edge of the picture."""
    inside = np.zeros(picture.shape[:2], bool)
    inside[BORDER:-BORDER, BORDER:-BORDER] = True
    return np.median(picture[~inside], axis=0).astype(np.float32)


def _parting(away: np.ndarray) -> float:
    """The distance that parts `away` into two groups with the least spread within them."""
    parts = 255 / max(float(away.max()), 1e-6)
    found, _ = cv2.threshold((away * parts).astype(np.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return found / parts


def _filled(mask: np.ndarray) -> np.ndarray:
    """`mask` with every hole that does not reach the border filled."""
    outside = np.pad((~mask).astype(np.uint8), 1, constant_values=1)
    _, parts = cv2.connectedComponents(outside, connectivity=4)
    return (parts != parts[0, 0])[1:-1, 1:-1]


def _without_limbs(mask: np.ndarray) -> np.ndarray:
    """`mask` without what is narrower than LIMB: opened by a disk, of which distances know no size too large."""
    radius = LIMB * len(mask) / 2
    framed = np.pad(mask.astype(np.uint8), 1)
    inner = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > radius
    reached = cv2.distanceTransform((~inner).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius
    return reached[1:-1, 1:-1] & mask


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of `mask`."""
    count, parts, figures, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return parts == 1 + figures[1:, cv2.CC_STAT_AREA].argmax() if count > 1 else mask


def _nearest(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column (H, W) of the place in `mask` that is nearest to each place."""
    _, labels = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(mask)
    place = np.empty(labels.max() + 1, int)
    place[labels[rows, columns]] = np.arange(len(rows))
    return rows[place[labels]], columns[place[labels]]
