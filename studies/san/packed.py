"""Aligned grey faces packed small enough to travel: WebP in one file, and a table of what is known of them."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from data.faceset import TABLE, FaceSet

PACKED = "pictures.npz"  # `bytes` of all files, one after the other, where each `ends`, and their `size`


def write(folder: Path, faces: np.ndarray, table: pd.DataFrame, quality: int) -> None:
    """Writes faces (N, S, S) uint8 and their N rows; landmarks are in pixels of the faces."""
    files = [cv2.imencode(".webp", face, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].ravel() for face in faces]
    folder.mkdir(parents=True, exist_ok=True)
    ends = np.cumsum([file.size for file in files])
    np.savez(folder / PACKED, bytes=np.concatenate(files), ends=ends, size=faces.shape[1])
    table.to_parquet(folder / TABLE)


def read(folder: Path, size: int) -> FaceSet:
    """The faces as (N, size, size, 1) uint8, with landmarks to match.

    Raises FileNotFoundError for a folder without them, and ValueError naming a picture that is damaged.
    """
    if not (folder / PACKED).is_file():
        raise FileNotFoundError(f"{folder} holds no {PACKED}: make it with `python -m studies.san.pictures`")
    with np.load(folder / PACKED) as stored:
        files = np.split(stored["bytes"], stored["ends"][:-1])
        side = int(stored["size"])
    table = pd.read_parquet(folder / TABLE)
    interpolation = cv2.INTER_AREA if size < side else cv2.INTER_CUBIC
    faces = np.empty((len(files), size, size, 1), np.uint8)
    for number, file in enumerate(files):
        face = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)
        if face is None:
            raise ValueError(f"{folder / PACKED}: picture {number} is damaged; make the folder again")
        faces[number, ..., 0] = cv2.resize(face, (size, size), interpolation=interpolation)
    scale = size / side
    return FaceSet(faces, table.assign(landmarks=[points * np.float32(scale) for points in table["landmarks"]]))
