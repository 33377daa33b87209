"""The sheet a head is painted on, facing the viewer: smooth-edged shapes, and noise to cut skin and hair from.

Pictures are painted as planes (3, H, W), so that NumPy's inner loops run along rows of pixels and not over 3 colours.
"""

from functools import lru_cache

import cv2
import numpy as np

X_RANGE = (-1.75, 1.75)
Y_RANGE = (-2.1, 2.5)
FACE_X, FACE_Y = (-1.2, 1.2), (-1.6, 2.05)  # the part of the sheet that any face with its ears stays within
DENSITY = 0.31  # canvas pixels a unit, for each pixel of the picture's side: a face is about as fine here as there
NOISE_DENSITY = 40  # pixels of noise a unit: pores and hairs are as large on small pictures as on big ones
SHARP = 0.3  # pixels; edges that are to be less soft than this are soft enough without being blurred
FRACTION = 4  # bits of sub-pixel place in OpenCV's drawing

Window = tuple[slice, slice]  # rows, columns
EVERYWHERE: Window = (slice(None), slice(None))


class Canvas:
    """Geometry of a picture of the head frame, `density` pixels a unit, at the columns `x` and rows `y`."""

    def __init__(self, density: float, x: np.ndarray, y: np.ndarray):
        self.density, self.x, self.y = density, x, y
        self.shape = (len(y), len(x))
        self.origin = np.array([x[0], y[0]], np.float64)

    def part(self, x_range: tuple[float, float], y_range: tuple[float, float]) -> tuple[Window, "Canvas"]:
        """The window of this canvas within these ranges, and the canvas that it is."""
        rows = slice(*np.searchsorted(self.y, y_range).tolist())
        columns = slice(*np.searchsorted(self.x, x_range).tolist())
        return (rows, columns), Canvas(self.density, self.x[columns], self.y[rows])

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Head-frame points (..., 2) in canvas pixels (column, row)."""
        return (points - self.origin) * self.density

    def path(self, points: np.ndarray) -> np.ndarray:
        """Head-frame points (..., N, 2) as OpenCV's drawing wants them: integers of 1 / 2**FRACTION pixel."""
        return np.rint((points - self.origin) * (self.density * (1 << FRACTION))).astype(np.int32)

    def fill(self, *polygons: np.ndarray, soft: float = 0.0) -> tuple[Window, np.ndarray]:
        """The window around closed polygons (N, 2) that do not overlap, and their coverage there in [0, 1], float32.

        `soft` is the deviation of the blur of their edges, in units of the head frame.
        """
        return self._draw(polygons, soft, 0.0)

    def stroke(self, *lines: np.ndarray, width: float, soft: float = 0.0) -> tuple[Window, np.ndarray]:
        """The window around open lines (N, 2) and their coverage. Lines thinner than a pixel are drawn fainter."""
        return self._draw(lines, soft, width)

    def _draw(self, shapes: tuple[np.ndarray, ...], soft: float, width: float) -> tuple[Window, np.ndarray]:
        sigma, thick = soft * self.density, width * self.density
        every = self.path(np.concatenate(shapes))
        left, top, wide, high = cv2.boundingRect(every)
        pad = int(3 * sigma + thick) + 2
        window = _span(top, high, pad, self.shape[0]), _span(left, wide, pad, self.shape[1])
        mask = np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start), np.uint8)
        every -= (window[1].start << FRACTION, window[0].start << FRACTION)
        paths, start = [], 0
        for shape in shapes:
            paths.append(every[start:start + len(shape)])
            start += len(shape)
        if width:
            cv2.polylines(mask, paths, False, 255 * min(1.0, thick), max(1, round(thick)), cv2.LINE_AA, FRACTION)
        else:
            cv2.fillPoly(mask, paths, 255, cv2.LINE_AA, FRACTION)
        if sigma > SHARP:
            mask = cv2.GaussianBlur(mask, (0, 0), sigma)
        return window, np.multiply(mask, np.float32(1 / 255), dtype=np.float32)

    def cut(self, noise: np.ndarray, texture: int, window: Window = EVERYWHERE) -> np.ndarray:
        """`noise` (512, 512) over a window of the canvas; `texture` chooses from where."""
        shape = len(self.y[window[0]]), len(self.x[window[1]])
        high, wide = (min(2 + round(extent * NOISE_DENSITY / self.density), 400) for extent in shape)
        top, left = texture % (512 - high), texture % 331 % (512 - wide)
        return cv2.resize(noise[top:top + high, left:left + wide], shape[::-1])


def _span(start: int, length: int, pad: int, limit: int) -> slice:
    """The pixels of an extent given in 1 / 2**FRACTION pixel, `pad` pixels wider, at least one of `limit`."""
    first = min(max((start >> FRACTION) - pad, 0), limit - 1)
    return slice(first, min(max((start + length >> FRACTION) + pad + 1, first + 1), limit))


@lru_cache(maxsize=4)
def canvas(size: int) -> Canvas:
    """The sheet of the whole head for pictures of `size` pixels."""
    density = DENSITY * size
    x, y = (np.arange(*ends, 1 / density).astype(np.float32) for ends in (X_RANGE, Y_RANGE))
    return Canvas(density, x, y)


@lru_cache(maxsize=4)
def face_canvas(size: int) -> tuple[Window, Canvas]:
    """Where in `canvas(size)` the face is, and that part as a canvas of its own."""
    return canvas(size).part(FACE_X, FACE_Y)


def lay(image: np.ndarray, window: Window, mask: np.ndarray, colour: np.ndarray | tuple[float, ...]) -> None:
    """Lays `colour`, (3,) or planes of the window, over `image` (3, H, W) float32 where `mask` is 1. In place."""
    part = image[:, *window]
    part += mask * (planes(colour) - part)


def planes(colour: np.ndarray | tuple[float, ...]) -> np.ndarray:
    """A colour (3,) as (3, 1, 1), to go with planes (3, H, W), which are left as they are; float32."""
    colour = np.asarray(colour, np.float32)
    return colour[:, None, None] if colour.ndim == 1 else colour


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
