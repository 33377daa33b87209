"""Stage `ganimation`: a GANimation learns to give faces the action units that are wanted of them.

Writes `weights.npz` (generator and critic), `history.csv`, `curve.png`, `units.png` (single units at four levels, as study B shows
them), `expressions.png` (test faces, and each with the seven expressions), `masks.png` (where those are edited),
`change.gif` (from one expression to the next and on), `by_unit.csv` and `metrics.json`. Only training rows are learnt from;
figures are of test rows, as an action-unit reader sees them that took no part.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from data.contact_sheet import contact_sheet
from data.faceset import ACTION_UNITS, AU_COLUMNS, EXPRESSIONS, FaceSet
from data.png import write_png
from flows.facs import expected_units
from flows.film import write_film
from flows.grey import grey
from flows.stage import Stage
from metrics.plots import learning_curve_picture
from models.action_units import weights as reader_weights
from models.action_units.read import read
from models.fer.networks import Network
from models.ganimation import weights
from models.ganimation.critic import Pair
from models.ganimation.edit import LEVELS, between, collapsed, edit, levels
from models.ganimation.generator import Architecture, Edited, Generator
from models.ganimation.train import fit
from models.pixels import to_uint8
from models.training import History

WATCHED, MEASURED = 128, 512  # faces that are edited at the end of an epoch, and of all
SHOWN = 6  # faces on the sheets
SHEET_UNITS = (1, 2, 4, 6, 9, 12, 15, 20, 26)  # of units.png: what moves most, from brow to jaw
FRAMES, PACE = 10, 80  # of the film between two expressions, and milliseconds of each
PANELS = {
    "adversarial": ["critic_adversarial", "generator_adversarial"],
    "action units": ["critic_condition", "generator_condition"],
    "mean absolute error of units": ["edited_mae", "unedited_mae"],
    "attention": ["attention"],
}


def run(stage: Stage) -> None:
    """Trains by `ganimation`; raises ValueError where faces and action units do not belong together."""
    settings = stage.params.ganimation
    faces, units = faces_and_units(stage)
    training, watched, measured = rows_of(faces, stage.params.seed)
    arch = Architecture(size=faces.images.shape[1], **asdict(settings.architecture))
    reader, _ = reader_weights.load(stage.inputs["action_units"] / "weights.npz")
    seen, wanted = np.asarray(faces.images[watched]), np.roll(units[watched], 1, axis=0)
    shown = measured[np.linspace(0, len(measured) - 1, SHOWN).astype(int)]

    def examine(generator: Generator) -> dict[str, float]:
        made = edit(generator, seen, wanted)
        return compared(reader, seen, made, wanted) | {"attention": float(made.attention.mean())}

    def preview(generator: Generator, history: History) -> dict[str, Path]:
        learning_curve_picture(pd.DataFrame(history), PANELS, stage.out / "curve.png")
        show_expressions(generator, np.asarray(faces.images[shown]), stage.out)
        return {"learning curve": stage.out / "curve.png", "expressions": stage.out / "expressions.png"}

    stage.watch.log(f"{len(training):,} faces to learn from")
    generator, critic, outcome = fit(
        settings.recipe, arch, faces.select(training).images, units[training], seed=stage.params.seed,
        checkpoints=stage.checkpoints, watch=stage.watch, examine=examine, preview=preview,
    )  # fmt: skip
    pictures = np.asarray(faces.images[measured])
    made = edit(generator, pictures, wanted := np.roll(units[measured], 1, axis=0))
    figures = {name: float(value) for name, value in outcome.kept.items()}
    figures |= {f"test/{name}": value for name, value in compared(reader, pictures, made, wanted).items()}
    outside = outside_change(made, pictures, faces.table["box"].iloc[measured])
    figures |= {"test/outside": outside} if np.isfinite(outside) else {}
    for name, mask in zip(("copied", "repainted"), collapsed(made.attention)):
        figures[f"test/{name}"] = float(mask.mean())
        if mask.mean() > 0.5:
            stage.watch.log(f"the attention masks have collapsed: {mask.mean():.0%} of the faces are {name} whole")
    by_level = climbing(generator, reader, pictures[:WATCHED], units[measured][:WATCHED])
    by_level.to_csv(stage.out / "by_unit.csv", index=False, float_format="%.4f")
    figures["test/monotone"] = int(by_level["monotone"].sum())

    show_units(generator, pictures, units[measured], stage.out / "units.png")
    show_change(generator, np.asarray(faces.images[shown]), units[shown], stage.out / "change.gif")
    weights.save(stage.out / "weights.npz", Pair(generator, critic), {"seed": stage.params.seed, "figures": figures,
                 "recipe": asdict(settings.recipe), "sources": sorted(faces.table["source"].dropna().unique())})  # fmt: skip
    pd.DataFrame(outcome.history).to_csv(stage.out / "history.csv", index=False)
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def faces_and_units(stage: Stage) -> tuple[FaceSet, np.ndarray]:
    """The faces in colour, and their units (N, 17); raises ValueError where one has not the other's rows."""
    faces = FaceSet.open(stage.inputs["faces"] / "colour")
    units = pd.read_parquet(stage.inputs["action_units"] / "units.parquet")
    if units["parent"].tolist() != faces.table["parent"].tolist():
        raise ValueError(f"artifacts/action_units/units.parquet has {len(units):,} rows that are not those of the "
                         f"{len(faces):,} faces: run the stage action_units again")
    return faces, units[list(AU_COLUMNS)].to_numpy(np.float32)


def rows_of(faces: FaceSet, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows to learn from, to watch, and to measure on, the latter two no more than needed and evenly drawn."""
    split = faces.table["split"].to_numpy(str)
    rows = [np.flatnonzero(mask) for mask in (split == "train", split == "validation", ~np.isin(split, ["train", "validation"]))]
    if not all(map(len, rows)):
        raise ValueError("the faces need a training, a validation and a test split: set data.validation and data.test above 0")
    rng = np.random.default_rng(seed)
    return rows[0], *(np.sort(rng.permutation(each)[:most]) for each, most in zip(rows[1:], (WATCHED, MEASURED)))


def compared(reader: Network, pictures: np.ndarray, made: Edited, wanted: np.ndarray) -> dict[str, float]:
    """Mean absolute error of the wanted units (N, 17), as read in the edited pictures and in those left alone."""
    edited, alone = read(reader, grey(to_uint8(made.pictures))), read(reader, grey(pictures))
    return {"edited_mae": float(np.abs(edited - wanted).mean()), "unedited_mae": float(np.abs(alone - wanted).mean())}


def outside_change(made: Edited, pictures: np.ndarray, boxes: pd.Series) -> float:
    """Mean |change| in [-1, 1] of the pixels outside the faces' boxes x, y, width, height; NaN where no box is known."""
    changes = np.abs(made.pictures - (pictures / np.float32(127.5) - 1)).mean(axis=3)
    y, x = np.mgrid[: changes.shape[1], : changes.shape[2]]
    found = [np.empty(0, np.float32)] + [
        change[(x < box[0]) | (x >= box[0] + box[2]) | (y < box[1]) | (y >= box[1] + box[3])]
        for change, box in zip(changes, boxes)
        if box is not None
    ]
    outside = np.concatenate(found)
    return float(outside.mean()) if len(outside) else float("nan")


def climbing(generator: Generator, reader: Network, pictures: np.ndarray, units: np.ndarray) -> pd.DataFrame:
    """What is read of each unit, mean over the faces, when it alone is set to each of LEVELS, and whether it always rises."""
    rows = []
    for column, unit in enumerate(ACTION_UNITS):
        found = []
        for level in LEVELS:
            wanted = units.copy()
            wanted[:, column] = level
            found.append(float(read(reader, grey(to_uint8(edit(generator, pictures, wanted).pictures)))[:, column].mean()))
        rows.append({"unit": unit} | {f"at {level}": value for level, value in zip(LEVELS, found)}
                    | {"monotone": bool((np.diff(found) > 0).all())})  # fmt: skip
    return pd.DataFrame(rows)


def show_expressions(generator: Generator, pictures: np.ndarray, out: Path) -> None:
    """Draws `expressions.png`, each face and beside it the seven, and `masks.png`, white where they are edited."""
    targets = expected_units()
    made = [edit(generator, np.repeat(picture[None], len(targets), axis=0), targets) for picture in pictures]
    captions = ["given", *EXPRESSIONS] * len(pictures)
    rows = np.concatenate([np.concatenate([face[None], to_uint8(each.pictures)]) for face, each in zip(pictures, made)])
    write_png(out / "expressions.png", contact_sheet(rows, len(targets) + 1, captions))
    masks = [np.repeat(to_uint8(1 - 2 * each.attention), 3, axis=3) for each in made]
    rows = np.concatenate([np.concatenate([face[None], each]) for face, each in zip(pictures, masks)])
    write_png(out / "masks.png", contact_sheet(rows, len(targets) + 1, captions))


def show_units(generator: Generator, pictures: np.ndarray, units: np.ndarray, path: Path) -> None:
    """Draws single units of the calmest face at four levels, one row a unit."""
    calm = int(units.sum(axis=1).argmin())
    tiles = [to_uint8(levels(generator, pictures[calm], units[calm], unit).pictures) for unit in SHEET_UNITS]
    captions = [f"AU {unit}: {level:.2f}" for unit in SHEET_UNITS for level in LEVELS]
    write_png(path, contact_sheet(np.concatenate(tiles), len(LEVELS), captions))


def show_change(generator: Generator, pictures: np.ndarray, units: np.ndarray, path: Path) -> None:
    """Draws a film of the faces going from their own units through all expressions and back to neutral."""
    order = [EXPRESSIONS.index(name) for name in ("happy", "surprise", "fear", "angry", "disgust", "sad", "neutral")]
    targets = expected_units()[order]
    films = []
    for picture, own in zip(pictures, units):
        stops = [own, *targets]
        ways = [between(generator, picture, a, b, FRAMES).pictures[1:] for a, b in zip(stops, stops[1:])]
        films.append(to_uint8(np.concatenate(ways)))
    frames = [contact_sheet(np.stack(each), len(pictures)) for each in zip(*films)]
    write_film(path, frames, [PACE] * len(frames))
