"""What a classifier says of faces: pictures a batch at a time, and the columns of a table that keeps it. It needs neither DVC
nor Prefect, so studies have it on a bare machine."""

import numpy as np

from data.faceset import EXPRESSIONS
from flows.watch import Watcher
from models.fer import predict
from models.fer.networks import Network

PROBABILITIES = [f"p_{name}" for name in EXPRESSIONS]
BATCH = 4096  # pictures between two words about progress


def classify(model: Network, images: np.ndarray, mirror: bool, watch: Watcher) -> np.ndarray:
    """Probabilities (N, 7) float32 of `images` (N, H, W, C) uint8, read from the disk a batch at a time.

    With `mirror`, as the card of our own weights says, the mean over a picture and its mirror image.
    """
    found = []
    for start in range(0, len(images), BATCH):
        found.append(predict.probabilities(model, images[start : start + BATCH], mirror))
        watch.progress(min(start + BATCH, len(images)), len(images), "faces classified")
    return np.concatenate(found)
