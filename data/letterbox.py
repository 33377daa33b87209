"""Letterboxing: a picture of any size fitted into a square without distortion, black bars beside or above."""

import cv2
import numpy as np


def letterbox(image: np.ndarray, size: int, channels: int) -> np.ndarray:
    """`image` (H, W), (H, W, 1) grey or (H, W, 3) RGB uint8 as (size, size, channels) uint8, channels 1 or 3.

    Shrinks by area averaging and enlarges by cubic interpolation. A picture that already fits keeps its pixels.
    """
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if channels == 1 and image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if channels == 3 and image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    (height, width), (top, left) = _placement(image.shape[:2], size)
    if image.shape[:2] != (height, width):
        shrinks = max(image.shape[:2]) > size
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    square = np.zeros((size, size, channels), np.uint8)
    square[top:top + height, left:left + width] = image.reshape(height, width, channels)
    return square


def letterbox_points(points: np.ndarray, shape: tuple[int, int], size: int) -> np.ndarray:
    """Where `points` (n, 2), x and y in pixels of a picture of `shape` (H, W), lie after letterboxing to `size`."""
    (height, width), (top, left) = _placement(shape, size)
    scale = np.array([width / shape[1], height / shape[0]], np.float32)
    return np.asarray(points, np.float32) * scale + np.array([left, top], np.float32)


def _placement(shape: tuple[int, int], size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """(height, width) and (top, left) of a picture of `shape` in the square."""
    scale = size / max(shape)
    height, width = (max(1, round(side * scale)) for side in shape)
    return (height, width), ((size - height) // 2, (size - width) // 2)
