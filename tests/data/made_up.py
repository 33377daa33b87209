"""Small made-up data in the layouts that publishers use, packed and broken as downloads are."""

import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np

PACKINGS = ("", ".zip", ".tar.gz")


def put(folder: Path, name: str, shape: tuple[int, ...] = (24, 20, 3), seed: int = 0) -> np.ndarray:
    """Writes a picture that says by its noise which it is, and returns it, RGB or grey (exact unless it is a JPEG)."""
    image = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image[..., ::-1] if image.ndim == 3 else image)
    return image


def text(folder: Path, name: str, content: str) -> Path:
    """Writes a text file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def pack(folder: Path, packing: str) -> Path:
    """The folder as an archive beside it, or itself where `packing` is empty."""
    packed = folder.with_name(folder.name + packing)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if packing == ".zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.relative_to(folder.parent))
    elif packing == ".tar.gz":
        with tarfile.open(packed, "w:gz") as archive:
            for path in files:
                archive.add(path, path.relative_to(folder.parent))
    return packed


def cut(path: Path, kept: float = 0.6) -> Path:
    """Leaves the first part of a file, as a download that broke off."""
    data = path.read_bytes()
    path.write_bytes(data[:int(len(data) * kept)])
    return path
