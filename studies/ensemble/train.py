"""One expression classifier of an ensemble, or a pupil of it, on FER-2013, where there is no more than JAX.

    python -m studies.ensemble.train SET OUT --network vgg --epochs 120 [--seed 1] [--votes fer2013new.csv]
    python -m studies.ensemble.train SET OUT --network mini_xception --size 64 --epochs 120 --teachers A.npz B.npz

SET is the face set that the stage `ingest` makes of FER-2013, its validation rows carved off Training. With `--votes`,
half of what is learnt is what FER-2013's own labellers would have said of a picture of which FER+'s ten people say
this (`studies.ensemble.votes`). OUT gets weights.npz, history.csv and words.npz: what the network says of each
validation and PublicTest row, as it is, mirrored, and in ten crops. Run again after a kill it goes on where it
stopped. It needs neither DVC nor Prefect, so an accelerator's bare machine will do.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import cv2
import jax
import numpy as np
import pandas as pd
from jax import Array

from data.faceset import EXPRESSIONS, FaceSet
from flows.watch import Terminal
from models.fer import weights
from models.fer.networks import Network
from models.fer.predict import probabilities
from models.fer.recipe import Recipe
from models.fer.train import Faces, fit, with_votes
from studies.ensemble.votes import as_labelled
from studies.unfinished import hashed, unfinished, which

HELD_OUT = ("validation", "public_test")
VIEWS = {"plain": {}, "mirrored": {"mirror": True}, "ten_crops": {"crops": True}}  # ways to look at a picture
VOTED = 0.5  # share of the votes in what is learnt


def recipe(network: str, epochs: int, taught: bool) -> Recipe:
    """Large networks: the usual SGD of CIFAR-sized pictures, its decay of 5e-4 decoupled (ten times as large beside a
    momentum of 0.9). mini-Xception: that of the released weights."""
    if network == "mini_xception":
        return Recipe(network, epochs, 128, "adam", 0.004, 0.05, 0.0005, 0.05, 0.999, "light", 0.0, (),
                      0.8 if taught else 0.0, 2.0, "last")  # fmt: skip
    return Recipe(network, epochs, 128, "sgd", 0.05, 0.05, 0.005, 0.1, 0.999, "strong", 0.2, (),
                  0.7 if taught else 0.0, 2.0, "last")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--network", required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--votes", type=Path, help="FER+'s fer2013new.csv")
    parser.add_argument("--teachers", type=Path, nargs="*", default=[], help="weights.npz of trained networks")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    watch = Terminal(options.out.name)

    faces = FaceSet.open(options.set)
    training, validation = faces.split("train"), faces.split("validation")
    labels = training.table["label"].to_numpy(np.int32)
    if options.votes:
        labels = with_votes(labels, as_labelled(options.votes, training.table), VOTED)
    chosen = recipe(options.network, options.epochs, bool(options.teachers))
    model, outcome = fit(
        chosen,
        Faces(resized(training.images, options.size), labels),
        Faces(resized(validation.images, options.size), validation.table["label"].to_numpy(np.int32)),
        classes=len(EXPRESSIONS),
        seed=options.seed,
        checkpoints=unfinished(
            f"ensemble/{options.out.name}", chosen, options.size, options.seed, bool(options.votes), which(faces),
            [hashed(each.read_bytes()) for each in options.teachers],
        ),
        watch=watch,
        preview=lambda model, history: {},
        teachers=[at_own_size(*weights.load(each)) for each in options.teachers],
    )
    card = {
        "network": options.network, "labels": list(EXPRESSIONS), "size": options.size, "channels": 1, "features": "none",
        "pixels": "(x / 127.5) - 1", "mirror": True, "sources": sorted(faces.table["source"].unique()),
        "training_faces": len(training), "validation_faces": len(validation), "seed": options.seed,
        "recipe": asdict(chosen), "figures": {name: float(value) for name, value in outcome.kept.items()},
        "votes": VOTED if options.votes else 0.0, "teachers": [each.parent.name for each in options.teachers],
    }  # fmt: skip
    weights.save(options.out / "weights.npz", model, card)
    pd.DataFrame(outcome.history).to_csv(options.out / "history.csv", index=False)
    words = {}
    for split in HELD_OUT:
        pictures = resized(faces.split(split).images, options.size)
        words |= {f"{split}/{view}": probabilities(model, pictures, **look) for view, look in VIEWS.items()}
    np.savez(options.out / "words.npz", **words)
    for split in HELD_OUT:
        labels = faces.split(split).table["label"].to_numpy(int)
        right = {view: f"{(words[f'{split}/{view}'].argmax(axis=1) == labels).mean():.2%}" for view in VIEWS}
        watch.log(f"{split}: {right}")


def resized(images: np.ndarray, size: int) -> np.ndarray:
    """(N, R, R, 1) uint8 -> (N, size, size, 1), bilinear."""
    if images.shape[1] == size:
        return np.asarray(images[:])
    return np.stack([cv2.resize(each, (size, size)) for each in images])[..., None]


def at_own_size(network: Network, card: dict) -> Callable[[Array], Array]:
    """`network` for pictures of any size: it gets them bilinearly resized to its own."""
    side = card["size"]

    def words(images: Array) -> Array:
        n, h, _, c = images.shape
        return network(images if h == side else jax.image.resize(images, (n, side, side, c), "bilinear", antialias=False))

    return words


if __name__ == "__main__":
    sys.exit(main())
