"""A small film: three empty frames, then a drawn face that walks out of the picture to the left."""

from pathlib import Path

import cv2
import numpy as np

from data.synthetic import draw

SIDE = 110  # of the face's picture in pixels
HEIGHT, WIDTH = 240, 320
EMPTY = 3  # first frames, which show nobody
LENGTH = 18
RATE = 25


def face() -> np.ndarray:
    """(SIDE, SIDE, 3) uint8 BGR."""
    picture, _ = next(iter(draw(0, 1, SIDE)))
    return np.ascontiguousarray(picture[..., ::-1])


def frames(face: np.ndarray) -> list[np.ndarray]:
    """LENGTH frames (HEIGHT, WIDTH, 3) uint8 BGR; the face moves 12 pixels a frame."""
    frames = []
    for number in range(LENGTH):
        frame = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
        left = 150 - 12 * (number - EMPTY)
        if number >= EMPTY:
            frame[60 : 60 + SIDE, max(left, 0) : left + SIDE] = face[:, max(-left, 0) :]
        frames.append(frame)
    return frames


def write(path: Path, frames: list[np.ndarray]) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), RATE, (WIDTH, HEIGHT))
    for frame in frames:
        writer.write(frame)
    writer.release()
