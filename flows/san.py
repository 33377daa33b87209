"""Stage `san`: trains the semi-adversarial network that hides an attribute (`san.attribute`) and keeps the rest.

It learns to hide from `gender@paper`, to keep people as `matcher@common` (or `san.matcher`) knows them, and, where the faces
tell the other attribute, to keep that as `gender@kept` reads it. Writes `weights.npz`, `history.csv`, `curve.png`, `strip.png`
(validation faces as they are, with their own class's prototype SM, the neutral one NT and another's OP) and `metrics.json`.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from data.contact_sheet import contact_sheet
from data.faceset import FaceSet
from data.png import write_png
from flows.attribute import CLASSES, Prototypes, labels_of, telling
from flows.grey import grey
from flows.stage import Stage
from metrics.plots import learning_curve_picture
from models import weights_file
from models.san import judges, weights
from models.san.autoencoder import Autoencoder
from models.san.judges import Judge, said
from models.san.perturb import perturb
from models.san.train import fit
from models.training import History

SHOWN = 8  # faces on the strip
WATCHED = 256  # validation faces that figures are of
NAMES = {"sm": "SM", "nt": "NT", "op": "OP"}


def run(stage: Stage) -> None:
    """Trains by the recipe in `san.network`; raises ValueError where the faces do not tell what is to be hidden."""
    settings = stage.params.san
    known = telling(FaceSet.open(stage.inputs["faces"] / "set"), settings.attribute)
    training, validation = known.split("train"), known.split("validation")
    validation = validation.select(np.random.default_rng(0).permutation(len(validation))[:WATCHED])
    prototypes = Prototypes.load(stage.inputs["prototypes"], settings.aligned)
    hidden_from, _ = judges.classifier(stage.inputs["gender@paper"] / "weights.npz")
    matcher = Path(settings.matcher).expanduser() if settings.matcher else stage.inputs["matcher@common"] / "weights.npz"
    known_to = judges.matcher(matcher)
    keepers = keepers_in(stage.inputs["gender@kept"] / "weights.npz")
    stage.watch.log(f"{len(training):,} faces to train on, {len(validation):,} to watch, {len(keepers)} to keep by")

    labels = labels_of(validation, settings.attribute)
    faces = np.asarray(grey(validation.images)[:])
    own, shown = prototypes.shown_to(validation, labels)
    before = said(known_to, faces)

    def examine(network: Autoencoder) -> dict[str, float]:
        figures = {}
        for name, pictures in perturb(network, faces, own, dict(shown)).items():
            figures[f"{name}_read"] = float((said(hidden_from, pictures).argmax(axis=1) == labels).mean())
            figures[f"{name}_distance"] = float(((said(known_to, pictures) - before) ** 2).sum(axis=1).mean())
        return figures

    def preview(network: Autoencoder, history: History) -> dict[str, Path]:
        rows = pd.DataFrame(history)
        learning_curve_picture(rows, panels(rows), stage.out / "curve.png")
        write_strip(network, faces[:SHOWN], own[:SHOWN], {name: each[:SHOWN] for name, each in shown.items()},
                    [CLASSES[settings.attribute][label] for label in labels[:SHOWN]], stage.out / "strip.png")  # fmt: skip
        return {"learning curve": stage.out / "curve.png", "faces": stage.out / "strip.png"}

    network, outcome = fit(
        settings.network, grey(training.images), labels_of(training, settings.attribute), prototypes.for_training(training),
        [hidden_from], [known_to], keepers=keepers, seed=stage.params.seed, checkpoints=stage.checkpoints, watch=stage.watch,
        examine=examine, preview=preview,
    )  # fmt: skip
    figures = {name: float(value) for name, value in outcome.kept.items()}
    card = {"attribute": settings.attribute, "labels": list(CLASSES[settings.attribute]), "aligned": settings.aligned,
            "seed": stage.params.seed, "recipe": asdict(settings.network), "figures": figures}  # fmt: skip
    weights.save(stage.out / "weights.npz", network, card)
    pd.DataFrame(outcome.history).to_csv(stage.out / "history.csv", index=False)
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def keepers_in(path: Path) -> list[Judge]:
    """The classifier in `path`, or none where stage `gender` had nothing to keep."""
    if not weights_file.read(path, ("network",))[0]:
        return []
    return [judges.classifier(path)[0]]


def panels(history: pd.DataFrame) -> dict[str, list[str]]:
    """Which columns of the history go on which panel: the losses that there are, and the figures of validation faces."""
    losses = [name for name in ("pixel", "attribute", "identity", "keep") if name in history]
    return {
        "losses": losses,
        "own class read": [f"{name}_read" for name in NAMES],
        "distance from the face": [f"{name}_distance" for name in NAMES],
    }


def write_strip(
    network: Autoencoder, faces: np.ndarray, own: np.ndarray, shown: dict[str, np.ndarray], classes: list[str], path: Path
) -> None:
    """A row a face: as it is, under its class, and as each prototype makes it."""
    made = perturb(network, faces, own, shown)
    pictures = np.stack([faces, *made.values()], axis=1)
    captions = [caption for name in classes for caption in (name, *(NAMES[each] for each in made))]
    write_png(path, contact_sheet(pictures.reshape(-1, *faces.shape[1:]), pictures.shape[1], captions))
