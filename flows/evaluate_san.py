"""Stage `evaluate_san`: what is left of the hidden attribute in faces that SAN has not learnt from, and what of the rest.

Every held-out face is shown with the prototype of its own class (SM), the neutral one (NT) and another class's (OP). Then
classifiers say how well the attribute can still be read, of which `gender@paper` is the one that SAN learnt to deceive and
all others have never been asked; matchers, how well a perturbed face is still matched with its person's other pictures, of
which `matcher@unseen` is the one never asked; and the expression classifier and SSIM what else has changed.

Writes `sm/`, `nt/`, `op/` (face sets), `attribute_roc.csv` and `.png`, `matching_roc.csv` and `.png` (of each threshold as P =
1/(1+‖·‖²) and as distance: the same order, so the same curve), `strip.png`, and `metrics.json`. A figure that these faces
cannot tell is left out.
"""

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from data.faceset import FaceSet, FaceSetWriter
from flows.attribute import CLASSES, Prototypes, labels_of, telling
from flows.evaluate import choose
from flows.grey import grey
from flows.san import NAMES, SHOWN, write_strip
from flows.stage import Stage
from metrics.plots import roc_picture
from metrics.roc import Curve, corners, roc_curve
from metrics.ssim import ssim
from metrics.verification import Figure, class_figures, figures, pair_scores, pairs
from models.san import judges, weights
from models.san.autoencoder import Autoencoder
from models.san.judges import Judge, said
from models.san.perturb import perturb

BEFORE = "before"
CLASSIFIERS = ("gender@paper", "gender@port", "gender@mini_xception")  # the first is the one that SAN learnt from
MATCHERS = ("matcher@common", "matcher@unseen")  # likewise
IMPOSTORS = 20_000  # pairs of two people, where there are so many
RESAMPLES = 1000  # of the people, for each interval
CHUNK = 256  # faces perturbed at a time


def run(stage: Stage) -> None:
    """Judges; raises ValueError where the faces do not tell the attribute, or all that are held out are of one class."""
    settings, evaluate = stage.params.san, stage.params.evaluate
    known = telling(FaceSet.open(stage.inputs["faces"] / "set"), settings.attribute)
    held_out = known.select(known.table["split"].isin(choose(known.table["split"], evaluate.splits)))
    labels = labels_of(held_out, settings.attribute)
    if len(np.unique(labels)) < 2:
        raise ValueError(f"all {len(labels)} faces are of one class of {settings.attribute}: how well it is hidden cannot be "
                         "measured; widen evaluate.splits")
    network, _ = weights.load(stage.inputs["san"] / "weights.npz")
    prototypes = Prototypes.load(stage.inputs["prototypes"], settings.aligned)
    write_sets(stage, network, prototypes, held_out, labels)
    pictures = {BEFORE: grey(held_out.images)} | {name: FaceSet.open(stage.out / name).images for name in NAMES}

    found, curves = {}, {}
    for name, judge in classifiers(stage).items():
        read = {shown: said(judge, each) for shown, each in pictures.items()}
        curves[name] = {shown: attribute_curve(labels, logits) for shown, logits in read.items()}
        for shown, logits in read.items():
            told = class_figures(labels, scores_of(logits), people(held_out), evaluate.confidence, RESAMPLES, stage.params.seed)
            found |= {f"{name}/{shown}/{figure}": value for figure, value in told.items()}
    write_curves(stage.out / "attribute_roc", curves)
    curves, told = matching(stage, held_out, pictures)
    write_curves(stage.out / "matching_roc", curves, distances=True)

    result = {"n": len(held_out)} | flat(found | told) | quality(stage, held_out, pictures)
    (stage.out / "metrics.json").write_text(json.dumps(result, indent=2) + "\n")
    rows = np.unique(np.linspace(0, len(held_out) - 1, SHOWN).astype(int))
    shown_faces, names = held_out.select(rows), [CLASSES[settings.attribute][label] for label in labels[rows]]
    own, shown = prototypes.shown_to(shown_faces, labels[rows])
    write_strip(network, np.asarray(pictures[BEFORE][rows]), own, dict(shown), names, stage.out / "strip.png")
    for title, wanted in (("attribute: AUC", "gender@"), ("matching: AUC", "matcher@")):
        stage.watch.table(title, [row for row in table(result) if row["judge"].startswith(wanted)])


def write_sets(
    stage: Stage, network: Autoencoder, prototypes: Prototypes, faces: FaceSet, labels: np.ndarray
) -> None:
    """One face set a prototype shown, of the same rows."""
    began = time.monotonic()
    shape = (*faces.images.shape[1:3], 1)
    with ExitStack() as stack:
        writers = {name: stack.enter_context(FaceSetWriter(stage.out / name, shape)) for name in NAMES}
        for start in range(0, len(faces), CHUNK):
            rows = np.arange(start, min(start + CHUNK, len(faces)))
            part = faces.select(rows)
            own, shown = prototypes.shown_to(part, labels[rows])
            for name, made in perturb(network, grey(part.images), own, dict(shown)).items():
                writers[name].append(made, part.table.assign(parent=part.table["id"], maker="san"))
            stage.watch.progress(rows[-1] + 1, len(faces), "faces perturbed")
    seconds = time.monotonic() - began
    stage.watch.log(f"{len(faces):,} faces, each with {len(NAMES)} prototypes, in {seconds:.1f} s: "
                    f"{len(NAMES) * len(faces) / seconds:,.0f} pictures/s")


def classifiers(stage: Stage) -> dict[str, Judge]:
    """Who reads the attribute, by name: the graph's own, and those in the files of `san.judges`."""
    files = {name: stage.inputs[name] / "weights.npz" for name in CLASSIFIERS}
    files |= named("gender@", "san.judges", stage.params.san.judges)
    wanted, found = CLASSES[stage.params.san.attribute], {}
    for name, path in files.items():
        found[name], card = judges.classifier(path)
        if tuple(card["labels"]) != wanted:
            raise ValueError(f"{path} tells {', '.join(card['labels'])}, not {', '.join(wanted)}: it cannot judge what "
                             "san.attribute hides")
    return found


def named(prefix: str, setting: str, files: Sequence[str]) -> dict[str, Path]:
    """Weights files by the names that their figures get; raises ValueError where two would get the same."""
    found = {prefix + Path(each).name: Path(each).expanduser() for each in files}
    if len(found) < len(files):
        raise ValueError(f"{setting} is {', '.join(files)}: their figures are called by the names of the files, of which two "
                         "are the same; rename one")
    return found


def scores_of(logits: np.ndarray) -> np.ndarray:
    """(N, K) how surely each class is seen, in the order of its probability."""
    return logits - np.logaddexp.reduce(logits.astype(np.float64), axis=1, keepdims=True)


def attribute_curve(labels: np.ndarray, logits: np.ndarray) -> Curve:
    """Of two classes the curve of class 1; of more the one of all classes together, each against the rest."""
    scores = scores_of(logits)
    if scores.shape[1] == 2:
        return roc_curve(labels == 1, scores[:, 1])
    return roc_curve((labels[:, None] == np.arange(scores.shape[1])).ravel(), scores.ravel())


def people(faces: FaceSet) -> np.ndarray:
    """(N,) numbers of the people on faces; a face of nobody known is a person of its own."""
    table = faces.table
    return pd.factorize(table["subject"].fillna("face " + table["id"]))[0]


def matching(stage: Stage, faces: FaceSet, pictures: dict) -> tuple[dict[str, dict[str, Curve]], dict[str, Figure]]:
    """Curves and figures of original–original and original–perturbed pairs, by matcher and by what the second is shown with.

    A person with a single picture takes part in pairs of two people only; nothing is told where nobody has two.
    """
    files = {name: stage.inputs[name] / "weights.npz" for name in MATCHERS}
    files |= named("matcher@", "san.matchers", stage.params.san.matchers)
    rows = np.flatnonzero(faces.table["subject"].notna())
    subjects = people(faces.select(rows))
    if not len(rows) or np.bincount(subjects).max() < 2 or subjects.max() < 1:
        stage.watch.log("the faces do not say who is on them, of anybody with two pictures: matching is not measured")
        return {name: {} for name in files}, {}
    same = np.bincount(subjects)
    possible = len(rows) * (len(rows) - 1) // 2 - int((same * (same - 1) // 2).sum())
    drawn, genuine = pairs(subjects, min(IMPOSTORS, possible), stage.params.seed)
    both, curves, found = subjects[drawn], {}, {}
    for name, path in files.items():
        judge = judges.matcher(path)
        vectors = {shown: said(judge, each)[rows] for shown, each in pictures.items()}
        curves[name] = {}
        for shown, described in vectors.items():
            scores = pair_scores(described[drawn[:, 0]], vectors[BEFORE][drawn[:, 1]], "distance")
            curves[name][shown] = roc_curve(genuine, scores)
            told = figures(genuine, scores, both, stage.params.evaluate.confidence, RESAMPLES, stage.params.seed)
            found |= {f"{name}/{shown}/{figure}": value for figure, value in told.items()}
            stage.watch.progress(len(found), len(files) * len(vectors) * len(told), f"pairs matched by {name}")
    return curves, found


def quality(stage: Stage, faces: FaceSet, pictures: dict) -> dict[str, float]:
    """Expressions read rightly, and read as before; SSIM with the face before."""
    judge, _ = judges.classifier(Path(stage.params.san.expressions))
    read = {shown: said(judge, each).argmax(axis=1) for shown, each in pictures.items()}
    told = faces.table["label"].notna().to_numpy()
    truth = faces.table["label"][told].to_numpy(int)
    found = {f"expression/{shown}/accuracy": float((each[told] == truth).mean()) for shown, each in read.items() if told.any()}
    for shown in NAMES:
        found[f"expression/{shown}/kept"] = float((read[shown] == read[BEFORE]).mean())
        found[f"ssim/{shown}"] = float(np.mean([
            ssim(np.asarray(pictures[BEFORE][part]), np.asarray(pictures[shown][part])).mean()
            for part in np.array_split(np.arange(len(faces)), max(1, len(faces) // CHUNK))
        ]))  # fmt: skip
    return found


def write_curves(path: Path, curves: dict[str, dict[str, Curve]], distances: bool = False) -> None:
    """`path`.csv, one row a corner of a curve, and `path`.png, one panel a judge. With `distances` thresholds are negative
    ones, and are written as they are and as study D's P = 1/(1+‖·‖²), which has the same order."""
    columns = ["judge", "shown", "fpr", "tpr", "threshold"]
    lines = [
        pd.DataFrame(corners(curve)._asdict()).rename(columns={"thresholds": "threshold"}).assign(judge=name, shown=shown)
        for name, named in curves.items()
        for shown, curve in named.items()
    ]
    points = pd.concat([pd.DataFrame(columns=columns), *lines])[columns]
    if distances:
        points["distance"] = -points.pop("threshold").astype(float)
        points["similarity"] = np.where(np.isfinite(points["distance"]), 1 / (1 + points["distance"] ** 2), np.inf)
    points.to_csv(path.with_suffix(".csv"), index=False, float_format="%.6g")
    shown = {name: {NAMES.get(each, each): curve for each, curve in named.items()} for name, named in curves.items()}
    roc_picture(shown, path.with_suffix(".png"), "area")


def flat(found: dict[str, Figure]) -> dict[str, float]:
    """Each figure, and its interval as `…_low` and `…_high`; those that cannot be told are left out."""
    values = {}
    for name, figure in found.items():
        values |= {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def table(result: dict[str, float]) -> list[dict]:
    """AUC with its interval, one row a judge, one column a prototype shown."""
    judged = sorted({name.split("/")[0] for name in result if name.endswith("/auc")})

    def cell(name: str) -> str:
        low, high = (result.get(f"{name}_{end}", float("nan")) for end in ("low", "high"))
        return f"{result[name]:.3f} ({low:.3f} to {high:.3f})"

    return [{"judge": judge} | {shown: cell(f"{judge}/{shown}/auc") for shown in (BEFORE, *NAMES)} for judge in judged]
