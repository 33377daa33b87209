"""Copies of a picture as they go round: byte for byte, compressed again, resized, brightened, trimmed."""

import cv2
import numpy as np

from data.synthetic.raw.picture import Found, compress


def copy_of(rng: np.random.Generator, found: Found) -> Found:
    """A copy of `found`, one in three exact."""
    if rng.random() < 1 / 3:
        return found
    image, box, landmarks = found.image, found.box.copy(), found.landmarks.copy()
    kinds = rng.random(4) < (0.4, 0.35, 0.35, 0.35)
    if kinds[0]:  # trimmed by up to 3 % of width and height
        height, width = image.shape[:2]
        left, top = (int(rng.uniform(0, 0.02) * side) for side in (width, height))
        right, low = (int(rng.uniform(0, 0.01) * side) for side in (width, height))
        image = image[top:height - low, left:width - right]
        box[:2] -= left, top
        landmarks = landmarks - np.array([left, top], np.float32)
    if kinds[1]:
        scale = rng.uniform(0.6, 1.4)
        mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=mode)
        middle = 0.5 * scale - 0.5
        box = np.concatenate([box[:2] * scale + middle, box[2:] * scale])
        landmarks = landmarks * scale + middle
    if kinds[2]:
        brighter = rng.uniform(1.04, 1.12) if rng.random() < 0.5 else rng.uniform(0.9, 0.96)
        image = cv2.convertScaleAbs(image, alpha=brighter)
    if kinds[3] or not kinds.any():
        image = compress(image, int(rng.integers(45, 85)))
    return Found(image, box, landmarks)
