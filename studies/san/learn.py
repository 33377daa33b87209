"""The networks of the study of SAN on real faces: whom SAN learns to deceive and to please, its judges, and SAN itself.

SAN learns from two classifiers of the official program's, of which one sees the faces at 64 pixels, and from
`matcher@common`. The Keras port's classifier, the published mini-Xception and `matcher@unseen`, of another network and
other people, judge it.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from data.faceset import FaceSet
from flows.attribute import Prototypes, labels_of, landmarks_of
from models.face_matcher import train as matcher_training
from models.fer import weights as fer_weights
from models.san.autoencoder import Autoencoder
from models.san.classify import fit_classifier
from models.san.judges import Judge, seen_by
from models.san.prototypes import aligned_means, neutral
from models.san.recipe import ClassifierRecipe, Recipe
from models.san.train import fit
from studies.lines import Lines

CLASSES = 2
SMALL = 64  # pixels a side, as the published judge sees faces
MATCHED = 96  # pixels a side that matchers see
MATCHERS = {"common": "convolutions", "unseen": "mini_xception"}
RECIPE = Recipe(
    objective="paper", encoder=(8, 12), decoder=(256, 128), enlarge=False, first_epochs=3, epochs=7, batch_size=32,
    learning_rate=2e-3, ema=0.98, pixel=8.0, attribute=1.0, identity=8.0, identity_of="both", keep=0.0, augment="light",
)  # fmt: skip
CLASSIFIER = ClassifierRecipe(epochs=10, batch_size=64, learning_rate=5e-4, augment="light")
MATCHER = matcher_training.Recipe(epochs=40, batch_size=64, learning_rate=2e-3, margin=0.2, scale=20.0, ema=0.99)


def quietly(checkpoints: Path) -> dict:
    """How a training is looked at that is measured at its end only."""
    watch = {"watch": Lines(f"  {checkpoints.name}: ", 500), "checkpoints": checkpoints}
    return watch | {"examine": lambda network: {}, "preview": lambda network, history: {}}


def classifier(kind: str, training: FaceSet, size: int, epochs: int, seed: int, checkpoints: Path) -> Judge:
    """A gender classifier ("paper" or "port") that sees faces of `size` pixels a side."""
    network, _ = fit_classifier(
        kind, replace(CLASSIFIER, epochs=epochs), resized(training.images, size), labels_of(training, "gender"),
        classes=CLASSES, seed=seed, **quietly(checkpoints),
    )  # fmt: skip
    return seen_by(network, size, low=0.0)


def published(path: Path, border: float) -> Judge:
    """The published gender network, which learnt from faces with more around them: it sees ours with their edge
    repeated by a share `border` of their side on each side."""
    network, card = fer_weights.load(path)
    judge = seen_by(network, card["size"])

    def see(pictures: jax.Array) -> jax.Array:
        edge = round(border * pictures.shape[1])
        return judge(jnp.pad(pictures, ((0, 0), (edge, edge), (edge, edge), (0, 0)), mode="edge"))

    return see


def matcher(name: str, known: FaceSet, strangers: FaceSet, epochs: int, seed: int, checkpoints: Path) -> Judge:
    """The matcher `name`, of people `known`; each of the `strangers`, with one picture each, counts as one more."""
    size = min(MATCHED, known.images.shape[1])
    faces = np.concatenate([resized(known.images, size), resized(strangers.images, size)])
    subjects = np.unique(known.table["subject"].to_numpy(str), return_inverse=True)[1]
    subjects = np.concatenate([subjects, subjects.max() + 1 + np.arange(len(strangers))])
    network, _ = matcher_training.fit(
        replace(MATCHER, epochs=epochs), faces, subjects, dimensions=128, seed=seed, kind=MATCHERS[name],
        **quietly(checkpoints),
    )  # fmt: skip
    return seen_by(network, size)


def prototypes_of(training: FaceSet) -> Prototypes:
    """Those of the training faces, as stage `prototypes` makes them with `san.aligned`."""
    labels, landmarks = labels_of(training, "gender"), landmarks_of(training)
    canonical = landmarks.mean(axis=0)
    classes = aligned_means(training.images, labels, landmarks, canonical, CLASSES)
    return Prototypes(classes, neutral(classes, labels), canonical)


def san(
    recipe: Recipe, training: FaceSet, laid: np.ndarray, classifiers: list[Judge], matchers: list[Judge], seed: int,
    checkpoints: Path, first: Path | None = None,
) -> Autoencoder:
    """SAN by `recipe`; with `first`, the checkpoints of another with the same first part, it goes on from there."""
    if first and not checkpoints.exists():
        shutil.copytree(first / "first", checkpoints / "first")
    network, _ = fit(
        recipe, training.images, labels_of(training, "gender"), laid, classifiers, matchers, seed=seed,
        **quietly(checkpoints),
    )  # fmt: skip
    return network


def resized(images: np.ndarray, size: int) -> np.ndarray:
    """(N, S, S, 1) uint8 -> (N, size, size, 1)."""
    if images.shape[1] == size:
        return np.asarray(images[:])
    return np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images[:]])[..., None]
