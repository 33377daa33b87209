"""What makes a picture useless as a whole: out of focus, shaken, enlarged from a thumbnail, or hardly anything on it.

Strengths are shares of the face's width (of the picture's side without a face), so that they are what an eye sees at
any size.
"""

import cv2
import numpy as np


def blur(rng: np.random.Generator, picture: np.ndarray, width: float) -> np.ndarray:
    """`picture` (H, W, 3) uint8 blurred beyond reading a face `width` pixels wide."""
    kind = rng.integers(3)
    if kind == 0:  # out of focus: a disc
        radius = max(2.0, rng.uniform(0.11, 0.17) * width)
        side = 2 * int(np.ceil(radius)) + 1
        y, x = np.mgrid[:side, :side] - side // 2
        disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
        return cv2.filter2D(picture, -1, disc / disc.sum())
    if kind == 1:  # the camera or the head moved: a line, a little out of focus too
        length, angle = max(5.0, rng.uniform(0.28, 0.45) * width), rng.uniform(0, np.pi)
        side = 2 * int(np.ceil(length / 2)) + 3
        line = np.zeros((side, side), np.float32)
        reach = 0.5 * length * np.array([np.cos(angle), np.sin(angle)])
        ends = np.rint((side // 2 + np.stack([-reach, reach])) * 16).astype(int)
        cv2.line(line, ends[0].tolist(), ends[1].tolist(), 1.0, 1, cv2.LINE_AA, 4)
        moved = cv2.filter2D(picture, -1, line / line.sum())
        return cv2.GaussianBlur(moved, (0, 0), max(0.8, 0.04 * width))
    pixels = rng.uniform(7, 10)  # across the face, of a thumbnail
    height, wide = picture.shape[:2]
    scale = pixels / width
    tiny = cv2.resize(picture, (max(4, round(wide * scale)), max(4, round(height * scale))),
                      interpolation=cv2.INTER_AREA)
    return cv2.resize(tiny, (wide, height), interpolation=(cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(2)])


def blank(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """A picture of the size of `picture` (H, W, 3) uint8 with almost nothing on it."""
    shape = picture.shape
    kind = rng.integers(4)
    if kind == 0:  # the picture, all but faded away
        level, contrast = rng.uniform(15, 240), rng.uniform(0.01, 0.03)
        faded = level + contrast * (picture.astype(np.float32) - picture.mean())
    else:  # black, white, or one colour, with the sensor's noise
        level = (rng.uniform(0, 10), rng.uniform(243, 254), rng.uniform(20, 235))[kind - 1]
        tint = rng.normal(0, 2.0 if kind < 3 else 18.0, 3)
        faded = np.broadcast_to((level + tint).astype(np.float32), shape)
    noise = rng.standard_normal(shape, dtype=np.float32) * np.float32(rng.uniform(0.2, 1.5))
    return np.clip(faded + noise + 0.5, 0, 255).astype(np.uint8)
