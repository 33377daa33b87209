"""What a classifier goes by, to look at: where in a face it sees its class (Grad-CAM), and its worst mistakes.

One row a class, which the white tile at its left names.
"""

from pathlib import Path

import cv2
import numpy as np

from data.contact_sheet import PAPER, contact_sheet
from data.faceset import EXPRESSIONS, FaceSet
from data.png import write_png
from models.fer.explain import grad_cam, parts
from models.fer.networks import Network

EXPLAINED = 4  # faces of a class, each beside itself under its heat
MISTAKES = 8  # of a class
HEATS = cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_INFERNO)[:, 0, ::-1]  # RGB, from cold to hot
STRENGTH = 0.6  # of the colour where the heat is 1; where it is 0 the face stays as it is

Row = tuple[np.ndarray, list[str]]  # pictures (k, H, W, 3) uint8 and their captions


def write_grad_cam(model: Network, faces: FaceSet, probabilities: np.ndarray, seed: int, path: Path) -> None:
    """Up to EXPLAINED faces of each class that were read rightly, drawn by `seed`, with what `probabilities` (N, 7) say, and
    beside each what speaks for its class. The heat is that of the picture, not of its mirror image too."""
    labels, draw = faces.table["label"].to_numpy(int), np.random.default_rng(seed)
    right = probabilities.argmax(axis=1) == labels
    chosen = [draw.permutation(np.flatnonzero(right & (labels == k)))[:EXPLAINED] for k in range(len(EXPRESSIONS))]
    every = np.concatenate(chosen)
    images = np.asarray(faces.select(every).images[:])
    heat = grad_cam(images, labels[every], *parts(model)) if len(every) else np.zeros(images.shape[:3])
    plain = _coloured(images)
    pairs = np.stack([plain, heated(plain, heat)], axis=1)
    rows = []
    for number in range(len(EXPRESSIONS)):
        own = labels[every] == number
        captions = [word for row in every[own] for word in (f"{probabilities[row, number]:.2f}", "")]
        rows.append((pairs[own].reshape(-1, *plain.shape[1:]), captions))
    _write(rows, 2 * EXPLAINED, path)


def write_mistakes(faces: FaceSet, probabilities: np.ndarray, path: Path) -> None:
    """Up to MISTAKES faces of each class that were read as another one, those first of which `probabilities` (N, 7) were the
    surest, with that class and its probability."""
    labels = faces.table["label"].to_numpy(int)
    called, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    worst = np.argsort(-sure, kind="stable")
    rows = []
    for number in range(len(EXPRESSIONS)):
        chosen = worst[((labels == number) & (called != number))[worst]][:MISTAKES]
        captions = [f"{EXPRESSIONS[called[row]]} {sure[row]:.2f}" for row in chosen]
        rows.append((_coloured(np.asarray(faces.select(chosen).images[:])), captions))
    _write(rows, MISTAKES, path)


def heated(pictures: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, 3) uint8 under `heat` (N, H, W) in [0, 1]: the hotter, the brighter and denser its colour,
    which of one hue alone would not show where it is hottest."""
    share = STRENGTH * heat[..., None]
    return np.rint((1 - share) * pictures + share * HEATS[np.rint(255 * heat).astype(np.uint8)]).astype(np.uint8)


def _coloured(images: np.ndarray) -> np.ndarray:
    """(N, H, W, 1 or 3) as (N, H, W, 3)."""
    return np.broadcast_to(images, (*images.shape[:3], 3))


def _write(rows: list[Row], columns: int, path: Path) -> None:
    """A row for each class, filled up with white to `columns` pictures; one without any says so."""
    tiles, captions = [], []
    for name, (pictures, words) in zip(EXPRESSIONS, rows, strict=True):
        words, missing = words or ["none"], columns - len(pictures)
        white = np.full((1 + missing, *pictures.shape[1:]), PAPER, np.uint8)
        tiles += [white[:1], pictures, white[1:]]
        captions += [name, *words, *[""] * (columns - len(words))]
    write_png(path, contact_sheet(np.concatenate(tiles), 1 + columns, captions))
