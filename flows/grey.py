"""Coloured pictures as grey ones, made when they are looked at."""

from typing import Any

import cv2
import numpy as np


class Grey:
    """Pictures (N, H, W, 3) uint8 as grey ones (N, H, W, 1), made when they are looked at."""

    def __init__(self, images: Any):
        self.images, self.dtype, self.ndim = images, images.dtype, 4
        self.shape = (*images.shape[:3], 1)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        chosen = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in np.asarray(self.images[rows])]
        return np.stack(chosen)[..., None] if chosen else np.zeros((0, *self.shape[1:]), np.uint8)


def grey(images: Any) -> Any:
    """Pictures (N, H, W, C) uint8 as grey ones; grey pictures are what they were."""
    return images if images.shape[3] == 1 else Grey(images)
