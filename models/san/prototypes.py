"""Prototypes: the mean face of each kind, and the neutral one between them (Mirjalili et al. 2018, section 3.1).

The authors bend theirs to each face's landmarks and never said how. Ours are means of upright faces, cut alike, so that eyes
and mouth lie where those of any face do; nothing is bent.
"""

from typing import Any

import numpy as np

BATCH = 1024


def prototypes(images: Any, labels: np.ndarray, kinds: int = 2) -> np.ndarray:
    """Faces (N, H, W, C) uint8, C 1 or 3, and labels (N,) -> (kinds + 1, H, W, 3) uint8: each kind's mean, and the neutral.

    The neutral one is the mean of them all, which is the kinds' mean weighted by how many faces each has.
    Raises ValueError, naming it, for a kind without a face.
    """
    height, width, channels = images.shape[1:]
    sums = np.zeros((kinds, height, width, channels))
    for start in range(0, len(labels), BATCH):
        part, told = np.asarray(images[start : start + BATCH], np.float64), labels[start : start + BATCH]
        for kind in range(kinds):
            sums[kind] += part[told == kind].sum(axis=0)
    counts = np.bincount(labels, minlength=kinds)
    if not counts.all():
        raise ValueError(f"no face of kind {int(np.argmin(counts))} among {len(labels)}: a prototype needs at least one of each")
    means = np.concatenate([sums / counts[:, None, None, None], sums.sum(axis=0, keepdims=True) / counts.sum()])
    return np.rint(np.broadcast_to(means, (*means.shape[:3], 3))).astype(np.uint8)
