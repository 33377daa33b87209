"""One arm of the study: mini-Xception on few pictures, alone or with made ones among them, in as many steps.

    python -m studies.augmentation.train ARM N DRAW SEED

Arms: `none` (the rows as they are), `classical` (turned, shifted, mirrored, lit anew at every look), `oversampled`
(that, and every class seen as often as any other), `ganimation` and `singanimation` (classical, and SHARE of what is seen was
made, as much of each class as of any other). Writes `results/N-DRAW/ARM-SEED/`: what the network says of every
validation and PublicTest row, its weights and its history.
"""

import os
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd

from data.faceset import EXPRESSIONS, FaceSet
from flows import environment
from flows.fer import labels_of
from flows.predictions import PROBABILITIES, classify
from flows.watch import Terminal, Watch
from models.fer import weights
from models.fer.recipe import Recipe
from models.fer.train import fit
from studies.augmentation.subset import RESULTS
from studies.unfinished import unfinished, which

MADE = ("ganimation", "singanimation")  # arms that take made faces
ARMS = ("none", "classical", "oversampled", *MADE)
STEPS, LOOKS = 1000, 4  # and how often validation is looked at; nothing is chosen by it in a training
RECIPE = Recipe(
    network="mini_xception", epochs=LOOKS, batch_size=32, optimizer="adam", learning_rate=0.003, warmup=0.05,
    weight_decay=5e-4, label_smoothing=0.05, ema=0.99, augment="light", mixup=0.0, teachers=(), distil=0.0,
    temperature=1.0, select="last",
)  # fmt: skip
SHARE = 0.3  # of the rows seen that were made


def main(arm: str, count: int, draw: int, seed: int, results: Path = RESULTS) -> None:
    """Trains one network and writes `results/N-DRAW/ARM-SEED`; does nothing where that is there.

    Raises ValueError for other arms.
    """
    if arm not in ARMS:
        raise ValueError(f"no arm is called {arm!r}; there are {', '.join(ARMS)}")
    folder = results / f"{count}-{draw}"
    out = folder / f"{arm}-{seed}"
    if out.exists():
        return
    watch = Watch(Terminal(f"{count}-{draw}/{out.name}"))
    faces = FaceSet.open(folder / "faces" / "set")
    seen = learnt(faces.split("train"), made_faces(folder, arm), arm, STEPS * RECIPE.batch_size // LOOKS, seed)
    watch.log(f"{seen.table['id'].nunique():,} pictures, {seen.table['maker'].notna().mean():.0%} of those seen made")
    recipe = RECIPE if arm != "none" else replace(RECIPE, augment="none")
    checkpoints = unfinished(f"augmentation/{folder.name}/{out.name}", recipe, which(seen))
    model, outcome = fit(
        recipe, labels_of(seen), labels_of(faces.split("validation")), classes=len(EXPRESSIONS), seed=seed,
        checkpoints=checkpoints, watch=watch, preview=lambda model, history: {},
    )  # fmt: skip
    held_out = faces.select((faces.table["split"] != "train").to_numpy())
    predictions = held_out.table[["origin", "split", "label"]].reset_index(drop=True)
    predictions[PROBABILITIES] = classify(model, held_out.images, True, watch)

    partial = folder / f".{out.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    card = {"network": recipe.network, "labels": list(EXPRESSIONS), "size": faces.images.shape[1], "channels": 1,
            "mirror": True, "sources": ["fer2013"], "seed": seed, "recipe": asdict(recipe)}  # fmt: skip
    weights.save(partial / "weights.npz", model, card)
    pd.DataFrame(outcome.history).to_csv(partial / "history.csv", index=False)
    predictions.to_parquet(partial / "predictions.parquet", index=False)
    os.replace(partial, out)
    shutil.rmtree(checkpoints)


def made_faces(folder: Path, arm: str) -> FaceSet | None:
    """The made faces that an arm learns from, None for those that take none."""
    if arm not in MADE:
        return None
    made = FaceSet.open(folder / "augment" / "set")
    by_singan = made.table["maker"].str.contains("singan").to_numpy(bool)
    return made.select(by_singan if arm == "singanimation" else ~by_singan)


def learnt(training: FaceSet, made: FaceSet | None, arm: str, looks: int, seed: int) -> FaceSet:
    """The rows of one epoch, `looks` of them in every arm: each as often as another of its kind."""
    rng = np.random.default_rng(seed)
    by_class = class_rows(training)
    every = [np.arange(len(training))]
    if made is None:
        return training.select(repeated(by_class if arm == "oversampled" else every, looks, rng))
    generated = round(SHARE * looks)
    real = repeated(every, looks - generated, rng)
    return FaceSet.join([training.select(real), made.select(repeated(class_rows(made), generated, rng))])


def class_rows(faces: FaceSet) -> list[np.ndarray]:
    """The rows of each class that there is."""
    labels = faces.table["label"].to_numpy(int)
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def repeated(groups: list[np.ndarray], looks: int, rng: np.random.Generator) -> np.ndarray:
    """`looks` rows: of every group as many, and of a group each row as often as another, give or take one."""
    shares = np.full(len(groups), looks // len(groups))
    shares[: looks % len(groups)] += 1
    drawn = []
    for rows, share in zip(groups, shares):
        again, more = divmod(int(share), len(rows))
        drawn.append(np.concatenate([np.tile(rows, again), rng.permutation(rows)[:more]]))
    return np.concatenate(drawn)


if __name__ == "__main__":
    environment.enter("studies.augmentation.train", sys.argv[1:])
    main(sys.argv[1], *map(int, sys.argv[2:5]))
