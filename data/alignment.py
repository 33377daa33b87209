"""Cutting a face out of a picture: turned upright by its landmarks, or by its box alone.

Upright means the similarity (turn, scale, shift) that brings five landmarks nearest, in squares, to where they lie in
a canonical face (Umeyama 1991 for the plane, where it is one complex division). The canonical face is ArcFace's
(Deng et al. 2019), made symmetric.
"""

import cv2
import numpy as np

# Left eye, right eye, nose, left and right corner of the mouth in a square of side 1, eyes level.
CANONICAL = np.array([[0.343, 0.461], [0.657, 0.461], [0.5, 0.640], [0.370, 0.824], [0.630, 0.824]])


def upright(landmarks: np.ndarray, size: int, margin: float) -> np.ndarray:
    """The (2, 3) matrix that takes a picture's pixels to those of an upright face of `size`×`size`.

    Args:
        landmarks: (5, 2) x, y of left eye, right eye, nose, left and right corner of the mouth (image-left).
        margin: what is kept around the face, as a share of its side, half of it on each side.

    Raises:
        ValueError: all landmarks lie on one spot.
    """
    found = np.asarray(landmarks, np.float64) @ [1, 1j]
    wanted = ((CANONICAL - 0.5) / (1 + margin) + 0.5) @ [1, 1j] * size
    centred = found - found.mean()
    spread = (np.abs(centred) ** 2).sum()
    if spread == 0:
        raise ValueError(f"five different landmarks are needed to turn a face upright, got {landmarks}")
    turn = np.vdot(centred, wanted - wanted.mean()) / spread
    shift = wanted.mean() - turn * found.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def squared(box: np.ndarray, size: int, margin: float) -> np.ndarray:
    """The (2, 3) matrix that takes a picture's pixels to those of the square around `box` (x, y, width, height)."""
    x, y, width, height = np.asarray(box, np.float64)
    if not (width > 0 and height > 0):
        raise ValueError(f"a face's box needs a width and a height above 0, got {width} and {height}")
    scale = size / (max(width, height) * (1 + margin))
    return np.array([[scale, 0, size / 2 - scale * (x + width / 2)], [0, scale, size / 2 - scale * (y + height / 2)]])


def cut(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """`image` (H, W) or (H, W, 3) uint8 seen through `matrix`: (size, size) or (size, size, 3).

    Beyond the border its edge is repeated. A face that gets much smaller is drawn larger first and then averaged, so
    that no pixel of it is skipped.
    """
    shrinks = max(1, round(1 / np.hypot(*matrix[:, 0])))
    # Coordinates count from the corner of the first pixel, OpenCV's from its middle.
    corner = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    larger = np.diag([shrinks, shrinks, 1.0]) @ np.vstack([matrix, [0, 0, 1]])
    larger = (np.linalg.inv(corner) @ larger @ corner)[:2]
    face = cv2.warpAffine(image, larger, (size * shrinks, size * shrinks), flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REPLICATE)
    return face if shrinks == 1 else cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA)


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Where `points` (n, 2) of the picture lie after `cut`: (n, 2)."""
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def moved_box(box: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The upright rectangle (x, y, width, height) around `box` (x, y, width, height) after `cut`."""
    x, y, width, height = box
    corners = moved([[x, y], [x + width, y], [x, y + height], [x + width, y + height]], matrix)
    return np.concatenate([corners.min(axis=0), corners.max(axis=0) - corners.min(axis=0)])
