"""Stage `matcher`: trains a face matcher on people with several pictures, and tells how well it knows people it never saw.

There are two of different networks and seeds: `matcher@common`, which the pipeline's other networks are made with, and
`matcher@unseen`, which none of them has seen and which therefore may judge them. Where the source says nobody's name
(`matcher.people` in params.yaml is not null), drawn people stand in, cut as the faces are. Writes `weights.npz`, `history.csv`,
`curve.png` and `metrics.json`.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from data.faceset import FaceSet
from data.splits import carve
from flows.drawn import drawn_faces
from flows.stage import Stage
from metrics.plots import learning_curve_picture
from metrics.roc import area, equal_error_rate, roc_curve
from models.face_matcher.network import Matcher
from models.face_matcher.train import Recipe, fit
from models.face_matcher.weights import embed, save
from models.training import History

NETWORKS = {"common": "convolutions", "unseen": "mini_xception"}  # of models.face_matcher.network
HELD_OUT = 0.15  # of drawn people
MOST = 1500  # faces of people never seen that are compared, each with each
PANELS = {"loss": ["train_loss"], "people never seen": ["unseen_auc"]}

People = tuple[np.ndarray, np.ndarray]  # faces (N, H, W, C) uint8 and whose they are, (N,) text


def run(stage: Stage) -> None:
    """Trains by `matcher`; raises ValueError where fewer than two people have two pictures."""
    wanted = asdict(stage.params.matcher)
    dimensions, drawn = wanted.pop("dimensions"), wanted.pop("people")
    if drawn is None:
        known, unseen = people_of(FaceSet.open(stage.inputs["faces"] / "set"))
    else:
        known, unseen = drawn_people(stage, drawn)
    subjects = pd.factorize(known[1])[0]
    seed = stage.params.seed + list(NETWORKS).index(stage.item)
    stage.watch.log(f"{len(subjects):,} faces of {subjects.max() + 1:,} people, {len(unseen[1]):,} of people never seen")

    def examine(matcher: Matcher) -> dict[str, float]:
        return verification(embed(matcher, unseen[0]), unseen[1])

    def preview(matcher: Matcher, history: History) -> dict[str, Path]:
        learning_curve_picture(pd.DataFrame(history), PANELS, stage.out / "curve.png")
        return {"learning curve": stage.out / "curve.png"}

    matcher, outcome = fit(
        Recipe(**wanted), known[0], subjects, dimensions=dimensions, seed=seed, checkpoints=stage.checkpoints,
        watch=stage.watch, examine=examine, preview=preview, kind=NETWORKS[stage.item],
    )  # fmt: skip
    figures = {name: float(value) for name, value in outcome.kept.items()} | {"people": int(subjects.max()) + 1}
    card = {"size": known[0].shape[1], "seed": seed, "recipe": wanted, "figures": figures,
            "learnt_from": "the faces' own people" if drawn is None else "drawn people"}  # fmt: skip
    save(stage.out / "weights.npz", matcher, card)
    pd.DataFrame(outcome.history).to_csv(stage.out / "history.csv", index=False)
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def people_of(faces: FaceSet) -> tuple[People, People]:
    """Training rows of people with at least two pictures, and of people that are in no training row."""
    table = faces.table
    several = table["subject"].notna() & (table.groupby("subject")["id"].transform("nunique") >= 2)
    known = several & (table["split"] == "train")
    if table["subject"][known].nunique() < 2:
        raise ValueError("the faces do not say who is on them, of at least two people with two pictures each: set "
                         "matcher.people to a number, and so many drawn people are learnt from instead")
    unseen = several & ~table["subject"].isin(table["subject"][table["split"] == "train"])
    if table["subject"][unseen].nunique() < 2:
        raise ValueError("all people with several pictures are in the training split: raise data.test or data.validation")
    rows = [np.flatnonzero(mask.to_numpy(bool)) for mask in (known, unseen)]
    rows[1] = rows[1][:MOST]
    return tuple((np.asarray(faces.images[each]), table["subject"].to_numpy(str)[each]) for each in rows)


def drawn_people(stage: Stage, people: int) -> tuple[People, People]:
    """As many drawn people, cut as the faces are; some of them held out."""
    faces, rows = drawn_faces(stage, people, stage.params.faces)
    subjects = rows["subject"].to_numpy(str)
    unseen = carve(rows["origin"].tolist(), [0] * len(rows), subjects.tolist(), HELD_OUT, stage.params.seed)
    return (faces[~unseen], subjects[~unseen]), (faces[unseen][:MOST], subjects[unseen][:MOST])


def verification(vectors: np.ndarray, subjects: np.ndarray) -> dict[str, float]:
    """How well cosines of vectors (N, D) tell pairs of one person from pairs of two, over all pairs."""
    first, second = np.triu_indices(len(vectors), 1)
    same = subjects[first] == subjects[second]
    curve = roc_curve(same, (vectors[first] * vectors[second]).sum(axis=1))
    return {"unseen_auc": area(curve), "unseen_eer": equal_error_rate(curve)}
