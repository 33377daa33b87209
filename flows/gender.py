"""Stage `gender`: trains the classifiers of the attribute that SAN hides (`san.attribute`), and of the one that it keeps.

`gender@paper` is the one from which SAN learns to hide. `gender@port` and `gender@mini_xception`, of other networks and
seeds, it never sees: they judge it. `gender@kept` reads the other attribute, and SAN learns to leave what it says; where
the faces do not tell that one, its weights are empty. Writes `weights.npz`, `history.csv`, `curve.png` and `metrics.json`.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from data.faceset import FaceSet
from flows.attribute import CLASSES, OTHER, labels_of, telling
from flows.grey import grey
from flows.stage import Stage
from metrics.plots import learning_curve_picture
from models import weights_file
from models.fer import weights as fer_weights
from models.fer.recipe import Recipe
from models.fer.train import Faces
from models.fer.train import fit as fit_mini_xception
from models.san import weights as san_weights
from models.san.classify import fit_classifier
from models.san.judges import Judge, said
from models.san.recipe import ClassifierRecipe
from models.training import Outcome

NETWORKS = {"paper": "paper", "port": "port", "mini_xception": "mini_xception", "kept": "mini_xception"}
PANELS = {"loss": ["train_loss", "validation_loss"], "accuracy": ["train_accuracy", "validation_accuracy"]}
MOMENTUM = 0.9  # of mini-Xception's running statistics, in trainings of a few hundred steps
NOTHING = "nothing"  # the network of an empty file


def run(stage: Stage) -> None:
    """Trains; raises ValueError where the faces do not tell the attribute, or a class of it has no training face."""
    hidden = stage.params.san.attribute
    attribute = OTHER[hidden] if stage.item == "kept" else hidden
    faces = FaceSet.open(stage.inputs["faces"] / "set")
    if stage.item == "kept" and faces.table[attribute].isna().all():
        stage.watch.log(f"the faces do not tell their {attribute}: nothing is kept")
        write_nothing(stage)
        return
    known = telling(faces, attribute)
    training, validation = (
        (grey(part.images), labels_of(part, attribute)) for part in (known.split("train"), known.split("validation"))
    )
    stage.watch.log(f"{attribute}: {len(training[1]):,} faces to train on, {len(validation[1]):,} to watch")

    def preview(network: Judge, history: list[dict[str, float]]) -> dict[str, Path]:
        learning_curve_picture(pd.DataFrame(history), PANELS, stage.out / "curve.png")
        return {"learning curve": stage.out / "curve.png"}

    kind, recipe = NETWORKS[stage.item], stage.params.san.classifier
    seed = stage.params.seed + list(NETWORKS).index(stage.item)
    card = {"network": kind, "labels": list(CLASSES[attribute]), "size": faces.images.shape[1], "channels": 1,
            "attribute": attribute, "seed": seed, "recipe": asdict(recipe)}  # fmt: skip
    options = {"classes": len(CLASSES[attribute]), "seed": seed, "checkpoints": stage.checkpoints, "watch": stage.watch}
    if kind == "mini_xception":
        parts = Faces(*training), Faces(*validation)
        network, outcome = fit_mini_xception(like(recipe), *parts, preview=preview, momentum=MOMENTUM, **options)
        save = fer_weights.save
    else:

        def examine(network: Judge) -> dict[str, float]:
            return read_by(network, *validation)

        network, outcome = fit_classifier(kind, recipe, *training, examine=examine, preview=preview, **options)
        save = san_weights.save
    figures = {name: float(value) for name, value in outcome.kept.items()}
    save(stage.out / "weights.npz", network, card | {"figures": figures})
    write_figures(stage, outcome, figures)


def like(recipe: ClassifierRecipe) -> Recipe:
    """mini-Xception's recipe with the numbers that the other classifiers have."""
    return Recipe(
        network="mini_xception", epochs=recipe.epochs, batch_size=recipe.batch_size, optimizer="adam",
        learning_rate=3 * recipe.learning_rate, warmup=0.05, weight_decay=0.0005, label_smoothing=0.0, ema=0.9,
        augment=recipe.augment, mixup=0.0, teachers=(), distil=0.0, temperature=1.0, select="last",
    )  # fmt: skip


def read_by(network: Judge, images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Loss and accuracy on pictures (N, H, W, 1) uint8 of classes (N,)."""
    logits = said(network, images)
    logits = logits - logits.max(axis=1, keepdims=True)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    own = np.clip(chances[np.arange(len(labels)), labels], 1e-7, None)
    right = chances.argmax(axis=1) == labels
    return {"validation_loss": float(-np.log(own).mean()), "validation_accuracy": float(right.mean())}


def write_figures(stage: Stage, outcome: Outcome, figures: dict[str, float]) -> None:
    pd.DataFrame(outcome.history).to_csv(stage.out / "history.csv", index=False)
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def write_nothing(stage: Stage) -> None:
    """The files of a classifier that there is no need of."""
    empty = pd.DataFrame(columns=["epoch", *(column for panel in PANELS.values() for column in panel)], dtype=float)
    weights_file.write(stage.out / "weights.npz", {}, {"network": NOTHING})
    learning_curve_picture(empty, PANELS, stage.out / "curve.png")
    empty.to_csv(stage.out / "history.csv", index=False)
    (stage.out / "metrics.json").write_text("{}\n")
