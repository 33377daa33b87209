"""Stages `fer@base` and `fer@augmented`: train the expression classifier on the faces' training rows, the latter with made
faces among them; for as many steps, from the same seed, watched on the same validation rows.

Writes `weights.npz` (with its card, in which is the temperature that mends its probabilities on the validation faces),
`history.csv` and `curve.png` (the whole learning curve), `faces.png` (validation faces with what the network takes them for)
and `metrics.json`.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd

from data.contact_sheet import contact_sheet
from data.faceset import EXPRESSIONS, FaceSet
from data.png import write_png
from flows.sections import Mix
from flows.stage import Stage
from metrics.calibration import fit_temperature
from metrics.plots import learning_curve_picture
from models.fer import weights
from models.fer.networks import Network
from models.fer.predict import probabilities
from models.fer.recipe import Recipe
from models.fer.train import Faces, fit, with_votes
from models.training import History

PANELS = {"loss": ["train_loss", "validation_loss"], "accuracy": ["train_accuracy", "validation_accuracy"]}
SHOWN = 40  # validation faces on the preview


def run(stage: Stage) -> None:
    """Trains by the recipe in `params.fer`; raises ValueError where there is no labelled training or validation face."""
    faces = FaceSet.open(stage.inputs["faces"] / "set")
    labelled = faces.select(faces.table["label"].notna().to_numpy())
    training, validation = labelled.split("train"), labelled.split("validation")
    stage.watch.log(f"{len(training):,} faces to train on, {len(validation):,} to watch")
    shown = validation.select(np.arange(min(SHOWN, len(validation))))

    def preview(model: Network, history: History) -> dict[str, Path]:
        learning_curve_picture(pd.DataFrame(history), PANELS, stage.out / "curve.png")
        write_faces(model, shown, stage.out / "faces.png")
        return {"learning curve": stage.out / "curve.png", "validation faces": stage.out / "faces.png"}

    recipe = stage.params.fer
    if stage.item == "augmented":
        synthetic = FaceSet.open(stage.inputs["augment"] / "set")
        training, share = joined(training, synthetic, stage.params.augment.mix, stage.params.seed)
        stage.watch.log(f"{share:.1%} of {len(training):,} faces are made")
        recipe = shortened(recipe, 1 - share)  # as many steps as without them
    teachers = [teacher(Path(each), faces.images.shape[1:]) for each in recipe.teachers]
    model, outcome = fit(
        recipe,
        labels_of(training, recipe.votes),
        labels_of(validation),
        classes=len(EXPRESSIONS),
        seed=stage.params.seed,
        checkpoints=stage.checkpoints,
        watch=stage.watch,
        preview=preview,
        teachers=teachers,
    )
    figures = {name: float(value) for name, value in outcome.kept.items()}
    said = probabilities(model, validation.images, mirror=True)
    temperature = fit_temperature(validation.table["label"].to_numpy(int), said)
    card = {
        "network": recipe.network,
        "labels": list(EXPRESSIONS),
        "size": faces.images.shape[1],
        "channels": faces.images.shape[3],
        "features": stage.params.faces.features,
        "pixels": "(x / 127.5) - 1",
        "mirror": True,  # its word on a picture is the mean over the picture and its mirror image
        "temperature": temperature,  # fitted on the validation faces, by which the logarithms of that word are divided
        "sources": sorted(faces.table["source"].dropna().unique()),
        "training_faces": len(training),
        "validation_faces": len(validation),
        "seed": stage.params.seed,
        "recipe": asdict(recipe),
        "figures": figures,
    }
    weights.save(stage.out / "weights.npz", model, card)
    pd.DataFrame(outcome.history).to_csv(stage.out / "history.csv", index=False)
    (stage.out / "metrics.json").write_text(json.dumps(figures | {"temperature": temperature}, indent=2) + "\n")


def joined(training: FaceSet, synthetic: FaceSet, wanted: Mix, seed: int) -> tuple[FaceSet, float]:
    """Training faces and made ones of the makers that are wanted, and the latter's share, as near to the wanted one as there
    are faces for. Raises ValueError where there are none of those makers."""
    makers = synthetic.table["maker"].to_numpy(str)
    by_singan = np.array(["singan" in maker for maker in makers], bool)
    rows = np.flatnonzero({"all": np.ones_like(by_singan), "singan": by_singan, "ganimation": ~by_singan}[wanted.makers])
    if not len(rows):
        raise ValueError(f"augment.mix.makers is {wanted.makers}, but artifacts/augment/set has only faces by "
                         f"{', '.join(sorted(set(makers)))}")
    most = round(len(training) * wanted.share / (1 - wanted.share))
    chosen = np.sort(np.random.default_rng(seed).permutation(rows)[:most])
    return FaceSet.join([training, synthetic.select(chosen)]), len(chosen) / (len(training) + len(chosen))


def shortened(recipe: Recipe, share: float) -> Recipe:
    """The recipe with that share of its epochs; of two phases each."""
    epochs = max(1, round(recipe.epochs * share))
    if recipe.finetune is None:
        return replace(recipe, epochs=epochs)
    head = max(1, round(recipe.finetune.head_epochs * share))
    return replace(recipe, epochs=max(epochs, head + 1), finetune=replace(recipe.finetune, head_epochs=head))


def teacher(path: Path, shape: tuple[int, int, int]) -> Network:
    """The classifier in `path`; raises ValueError where it does not take pictures of `shape` or says other classes."""
    network, card = weights.load(path)
    takes = (card["size"], card["size"], card["channels"])
    if takes != shape:
        raise ValueError(f"fer.teachers: {path} takes pictures {takes}, the faces are {shape}: set faces.size to match")
    if tuple(card["labels"]) != EXPRESSIONS:
        raise ValueError(f"fer.teachers: {path} tells {', '.join(card['labels'])}, expected {', '.join(EXPRESSIONS)}")
    return network


def labels_of(faces: FaceSet, voted: float = 0.0) -> Faces:
    """The pictures, still on disk, and their labels (N,) int32; or, with a share `voted` of people's votes, shares (N, 7).

    Nobody votes on made faces: theirs is all for what they were made to show. Raises ValueError where a share is wanted and
    another face has no votes.
    """
    labels = faces.table["label"].to_numpy(np.int32)
    if not voted:
        return Faces(faces.images, labels)
    unvoted, made = faces.table["votes"].isna(), faces.table["maker"].notna()
    without = int((unvoted & ~made).sum())
    if without:
        raise ValueError(f"fer.votes is {voted}, but {without:,} of {len(faces):,} faces have no votes: "
                         "set it to 0, or data to ferplus")  # fmt: skip
    sure = np.eye(len(EXPRESSIONS))
    votes = np.stack([sure[label] if lacks else each for label, each, lacks in zip(labels, faces.table["votes"], unvoted)])
    return Faces(faces.images, with_votes(labels, votes, voted))


def write_faces(model: Network, faces: FaceSet, path: Path) -> None:
    """The first validation faces under what the network takes them for, with the truth where it differs."""
    chosen = probabilities(model, faces.images).argmax(axis=1)
    titles = [
        EXPRESSIONS[guess] if guess == truth else f"{EXPRESSIONS[guess]} ({EXPRESSIONS[truth]})"
        for guess, truth in zip(chosen, faces.table["label"])
    ]
    write_png(path, contact_sheet(np.asarray(faces.images[:]), labels=titles))
