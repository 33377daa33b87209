"""Stage `action_units`: the 17 action units of every face, and how each row's are known.

Exact where the faces are drawn, measured where OpenFace has read them, else estimated: by a reader that learnt from faces with
known units, mixed with what FACS says of the classifier's soft expression (Friesen and Ekman 1983, "EMFACS").
Writes `units.parquet` (a row for each of the faces, in their order: `parent`, 17 units, `known`), `weights.npz` (the reader),
`history.csv`, `curve.png`, `by_unit.csv` (errors on held-out faces), `strongest.png` (each unit's strongest faces, as
estimated), `expressions.png` (the mean estimate of each expression's faces) and `metrics.json`.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from data.contact_sheet import contact_sheet
from data.faceset import ACTION_UNITS, AU_COLUMNS, EXPRESSIONS, FaceSet
from data.png import write_png
from data.splits import carve
from flows.cutting import in_colour
from flows.drawn import drawn_faces
from flows.facs import expected_units
from flows.grey import grey
from flows.predictions import classify
from flows.stage import Stage
from metrics.plots import heat_picture, learning_curve_picture
from models.action_units import weights
from models.action_units.read import errors, read
from models.action_units.train import Faces, fit
from models.fer import weights as fer_weights
from models.fer.networks import Network
from models.training import History

KNOWN_BY = {"drawn": "exact", "openface": "measured"}  # by maker or source
HELD_OUT = 0.15  # of drawn people, for watching; and as many for measuring
PANELS = {"cross-entropy": ["train_loss"], "mean absolute error": ["train_mae", "validation_mae", "validation_mean_mae"]}
SHOWN = 10  # faces of a unit


def run(stage: Stage) -> None:
    """Trains the reader by `action_units` and writes every face's units; raises ValueError where none can be learnt from."""
    wanted = stage.params.action_units
    faces = FaceSet.open(stage.inputs["faces"] / "colour")
    if wanted.people is None:
        images, table = grey(faces.images), faces.table
    else:
        colour, table = drawn_faces(stage, wanted.people, in_colour(stage.params.faces))
        images, table = grey(colour), table.assign(split=split_of(table, stage.params.seed))
    training, watched, measured = parts(table)
    truth = table[list(AU_COLUMNS)].to_numpy(np.float32, na_value=np.nan)
    stage.watch.log(f"{len(training):,} faces with known units to learn from, {len(measured):,} to measure on")

    def preview(reader: Network, history: History) -> dict[str, Path]:
        learning_curve_picture(pd.DataFrame(history), PANELS, stage.out / "curve.png")
        return {"learning curve": stage.out / "curve.png"}

    reader, outcome = fit(
        wanted.reader, Faces(images[training], truth[training]), Faces(images[watched], truth[watched]),
        seed=stage.params.seed, checkpoints=stage.checkpoints, watch=stage.watch, preview=preview,
    )  # fmt: skip
    classifier, card = fer_weights.load(stage.inputs["fer@base"] / "weights.npz")

    def mixtures_in(pictures: np.ndarray) -> np.ndarray:
        return classify(classifier, pictures, card.get("mirror", False), stage.watch) @ expected_units()

    estimates = {"reader": read(reader, images[measured])}
    figures = {name: float(value) for name, value in outcome.kept.items()}
    if wanted.people is None:  # the classifier has seen faces of the set's kind; of drawn stand-ins its word means nothing
        estimates["mixture"] = mixtures_in(FaceSet.open(stage.inputs["faces"] / "set").images[measured])
        estimates["estimate"] = mixed(estimates["reader"], estimates["mixture"], wanted.mixture)
    for name, units in estimates.items():
        figures |= {f"{name}/{figure}": value for figure, value in errors(units, truth[measured]).items()}
    by_unit(estimates["reader"], truth[measured]).to_csv(stage.out / "by_unit.csv", index=False, float_format="%.4f")

    here = images if wanted.people is None else grey(faces.images)
    seen = FaceSet.open(stage.inputs["faces"] / "set").images
    guessed = mixed(read(reader, here), mixtures_in(seen), wanted.mixture)
    units = completed(faces.table, guessed)
    units.to_parquet(stage.out / "units.parquet", index=False)
    figures |= {f"rows/{name}": int(count) for name, count in units["known"].value_counts().sort_index().items()}
    show(stage, faces, guessed)
    facts = {"network": wanted.reader.network, "size": here.shape[1], "seed": stage.params.seed,
             "recipe": asdict(wanted.reader), "figures": figures}  # fmt: skip
    weights.save(stage.out / "weights.npz", reader, facts)
    pd.DataFrame(outcome.history).to_csv(stage.out / "history.csv", index=False)
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def split_of(table: pd.DataFrame, seed: int) -> np.ndarray:
    """(N,) "train", "validation" or "test" of drawn people, each person in one."""
    split = np.full(len(table), "train", object)
    for name, share in (("test", HELD_OUT), ("validation", HELD_OUT / (1 - HELD_OUT))):
        left = table[split == "train"]
        chosen = carve(left["origin"].tolist(), left["label"].tolist(), left["subject"].tolist(), share, seed)
        split[left.index[chosen]] = name
    return split


def parts(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows with known units to learn from, to watch, and to measure on; raises ValueError where there are none of a kind."""
    known = table[list(AU_COLUMNS)].notna().all(axis=1).to_numpy()
    split = table["split"].to_numpy(str)
    masks = (split == "train", split == "validation", ~np.isin(split, ["train", "validation"]))
    rows = tuple(np.flatnonzero(known & mask) for mask in masks)
    if not all(map(len, rows)):
        counts = ", ".join(f"{len(each)} of the {kind} rows" for each, kind in zip(rows, ("training", "validation", "other")))
        raise ValueError(f"action units are known of {counts}; some of each are needed: set action_units.people to a "
                         "number, and so many drawn people are learnt from instead")
    return rows


def mixed(read_in: np.ndarray, expected: np.ndarray, share: float) -> np.ndarray:
    """(N, 17): the reader's units, of which the classifier's expression has a `share`."""
    return (1 - share) * read_in + share * expected


def completed(table: pd.DataFrame, guessed: np.ndarray) -> pd.DataFrame:
    """The units of every face, known ones as they are and the others as guessed (N, 17), and how they are known."""
    columns = list(AU_COLUMNS)
    known = table[columns].notna().all(axis=1).to_numpy()
    units = np.where(known[:, None], table[columns].to_numpy(np.float32, na_value=np.nan), guessed)
    how = [KNOWN_BY.get(maker, KNOWN_BY.get(source, "measured")) for maker, source in zip(table["maker"], table["source"])]
    frame = pd.DataFrame(units, columns=columns)
    frame.insert(0, "parent", table["parent"].to_numpy())
    return frame.assign(known=np.where(known, how, "estimated"))


def by_unit(estimates: np.ndarray, truth: np.ndarray) -> pd.DataFrame:
    """Errors of each unit: mean absolute, that of the truth's own mean, and correlation."""
    rows = []
    for column, unit in enumerate(ACTION_UNITS):
        guess, true = estimates[:, column], truth[:, column]
        varies = true.std() > 0 and guess.std() > 0
        rows.append({"unit": unit, "mae": np.abs(guess - true).mean(), "mean_mae": np.abs(true - true.mean()).mean(),
                     "correlation": np.corrcoef(guess, true)[0, 1] if varies else np.nan})  # fmt: skip
    return pd.DataFrame(rows)


def show(stage: Stage, faces: FaceSet, guessed: np.ndarray) -> None:
    """Draws `strongest.png` and `expressions.png` of all faces and their estimated units (N, 17)."""
    order = np.argsort(-guessed, axis=0, kind="stable")[:SHOWN].T
    captions = [f"AU {unit}: {guessed[row, column]:.2f}" for column, unit in enumerate(ACTION_UNITS) for row in order[column]]
    write_png(stage.out / "strongest.png", contact_sheet(faces.images[order.ravel()], order.shape[1], captions))
    labels = faces.table["label"]
    found = np.stack([
        guessed[(labels == label).fillna(False).to_numpy(bool)].mean(axis=0) if (labels == label).any() else np.full(17, np.nan)
        for label in range(len(EXPRESSIONS))
    ])  # fmt: skip
    panels = {"estimated, mean of the faces of each expression": found, "expected by FACS": expected_units()}
    heat_picture(panels, EXPRESSIONS, [f"AU {unit}" for unit in ACTION_UNITS], stage.out / "expressions.png")
