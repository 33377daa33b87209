"""Shapes laid on a finished picture: anti-aliased polygons that look solid, their edges rounded by one lamp.

The roundness is a blurred coverage taken as height: its slope towards the lamp brightens, away from it darkens.
"""

from collections.abc import Sequence

import cv2
import numpy as np

FRACTION = 4  # bits of sub-pixel place in OpenCV's drawing
LAMP = (-0.5, -0.85)  # where the light comes from: left, above


def smooth(points: Sequence[Sequence[float]] | np.ndarray, steps: int = 6) -> np.ndarray:
    """(steps N, 2) the closed Catmull-Rom curve through `points` (N, 2)."""
    here = np.asarray(points, np.float64)[:, None]
    before, after, beyond = (np.roll(here, shift, axis=0) for shift in (1, -1, -2))
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = 2 * here + (after - before) * t + (2 * before - 5 * here + 4 * after - beyond) * t**2 + (
        3 * here - before - 3 * after + beyond) * t**3
    return curve.reshape(-1, 2) / 2


def rectangle(x: float, y: float, wide: float, high: float) -> np.ndarray:
    """(4, 2) a rectangle whose upper left corner is `x`, `y`."""
    return np.array([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)])


def ellipse(x: float, y: float, wide: float, high: float, tilt: float = 0.0, samples: int = 40) -> np.ndarray:
    """(samples, 2) an ellipse of half axes `wide` and `high`, turned by `tilt` radians."""
    angle = np.linspace(0, 2 * np.pi, samples, endpoint=False)
    across, down = wide * np.cos(angle), high * np.sin(angle)
    return np.stack([x + across * np.cos(tilt) - down * np.sin(tilt), y + across * np.sin(tilt) + down * np.cos(tilt)],
                    axis=1)


def capsule(start: Sequence[float], end: Sequence[float], first: float, last: float) -> np.ndarray:
    """(24, 2) a limb from `start` to `end`, `first` and `last` its half widths, round at both ends."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    along = np.arctan2(*(end - start)[::-1])
    half = np.linspace(-np.pi / 2, np.pi / 2, 12)
    front = end + last * np.stack([np.cos(along + half), np.sin(along + half)], axis=1)
    back = start + first * np.stack([np.cos(along + np.pi + half), np.sin(along + np.pi + half)], axis=1)
    return np.concatenate([front, back])


def coverage(shape: Sequence[int], polygon: np.ndarray, soft: float = 0.0) -> tuple[tuple[slice, slice], np.ndarray]:
    """The window of a picture of `shape` around a closed polygon (N, 2), and its coverage there, float32 in [0, 1]."""
    height, width = shape[:2]
    pad = int(3 * soft) + 2
    low = np.clip(np.floor(polygon.min(axis=0)).astype(int) - pad, 0, (width - 1, height - 1))
    high = np.clip(np.ceil(polygon.max(axis=0)).astype(int) + pad + 1, low + 1, (width, height))
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillPoly(mask, [np.rint((polygon - low) * (1 << FRACTION)).astype(np.int32)], 255, cv2.LINE_AA, FRACTION)
    if soft > 0.3:
        mask = cv2.GaussianBlur(mask, (0, 0), soft)
    return (slice(low[1], high[1]), slice(low[0], high[0])), mask.astype(np.float32) * np.float32(1 / 255)


def fill(picture: np.ndarray, polygon: np.ndarray, colour: Sequence[float] | np.ndarray, opacity: float = 1.0,
         soft: float = 0.0) -> None:
    """Lays a flat polygon of `colour` (0 to 255) on `picture` (H, W, 3) float32, in place."""
    window, mask = coverage(picture.shape, polygon, soft)
    part = picture[window]
    part += (opacity * mask)[..., None] * (np.asarray(colour, np.float32) - part)


def mould(picture: np.ndarray, polygon: np.ndarray, colour: Sequence[float] | np.ndarray, roundness: float,
          relief: float = 0.35, shadow: float = 0.0, grain: np.ndarray | None = None) -> None:
    """Lays a rounded body of `colour` (0 to 255) on `picture` (H, W, 3) float32, in place.

    Args:
        roundness: pixels from the edge over which it bends away.
        relief: how much brighter or darker the bent parts get.
        shadow: pixels that its own shadow falls to the lower right; 0 for none.
        grain: (h, w) noise about 0 to roughen it by, at least as large as the body.
    """
    if shadow > 0:
        fill(picture, polygon - np.multiply(LAMP, shadow), (25, 20, 20), 0.35, 0.6 * shadow)
    window, mask = coverage(picture.shape, polygon)
    height = cv2.GaussianBlur(mask, (0, 0), max(roundness, 0.5))
    slope = LAMP[0] * cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125) + LAMP[1] * cv2.Sobel(
        height, cv2.CV_32F, 0, 1, scale=0.125)
    light = 1 - relief * 2.5 * max(roundness, 0.5) * slope - 0.5 * relief * (1 - np.minimum(1.6 * height, 1))
    if grain is not None:
        light *= 1 + grain[:mask.shape[0], :mask.shape[1]]
    part = picture[window]
    part += mask[..., None] * (np.asarray(colour, np.float32) * light[..., None] - part)
