"""Contact sheets: many small pictures on one, each with its caption, to look at a set with one's own eyes."""

from collections.abc import Sequence

import cv2
import numpy as np

TILE = 96  # pixels; smaller pictures are enlarged to at least this side, so that captions fit and faces can be judged
GAP = 4
CAPTION = 16
PAPER = 255
INK = (40, 40, 40)


def contact_sheet(images: np.ndarray, columns: int = 8, labels: Sequence[str] | None = None) -> np.ndarray:
    """Lays `images` out row by row.

    Args:
        images: (N, H, W, C) uint8, C = 1 (grey), 3 (RGB) or 4 (RGBA, shown over the paper).
        columns: pictures in a row.
        labels: N captions, drawn under the pictures; None for none.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    images = np.asarray(images)
    if labels is not None and len(labels) != len(images):
        raise ValueError(f"{len(images)} pictures but {len(labels)} labels: give one for each")
    _, height, width, _ = images.shape
    scale = max(1, -(-TILE // max(height, width)))
    cell = (height * scale + GAP + (CAPTION if labels is not None else 0), width * scale + GAP)
    rows = max(1, -(-len(images) // columns))
    sheet = np.full((rows * cell[0] + GAP, columns * cell[1] + GAP, 3), PAPER, np.uint8)
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        top, left = row * cell[0] + GAP, column * cell[1] + GAP
        tile = cv2.resize(_rgb(image), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        sheet[top:top + tile.shape[0], left:left + tile.shape[1]] = tile
        if labels is not None:
            baseline = (left, top + tile.shape[0] + CAPTION - 5)
            cv2.putText(sheet, labels[number], baseline, cv2.FONT_HERSHEY_SIMPLEX, 0.38, INK, 1, cv2.LINE_AA)
    return sheet


def over_white(image: np.ndarray) -> np.ndarray:
    """(H, W, 4) uint8 RGBA, alpha straight, laid over white paper: (H, W, 3)."""
    alpha = image[..., 3:].astype(np.float32) / np.float32(255)
    return (image[..., :3] * alpha + PAPER * (1 - alpha)).round().astype(np.uint8)


def _rgb(image: np.ndarray) -> np.ndarray:
    """(H, W, C) uint8 of 1, 3 or 4 channels as (H, W, 3)."""
    if image.shape[2] == 4:
        return over_white(image)
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
