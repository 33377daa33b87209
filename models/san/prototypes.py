"""Prototypes: what the faces of each class have in common (Mirjalili et al. 2018, "Semi-Adversarial Networks").

A prototype is the mean of all training pictures of a class; the neutral one is the mean of the prototypes, each weighted by
the share of its class. The official program also warps the prototypes to the landmarks of each face and has never said how.
Ours: the means are taken of faces turned to one canonical place, and the affine map that brings those landmarks nearest, in
squares, to a face's own carries the prototype there.
"""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from models.warp import warp

AT_ONCE = 512  # pictures read together


def means(images: Any, labels: np.ndarray, classes: int) -> np.ndarray:
    """(classes, H, W, 3) uint8: the rounded pixel means of pictures (N, H, W, 1 or 3) uint8 by labels (N,) in 0 … classes-1.

    `images` is any array-like that takes index arrays; give it training rows only. Grey pictures give grey prototypes of
    three equal channels. Raises ValueError naming a class without a picture.
    """
    totals, counts = _totals(images, labels, classes)
    return np.repeat(np.rint(totals / counts[:, None, None, None]).astype(np.uint8), 3 // totals.shape[-1], axis=-1)


def neutral(prototypes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the mean of the prototypes (classes, H, W, 3), each weighted by its share of the labels (N,)."""
    shares = np.bincount(labels, minlength=len(prototypes)) / len(labels)
    return np.rint(np.tensordot(shares, prototypes.astype(np.float64), axes=1)).astype(np.uint8)


def _totals(images: Any, labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.asarray(labels)
    if len(labels) != len(images):
        raise ValueError(f"{len(images)} pictures come with {len(labels)} labels")
    if labels.min(initial=0) < 0 or labels.max(initial=0) >= classes:
        raise ValueError(f"labels reach from {labels.min()} to {labels.max()}, expected 0 … {classes - 1}")
    counts = np.bincount(labels, minlength=classes)
    if absent := np.flatnonzero(counts == 0).tolist():
        raise ValueError(f"no picture has label {', '.join(map(str, absent))}: a prototype is the mean of at least one")
    if images.shape[-1] not in (1, 3):
        raise ValueError(f"pictures have {images.shape[-1]} channels, expected 1 or 3")
    totals = np.zeros((classes, *images.shape[1:]))
    for rows in _blocks(len(labels)):
        pictures = np.asarray(images[rows], np.float64)
        for label in range(classes):
            totals[label] += pictures[labels[rows] == label].sum(axis=0)
    return totals, counts


def _blocks(count: int) -> Iterator[np.ndarray]:
    for start in range(0, count, AT_ONCE):
        yield np.arange(start, min(start + AT_ONCE, count))


def affine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(N, 2, 3): the maps of x, y that bring points `source` (N, P, 2) nearest to `target` (N, P, 2), in squares.

    Raises ValueError where the points of a face lie on one line, which leaves the map undetermined.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if source.shape != target.shape or source.ndim != 3 or source.shape[1] < 3 or source.shape[2] != 2:
        raise ValueError(f"landmarks are {source.shape} and {target.shape}, expected (N, P, 2) twice with 3 or more points")
    spread = np.linalg.svd(source - source.mean(axis=1, keepdims=True), compute_uv=False)
    if (spread[:, 1] < 1e-6 * np.maximum(spread[:, 0], 1e-12)).any():
        raise ValueError("the landmarks of a face lie on one line: no prototype can be laid over it")
    points = np.concatenate([source, np.ones((*source.shape[:2], 1))], axis=2)
    return np.matmul(np.linalg.pinv(points), target).swapaxes(1, 2)


def carried(pictures: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, C) uint8 through the maps (N, 2, 3) of their pixels' x, y: (N, H, W, C) uint8, edges repeated."""
    count, height, width, _ = pictures.shape
    square = np.concatenate([matrices, np.tile([[[0.0, 0.0, 1.0]]], (count, 1, 1))], axis=1)
    backwards = jnp.asarray(np.linalg.inv(square)[:, :2], jnp.float32)
    y, x = jnp.meshgrid(jnp.arange(height, dtype=jnp.float32), jnp.arange(width, dtype=jnp.float32), indexing="ij")
    places = jnp.einsum("nij,hwj->nihw", backwards, jnp.stack([x, y, jnp.ones_like(x)], axis=-1))
    moved: Array = warp(jnp.asarray(pictures, jnp.float32), places[:, 1], places[:, 0])
    return np.rint(np.asarray(moved)).astype(np.uint8)


def aligned_means(
    images: Any, labels: np.ndarray, landmarks: np.ndarray, canonical: np.ndarray, classes: int
) -> np.ndarray:
    """As `means`, of pictures that are first carried from their `landmarks` (N, P, 2) to the `canonical` ones (P, 2)."""
    turned = _Turned(images, affine(landmarks, np.broadcast_to(canonical, landmarks.shape)))
    return means(turned, labels, classes)


def laid_over(prototypes: np.ndarray, canonical: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """One prototype for each face: (N, H, W, 3) uint8, each carried from the `canonical` landmarks (P, 2) to the face's.

    Args:
        prototypes: (N, H, W, 3) or, the same for all, (H, W, 3) uint8.
        canonical: where the prototypes' landmarks lie, x, y in pixels.
        landmarks: (N, P, 2) of the faces.
    """
    each = np.broadcast_to(prototypes, (len(landmarks), *prototypes.shape[-3:]))
    return carried(each, affine(np.broadcast_to(canonical, landmarks.shape), landmarks))


class LaidOver:
    """All prototypes (K, H, W, 3) uint8 laid over each of N faces, made when they are looked at: (N, K, H, W, 3)."""

    def __init__(self, prototypes: np.ndarray, canonical: np.ndarray, landmarks: np.ndarray):
        self.prototypes, self.canonical, self.landmarks = prototypes, canonical, landmarks
        self.shape = (len(landmarks), *prototypes.shape)

    def __len__(self) -> int:
        return len(self.landmarks)

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        landmarks = self.landmarks[rows]
        return np.stack([laid_over(each, self.canonical, landmarks) for each in self.prototypes], axis=1)


class _Turned:
    """Pictures that are carried to their canonical place when they are looked at."""

    def __init__(self, images: Any, matrices: np.ndarray):
        self.images, self.matrices, self.shape = images, matrices, images.shape

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return carried(np.asarray(self.images[rows]), self.matrices[rows])
