"""Cuts a face out of a frame exactly as the classifier's training data was cut: the rule of `data/alignment.py`.

The archive cannot carry that module, so the rule is written again here, and a test holds that both give the same
pixels.
"""

import cv2
import numpy as np

# Left eye, right eye, nose, mouth left, mouth right in a square of side 1 (ArcFace's face, Deng et al. 2019, made
# symmetric).
CANONICAL = np.array([[0.343, 0.461], [0.657, 0.461], [0.5, 0.640], [0.370, 0.824], [0.630, 0.824]])
# Coordinates count from the corner of the first pixel, OpenCV's from its middle.
FROM_CORNER = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])


def face_crop(
    frame: np.ndarray, box: np.ndarray, landmarks: np.ndarray, size: int, channels: int, margin: float, align: bool
) -> np.ndarray:
    """(size, size, channels) uint8, grey or RGB, of a face in a BGR frame (H, W, 3) uint8.

    Args:
        box: (4,) x1, y1, x2, y2 in pixels; used where `align` is false.
        landmarks: (5, 2) x, y in pixels; used where `align` is true.
        margin: kept around the face as a share of its side, half of it on each side; may be below 0.
    """
    matrix = crop_matrix(box, landmarks, size, margin, align)
    # A face that gets much smaller is drawn larger first and then averaged, so that no pixel of it is skipped.
    shrinks = max(1, round(1 / np.hypot(*matrix[:, 0])))
    side = size * shrinks
    matrix = on_pixels(shrinks * matrix)
    face = cv2.warpAffine(frame, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if shrinks > 1:
        face = cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)[..., None] if channels == 1 else face[..., ::-1]


def crop_matrix(box: np.ndarray, landmarks: np.ndarray, size: int, margin: float, align: bool) -> np.ndarray:
    """(2, 3): where points of the frame lie in the face that `face_crop` cuts out, both counted from pixels' corners."""
    turn, shift = _upright(landmarks, margin) if align else _squared(box, margin)
    return size * np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def on_pixels(matrix: np.ndarray) -> np.ndarray:
    """The map (2, 3) of points counted from pixels' corners as OpenCV wants it, counted from their middles."""
    return (np.linalg.inv(FROM_CORNER) @ np.vstack([matrix, [0, 0, 1]]) @ FROM_CORNER)[:2]


def _upright(landmarks: np.ndarray, margin: float) -> tuple[complex, complex]:
    """Turn and shift, as complex numbers, of the similarity that best brings landmarks to CANONICAL (Umeyama 1991)."""
    found = landmarks @ [1, 1j]
    wanted = ((CANONICAL - 0.5) / (1 + margin) + 0.5) @ [1, 1j]
    centred = found - found.mean()
    turn = np.vdot(centred, wanted - wanted.mean()) / (np.abs(centred) ** 2).sum()
    return turn, wanted.mean() - turn * found.mean()


def _squared(box: np.ndarray, margin: float) -> tuple[complex, complex]:
    """The same for the square about the box."""
    turn = complex(1 / (max(box[2:] - box[:2]) * (1 + margin)))
    return turn, 0.5 + 0.5j - turn * complex(*(box[:2] + box[2:]) / 2)
