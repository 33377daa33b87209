"""The sheet a head is painted on, facing the viewer: smooth-edged shapes, and noise to cut skin and hair from."""

from functools import lru_cache

import cv2
import numpy as np

X_RANGE = (-1.75, 1.75)
Y_RANGE = (-2.1, 2.5)
DENSITY = 0.31  # canvas pixels a unit, for each pixel of the picture's side: a face is about as fine here as there
FRACTION = 4  # bits of sub-pixel place in OpenCV's drawing

Window = tuple[slice, slice]  # rows, columns
EVERYWHERE: Window = (slice(None), slice(None))


class Canvas:
    """Geometry of the head frame's picture for pictures of `size` pixels; holds no pixels itself."""

    def __init__(self, size: int):
        self.density = DENSITY * size
        self.x = np.arange(X_RANGE[0], X_RANGE[1], 1 / self.density).astype(np.float32)
        self.y = np.arange(Y_RANGE[0], Y_RANGE[1], 1 / self.density).astype(np.float32)
        self.shape = (len(self.y), len(self.x))

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Head-frame points (N, 2) in canvas pixels (column, row)."""
        return (points - (X_RANGE[0], Y_RANGE[0])) * self.density

    def path(self, points: np.ndarray) -> np.ndarray:
        """Head-frame points (..., N, 2) as OpenCV's drawing wants them: integers of 1 / 2**FRACTION pixel."""
        return np.rint(self.pixels(points) * (1 << FRACTION)).astype(np.int32)

    def fill(self, polygon: np.ndarray, soft: float = 0.0) -> tuple[Window, np.ndarray]:
        """The window around a closed polygon (N, 2) and its coverage there, float32 in [0, 1], blurred by `soft`."""
        return self._draw(polygon, soft, 0.0)

    def stroke(self, line: np.ndarray, width: float, soft: float = 0.0) -> tuple[Window, np.ndarray]:
        """The window around an open line (N, 2) and its coverage. Lines thinner than a pixel are drawn fainter."""
        return self._draw(line, soft, width)

    def _draw(self, points: np.ndarray, soft: float, width: float) -> tuple[Window, np.ndarray]:
        path, sigma, thick = self.path(points), soft * self.density, width * self.density
        left, top, wide, high = cv2.boundingRect(path)
        pad = int(3 * sigma + thick) + 2
        window = _span(top, high, pad, self.shape[0]), _span(left, wide, pad, self.shape[1])
        mask = np.zeros([span.stop - span.start for span in window], np.uint8)
        path -= np.array([window[1].start, window[0].start], np.int32) << FRACTION
        if width:
            cv2.polylines(mask, [path], False, 255 * min(1.0, thick), max(1, round(thick)), cv2.LINE_AA, FRACTION)
        else:
            cv2.fillPoly(mask, [path], 255, cv2.LINE_AA, FRACTION)
        if sigma > 0.2:
            mask = cv2.GaussianBlur(mask, (0, 0), sigma)
        return window, mask.astype(np.float32) * np.float32(1 / 255)


def _span(start: int, length: int, pad: int, limit: int) -> slice:
    """The pixels of an extent given in 1 / 2**FRACTION pixel, `pad` pixels wider, at least one of `limit`."""
    first = min(max((start >> FRACTION) - pad, 0), limit - 1)
    return slice(first, min(max((start + length >> FRACTION) + pad + 1, first + 1), limit))


@lru_cache(maxsize=4)
def canvas(size: int) -> Canvas:
    return Canvas(size)


def lay(image: np.ndarray, window: Window, mask: np.ndarray, colour: np.ndarray | tuple[float, ...]) -> None:
    """Lays `colour`, one or a picture of the window, over `image` (H, W, 3) float32 where `mask` is 1. In place."""
    part = image[window]
    part += mask[..., None] * (np.asarray(colour, np.float32) - part)


@lru_cache(maxsize=1)
def grain() -> np.ndarray:
    """(512, 512) float32 noise of mean 0 and deviation 1, pores, blotches, curls."""
    noise = np.random.default_rng(7).standard_normal((512, 512), dtype=np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), 1.0, borderType=cv2.BORDER_REFLECT)
    coarse = cv2.GaussianBlur(noise, (0, 0), 7.0, borderType=cv2.BORDER_REFLECT)
    return (0.75 * fine / fine.std() + 0.65 * coarse / coarse.std()).astype(np.float32)


@lru_cache(maxsize=1)
def strands() -> np.ndarray:
    """(512, 512) float32 noise of mean 0 and deviation 1, long in y and fine in x: hair lying along y."""
    noise = np.random.default_rng(8).standard_normal((512, 512), dtype=np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), sigmaX=1.2, sigmaY=40)
    locks = cv2.GaussianBlur(noise, (0, 0), sigmaX=5.0, sigmaY=70)
    return (0.6 * fine / fine.std() + 0.8 * locks / locks.std()).astype(np.float32)
