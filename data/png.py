"""Writing a picture as PNG, whole or not at all."""

from pathlib import Path

import cv2
import numpy as np

ORDER = {1: None, 3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}  # from ours to OpenCV's, by channels


def write_png(path: Path, picture: np.ndarray) -> None:
    """Writes (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA uint8; raises OSError where the disk is full.

    cv2.imwrite would say nothing of it.
    """
    order = ORDER[picture.shape[2]]
    _, encoded = cv2.imencode(".png", picture if order is None else cv2.cvtColor(picture, order))
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(encoded)
    beside.replace(path)
