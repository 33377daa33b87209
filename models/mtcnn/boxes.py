"""Boxes of the cascade on the host: suppression, regression, squaring and cutting out, with facenet's exact rounding.

Boxes are (k, 4) float64 x1, y1, x2, y2. facenet's come from MATLAB: a box holds its last pixel, and where pixels are
cut out they count from 1. That is kept, since the weights were tuned with it.
"""

import numpy as np

from models.mtcnn.area import resize_part


def suppress(boxes: np.ndarray, scores: np.ndarray, threshold: float, share_of: str = "union") -> np.ndarray:
    """Greedy non-maximum suppression: indices of the boxes that stay, best score first.

    A box goes if it overlaps a better one that stays by more than `threshold` of their union, or, with
    `share_of="smaller"`, of the smaller one.
    """
    order = np.argsort(-scores, kind="stable")
    x1, y1, x2, y2 = boxes[order].T
    area = (x2 - x1 + 1) * (y2 - y1 + 1)
    width = np.minimum(x2[:, None], x2) - np.maximum(x1[:, None], x1) + 1
    height = np.minimum(y2[:, None], y2) - np.maximum(y1[:, None], y1) + 1
    shared = width.clip(0) * height.clip(0)
    whole = np.minimum(area[:, None], area) if share_of == "smaller" else area[:, None] + area - shared
    beats = np.triu(shared > threshold * whole, 1)  # [i, j]: i would remove j
    # Boxes that nothing better touches stay; the rest is settled in as many rounds as chains of overlaps are long.
    stays = np.ones(len(order), bool)
    while True:
        before, stays = stays, ~beats[stays].any(axis=0)
        if (before == stays).all():
            return order[stays]


def regress(boxes: np.ndarray, shares: np.ndarray, pixel: int) -> np.ndarray:
    """Moves each edge by its share of the side, which is x2 − x1 + `pixel`: 0 after P-Net, 1 after R- and O-Net."""
    side = boxes[:, 2:] - boxes[:, :2] + pixel
    return boxes + shares * np.tile(side, 2)


def square(boxes: np.ndarray) -> np.ndarray:
    """The squares with the same centres and the longer sides."""
    side = boxes[:, 2:] - boxes[:, :2]
    longest = side.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + side * 0.5 - longest * 0.5
    return np.concatenate([corner, corner + longest], axis=1)


def cut_out(picture: np.ndarray, boxes: np.ndarray, side: int) -> np.ndarray:
    """The contents of whole-numbered `boxes` of one picture (H, W, 3) float32, resized to (k, side, side, 3) float32.

    What lies beyond the picture is 0, black.
    """
    parts = (boxes.astype(int) - [1, 1, 0, 0]).tolist()
    windows = np.empty((len(boxes), side, side, 3), np.float32)
    for window, part in zip(windows, parts, strict=True):
        window[:] = resize_part(picture, part, side, side)
    return windows
