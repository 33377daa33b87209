"""Stage `augment`: SinGANimation. Of training faces GANimation makes other expressions, and of some of those SinGAN makes
many (study B): the edited picture goes, as coarse as the second or third coarsest scale, through the pyramid that was
trained on the face it was made of, whose patches it then consists of.

Gates turn away what came out wrong: masks that collapsed, patches unlike the face's, somebody else, another expression.
Writes `set/` (what passed, in the form of the faces, each row with parent, maker, wanted expression and units), `gates.csv` (a
row for each picture made, with its scores and the first gate that turned it away), `sheet.png` (faces, edits, and what
SinGAN makes of them), `rejected.png` and `metrics.json`.
"""

import json
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from data.contact_sheet import contact_sheet
from data.faceset import AU_COLUMNS, EXPRESSIONS, FaceSet, FaceSetWriter
from data.png import write_png
from flows.facs import expected_units
from flows.forms import as_in_set
from flows.patches import patch_network
from flows.sections import Augment
from flows.singan import STARTS, parents_of, possible_parents
from flows.stage import Stage
from metrics.sifid import sifid
from models.face_matcher import weights as matcher_weights
from models.fer import weights as fer_weights
from models.fer.predict import probabilities
from models.ganimation import weights as ganimation_weights
from models.ganimation.edit import collapsed, edit
from models.ganimation.generator import Edited
from models.pixels import to_uint8
from models.singan import snapshot
from models.singan.model import Pyramids
from models.singan.references import soft_mask
from models.singan.sample import inject

GATES = ("attention", "sifid", "identity", "expression")  # in the order in which they are asked
REACH = 3  # pixels by which an edited region grows before its edge is softened, if only that is taken from SinGAN
EDITED = 0.5  # attention below which a pixel counts as edited
TOLD_WHY = 70  # rejected pictures that are shown


@dataclass(frozen=True)
class Made:
    """N pictures (N, S, S, 3) uint8, and for each the row of its parent in the face set, the expression that was wanted,
    which generator made it and whether the mask of its edit had collapsed."""

    pictures: np.ndarray
    parents: np.ndarray
    wanted: np.ndarray
    maker: np.ndarray
    collapsed: np.ndarray


def run(stage: Stage) -> None:
    """Makes faces by `augment`; raises ValueError where no picture passes the gates."""
    settings = stage.params.augment
    faces = FaceSet.open(stage.inputs["faces"] / "colour")
    generator = ganimation_weights.load(stage.inputs["ganimation"] / "weights.npz")[0].generator
    pyramids, _ = snapshot.load(stage.inputs["singan"] / "pyramids.npz")
    trained_on = pd.read_parquet(stage.inputs["singan"] / "parents.parquet")["row"].to_numpy()
    targets = expected_units()

    def edits_of(rows: np.ndarray) -> Edited:
        pictures = np.repeat(np.asarray(faces.images[rows]), len(targets), axis=0)
        return edit(generator, pictures, np.tile(targets, (len(rows), 1)))

    def collected(pictures: np.ndarray, rows: np.ndarray, edits: Edited, maker: str, each: int = 1) -> Made:
        """`each` pictures of every edit of the faces in `rows`."""
        broken = np.logical_or(*collapsed(edits.attention))
        parents, wanted = np.repeat(rows, len(targets)), np.tile(np.arange(len(targets)), len(rows))
        parents, wanted, broken = (np.repeat(values, each) for values in (parents, wanted, broken))
        return Made(pictures, parents, wanted, np.full(len(pictures), maker), broken)

    rows = parents_of(faces.table, min(settings.edited, len(possible_parents(faces.table))), stage.params.seed)
    edits = edits_of(rows)
    made = [collected(to_uint8(edits.pictures), rows, edits, "ganimation")]
    stage.watch.log(f"{len(rows):,} faces edited to {len(targets)} expressions each")
    originals = edits_of(trained_on)
    variants = {}
    for number, (name, start) in enumerate(STARTS.items()):
        key = jax.random.fold_in(jax.random.key(stage.params.seed), number)
        variants[name] = injected(pyramids, originals, start, key, settings)
        made.append(collected(variants[name].reshape(-1, *variants[name].shape[2:]), trained_on, originals,
                              f"ganimation, singan {name}", settings.variants))  # fmt: skip
        stage.watch.log(f"{len(made[-1].pictures):,} pictures injected at {name}, scale {start} of its program")
    made = Made(*(np.concatenate(column) for column in zip(*(vars(each).values() for each in made))))

    scores = judged(stage, faces, made)
    figures = summary(scores)
    kept = np.flatnonzero(scores["rejected_by"] == "")
    if not len(kept):
        raise ValueError(f"none of {len(scores):,} pictures passes augment.gates: " + ", ".join(
            f"{name} turned away {(scores['rejected_by'] == name).sum():,}" for name in GATES) + "; loosen them, or train "
            "ganimation and singan for longer")  # fmt: skip
    write_set(stage, faces, made, kept)
    scores.to_csv(stage.out / "gates.csv", index=False, float_format="%.4g")
    show(stage, faces, trained_on, to_uint8(originals.pictures), variants)
    show_rejected(stage, made, scores)
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def injected(pyramids: Pyramids, edits: Edited, start: int, key: Any, settings: Augment) -> np.ndarray:
    """(K · 7, variants, S, S, 3) uint8: every edit of each pyramid's face, made anew from scale `start` on."""
    count = pyramids.pictures
    size = edits.pictures.shape[1]
    wanted = edits.pictures.reshape(count, -1, size, size, 3)
    made = np.stack([
        np.asarray(inject(pyramids, jnp.asarray(wanted[:, number]), start, jax.random.fold_in(key, number), settings.variants))
        for number in range(wanted.shape[1])
    ], axis=1).reshape(-1, settings.variants, size, size, 3)  # fmt: skip
    if not settings.composite:
        return to_uint8(made)
    given = np.repeat(np.asarray(pyramids.reals[-1]), wanted.shape[1], axis=0)[:, None]
    touched = edits.attention[..., 0] < EDITED
    masks = np.stack([np.asarray(soft_mask(mask, REACH)) if mask.any() else np.zeros_like(made[0, 0, ..., 0]) for mask in touched])
    masks = masks[:, None, :, :, None]
    return to_uint8(masks * made + (1 - masks) * given)


def judged(stage: Stage, faces: FaceSet, made: Made) -> pd.DataFrame:
    """The scores of each picture, and the first gate that turned it away, "" where none did."""
    gates, settings = stage.params.augment.gates, stage.params.faces
    parents, place = np.unique(made.parents, return_inverse=True)
    originals = np.asarray(faces.images[parents])
    matcher, _ = matcher_weights.load(stage.inputs["matcher@common"] / "weights.npz")
    classifier, card = fer_weights.load(stage.inputs["fer@base"] / "weights.npz")
    seen = as_in_set(made.pictures, settings)
    known = matcher_weights.embed(matcher, as_in_set(originals, settings))[place]
    alike = (matcher_weights.embed(matcher, seen) * known).sum(axis=1)
    chances = probabilities(classifier, seen, card.get("mirror", False))
    features, apart = patch_network(stage.params.singan.features), np.empty(len(place))
    for number in range(len(parents)):
        here = np.flatnonzero(place == number)
        apart[here] = sifid(originals[number] / np.float32(127.5) - 1, made.pictures[here] / np.float32(127.5) - 1, features)
        stage.watch.progress(number + 1, len(parents), "faces compared with what was made of them")
    scores = pd.DataFrame({
        "maker": made.maker, "parent": faces.table["id"].to_numpy()[made.parents],
        "wanted": np.array(EXPRESSIONS)[made.wanted], "read": np.array(EXPRESSIONS)[chances.argmax(axis=1)],
        "attention": made.collapsed, "sifid": apart, "identity": alike,
        "expression": chances[np.arange(len(chances)), made.wanted],
    })  # fmt: skip
    fails = [made.collapsed, apart > gates.sifid, alike < gates.identity, scores["expression"] < gates.expression]
    return scores.assign(rejected_by=np.select(fails, GATES, ""))


def summary(scores: pd.DataFrame) -> dict[str, float]:
    """Counts and mean scores, by maker."""
    figures = {"made": len(scores), "kept": int((scores["rejected_by"] == "").sum())}
    for maker, part in scores.groupby("maker"):
        figures |= {f"{maker}/made": len(part), f"{maker}/kept": int((part["rejected_by"] == "").sum())}
        figures |= {f"{maker}/rejected_by_{name}": int((part["rejected_by"] == name).sum()) for name in GATES}
        figures |= {f"{maker}/{name}": float(part[name].mean()) for name in ("sifid", "identity", "expression")}
        figures[f"{maker}/read_as_wanted"] = float((part["read"] == part["wanted"]).mean())
    return figures


def write_set(stage: Stage, faces: FaceSet, made: Made, kept: np.ndarray) -> None:
    """The pictures in `kept` as a face set of training rows."""
    given = faces.table.iloc[made.parents[kept]]
    rows = pd.DataFrame({
        "source": given["source"].to_numpy(), "origin": given["origin"].to_numpy(), "split": "train",
        "subject": given["subject"].to_numpy(), "label": made.wanted[kept], "gender": given["gender"].to_numpy(),
        **dict(zip(AU_COLUMNS, expected_units()[made.wanted[kept]].T)),
        "parent": given["id"].to_numpy(), "maker": made.maker[kept],
    })  # fmt: skip
    pictures = as_in_set(made.pictures[kept], stage.params.faces)
    with FaceSetWriter(stage.out / "set", pictures.shape[1:]) as writer:
        writer.append(pictures, rows)


def show(stage: Stage, faces: FaceSet, rows: np.ndarray, edits: np.ndarray, variants: dict[str, np.ndarray]) -> None:
    """For each face that has a pyramid three rows: its edits, and the first variant of each from either scale."""
    each = len(EXPRESSIONS)
    tiles, captions = [], []
    for number, row in enumerate(rows):
        part = slice(number * each, (number + 1) * each)
        lines = {"edited": edits[part]} | {name: pictures[part, 0] for name, pictures in variants.items()}
        for name, line in lines.items():
            tiles += [np.asarray(faces.images[row]), *line]
            captions += ["face", *(f"{expression}, {name}" for expression in EXPRESSIONS)]
    write_png(stage.out / "sheet.png", contact_sheet(np.stack(tiles), each + 1, captions))


def show_rejected(stage: Stage, made: Made, scores: pd.DataFrame) -> None:
    """Pictures that were turned away, evenly over all, and why."""
    out = np.flatnonzero(scores["rejected_by"] != "")
    out = out[np.linspace(0, len(out) - 1, min(TOLD_WHY, len(out))).astype(int)] if len(out) else out
    captions = [f"{scores['wanted'][row]}: {scores['rejected_by'][row]}" for row in out]
    write_png(stage.out / "rejected.png", contact_sheet(made.pictures[out], 10, captions))
