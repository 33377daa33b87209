"""Stages `stylegan@faces` and `stylegan@emoji`: a StyleGAN2 learns to draw faces, and is then trained further on emoji.

Each writes `snapshot.npz` (both networks, with their lineage), `history.csv` and `curve.png` (losses and Fréchet distance),
`grid.png` (fixed seeds; with labels a row an expression), `drift.png` (one row of that grid as the training went on) and
`metrics.json`. Only training rows are learnt from.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from flax import nnx

from data.contact_sheet import contact_sheet
from data.faceset import EXPRESSIONS, FaceSet
from data.png import write_png
from flows.generated import Seeds, classifier_maps, feature_network, pictures_of, ws_of
from flows.stage import Stage
from metrics.frechet import frechet_distance, kernel_distance
from metrics.plots import learning_curve_picture
from models.stylegan2 import snapshot
from models.stylegan2.generator import Architecture, Generator
from models.stylegan2.project import perceptual
from models.stylegan2.recipe import Recipe
from models.stylegan2.smoothness import perceptual_path_length
from models.stylegan2.train import fit
from models.training import History

GROUP = 4  # samples that share the discriminator's minibatch statistics
MEASURED = 1000  # generated and real pictures of a distance
COLUMNS, ROWS = 10, 7  # of the grid
LOOKS = 12  # at the generator during its training, evenly spread
PSI = 0.8  # how far the grid's w are drawn towards the average, as people show them
PANELS = {"loss": ["loss_d", "loss_g"], "Fréchet distance": ["frechet"]}


def run(stage: Stage) -> None:
    """Trains what `stylegan.<item>` asks for; raises ValueError where there are no pictures, or none with a label."""
    settings = stage.params.stylegan
    of_faces = stage.item == "faces"
    made_by = "faces" if of_faces else "emoji"
    images, labels = learnt_from(FaceSet.open(stage.inputs[made_by] / "portraits"), settings.architecture.labelled)
    stage.watch.log(f"{len(images):,} pictures of {images.shape[1]}×{images.shape[2]}")
    start, card = (None, {"lineage": []}) if of_faces else snapshot.load(stage.inputs["stylegan@faces"] / "snapshot.npz")
    arch = architecture(stage, images.shape[1]) if start is None else start.generator.arch
    recipe = Recipe(group=GROUP, **asdict(settings.adversarial), **asdict(getattr(settings, stage.item)))
    untrained = start.generator if start else Generator(arch, rngs=nnx.Rngs(stage.params.seed))

    features = feature_network(settings.features)
    rng = np.random.default_rng(stage.params.seed)
    real = features(np.asarray(images)[np.sort(rng.permutation(len(images))[:MEASURED])])
    seeds, shown = Seeds.many(arch, MEASURED, stage.params.seed), Seeds.rows(arch, COLUMNS, ROWS, stage.params.seed + 1)
    looks = stage.checkpoints / "looks"
    looks.mkdir(exist_ok=True)
    unfinished = stage.checkpoints / "look.npy"

    def measure(generator: Generator) -> dict[str, float]:
        made = features(pictures_of(generator, ws_of(generator, seeds)))
        return {"frechet": frechet_distance(real, made), "kernel": kernel_distance(real, made)}

    def look(generator: Generator) -> None:
        seen = [np.load(each) for each in sorted(looks.iterdir())]
        now = pictures_of(generator, ws_of(generator, shown, PSI))
        if not any(np.array_equal(now, before) for before in seen):  # a resumed run looks once more at some
            np.save(unfinished, now)
            os.replace(unfinished, looks / f"{len(seen):03d}.npy")

    def examine(generator: Generator) -> dict[str, float]:
        look(generator)
        return measure(generator)

    def preview(generator: Generator, history: History) -> dict[str, Path]:
        learning_curve_picture(pd.DataFrame(history), PANELS, stage.out / "curve.png")
        write_png(stage.out / "grid.png", grid(pictures_of(generator, ws_of(generator, shown, PSI)), labels is not None))
        return {"learning curve": stage.out / "curve.png", "generated": stage.out / "grid.png"}

    before = measure(untrained)
    look(untrained)
    rows = epoch_rows(len(images), recipe, stage.params.seed)
    pair, outcome = fit(
        recipe, arch, np.asarray(images)[rows], None if labels is None else labels[rows], seed=stage.params.seed,
        checkpoints=stage.checkpoints / "run", watch=stage.watch, examine=examine, preview=preview, start=start,
    )  # fmt: skip

    facts = {"seed": stage.params.seed, "recipe": asdict(recipe), "architecture": arch.as_dict(), "pictures": len(images)}
    lineage = snapshot.descend(tuple(card["lineage"]), facts)
    figures = {name: float(value) for name, value in outcome.kept.items()}
    figures |= {f"{name}_before": value for name, value in before.items()} | {"kimg": recipe.kimg}
    smoothness = perceptual_path_length(pair.generator, perceptual(classifier_maps()), MEASURED, stage.params.seed)
    figures["perceptual_path_length"] = smoothness
    told = {"lineage": lineage, "figures": figures, "features": settings.features}
    snapshot.save(stage.out / "snapshot.npz", pair, facts | told)
    pd.DataFrame(outcome.history).to_csv(stage.out / "history.csv", index=False)
    kept = np.arange(COLUMNS) if labels is None else np.arange(ROWS) * (COLUMNS + 1)  # a row, or one of each expression
    drift = np.concatenate([np.load(each)[kept] for each in sorted(looks.iterdir())])
    write_png(stage.out / "drift.png", contact_sheet(drift, len(kept)))
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def learnt_from(portraits: FaceSet, labelled: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Pictures and labels of the training rows; of those with a label if the networks are told it."""
    training = portraits.split("train")
    if not labelled:
        return training.images, None
    known = training.table["label"].notna().to_numpy()
    if not known.any():
        raise ValueError("stylegan.architecture.labelled is true, but no picture has an expression as its label: "
                         "set it to false")
    training = training.select(known)
    return training.images, training.table["label"].to_numpy(np.int32)


def architecture(stage: Stage, resolution: int) -> Architecture:
    """The generator that `stylegan.architecture` describes, for pictures of that resolution."""
    chosen = asdict(stage.params.stylegan.architecture)
    labels = len(EXPRESSIONS) if chosen.pop("labelled") else 0
    return Architecture(resolution=resolution, labels=labels, **chosen)


def epoch_rows(count: int, recipe: Recipe, seed: int) -> np.ndarray:
    """The rows that an epoch goes through, so many that the training is LOOKS of them, however small the set."""
    batches = max(1, round(recipe.kimg * 1000 / LOOKS / recipe.batch_size))
    return np.resize(np.random.default_rng(seed).permutation(count), batches * recipe.batch_size)


def grid(pictures: np.ndarray, labelled: bool) -> np.ndarray:
    """The pictures of `Seeds.rows` as one; with labels each row is told its expression."""
    captions = [EXPRESSIONS[row] if column == 0 else "" for row in range(ROWS) for column in range(COLUMNS)]
    return contact_sheet(pictures, COLUMNS, captions if labelled else None)
