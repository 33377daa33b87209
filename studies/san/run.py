"""SAN on real faces, from the pictures to the figures, where there is no more than JAX.

    python -m studies.san.run PICTURES OUT --size 224 --seconds 380

PICTURES is what `studies.san.pictures` packed. Trained are gender classifiers on UTKFace's training faces, two matchers
of LFW's training people, and SAN; measured is what unseen judges still read, and match, on held-out faces of UTKFace,
LFW and ORL. Then SAN is trained again for each point of the curve privacy–matching, as many as fit into --seconds, by
other weights of the losses. OUT gets results.json, gender_roc.png, matching_roc.png, strip.png, weights.npz and, a point more each time,
curve.csv and curve.png. Run again after a kill it goes on where it stopped.
"""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import jax
import numpy as np
import pandas as pd

from data.contact_sheet import contact_sheet
from data.faceset import GENDERS, FaceSet
from data.png import write_png
from metrics.plots import roc_picture, trade_off_picture
from models.san import weights
from models.san.autoencoder import Autoencoder
from models.san.recipe import Recipe
from studies.san import learn, measure, packed
from studies.unfinished import unfinished, which

BORDER = 0.1  # around what the published judge sees, as a share of the side: it then reads validation faces best
# (attribute, identity) of the curve's points, those that tell most first; so many are trained at once.
POINTS = ((1.0, 8.0), (4.0, 8.0), (0.25, 8.0), (1.0, 64.0), (1.0, 1.0), (16.0, 8.0), (2.0, 8.0), (0.5, 8.0))
AT_ONCE = 4
JUDGED = ("gender@port", "gender@published", "matcher@unseen")  # who never saw SAN's trainings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=224, help="pixels a side, a multiple of 4")
    parser.add_argument("--seconds", type=float, default=380.0, help="no point of the curve begins that ends later")
    parser.add_argument("--faces", type=int, help="at most so many of each split, for a trial")
    parser.add_argument("--share", type=float, default=1.0, help="of all epochs, for a trial")
    parser.add_argument("--points", type=int, default=len(POINTS), help="of the curve, at most")
    parser.add_argument("--resamples", type=int, default=500, help="of the people, for each interval")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    device = jax.devices()[0]
    print(f"{device.device_kind}, {len(jax.devices())} of them; {options.size} pixels", flush=True)
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        study(options, clock, pool)


class Clock:
    """Seconds since the beginning, and what each part took of them."""

    def __init__(self):
        self.began = self.last = time.monotonic()
        self.parts: dict[str, float] = {}

    def total(self) -> float:
        return time.monotonic() - self.began

    def lap(self, name: str) -> float:
        now = time.monotonic()
        self.parts[name], self.last = round(now - self.last, 1), now
        print(f"[{self.total():.0f} s] {name}: {self.parts[name]} s", flush=True)
        return self.parts[name]


def study(options: argparse.Namespace, clock: Clock, pool: Executor) -> None:
    def epochs(count: int) -> int:
        return max(1, round(count * options.share))

    faces, size, seed = packed.read(options.pictures, options.size), options.size, options.seed
    split = {name: fewer(faces.split(name), options.faces) for name in ("train", "common", "unseen", "test")}
    recipe = replace(learn.RECIPE, first_epochs=epochs(learn.RECIPE.first_epochs), epochs=epochs(learn.RECIPE.epochs))
    facts = {"device": jax.devices()[0].device_kind, "size": size, "seed": seed, "share of epochs": options.share,
             "recipe": asdict(recipe), "classifier": asdict(learn.CLASSIFIER), "matcher": asdict(learn.MATCHER),
             "faces": {name: len(each) for name, each in split.items()}}  # fmt: skip
    folder = unfinished("san", facts, {name: which(each) for name, each in split.items()})
    clock.lap("pictures read")

    training = split["train"]
    halves = np.array_split(np.random.default_rng(seed).permutation(len(training)), 2)
    with ThreadPoolExecutor() as threads:  # they compile side by side
        started = {
            name: threads.submit(learn.classifier, kind, training, side, epochs(learn.CLASSIFIER.epochs), seed + place,
                                 folder / name)
            for place, (name, kind, side) in enumerate((("gender@paper", "paper", size), ("gender@port", "port", size),
                                                        ("gender@paper 64", "paper", learn.SMALL)))
        } | {
            f"matcher@{name}": threads.submit(learn.matcher, name, split[name], training.select(half),
                                              epochs(learn.MATCHER.epochs), seed + place, folder / f"matcher@{name}")
            for place, (name, half) in enumerate(zip(learn.MATCHERS, halves))
        }  # fmt: skip
        prototypes = learn.prototypes_of(training)
        laid = laid_over(prototypes.for_training(training))
        judges = {name: future.result() for name, future in started.items()}
    judges["gender@published"] = learn.published(options.pictures / "judge.npz", BORDER)
    clock.lap("judges and prototypes")
    readers = {name: measure.reader(judge) for name, judge in judges.items()}
    held_out = measure.HeldOut.of(split["test"], readers["gender@paper"], prototypes)

    def trained(recipe: Recipe, name: str, first: Path | None = None) -> Autoencoder:
        return learn.san(
            recipe, training, laid, [judges["gender@paper"], judges["gender@paper 64"]], [judges["matcher@common"]],
            seed, folder / name, first,
        )  # fmt: skip

    def figures(
        network: Autoencoder, wanted: Sequence[str], shown: Sequence[str]
    ) -> tuple[list[dict], list[measure.Curves], measure.Pictures]:
        """Of the judges `wanted`: rows, curves and the pictures they are of."""
        pictures = measure.perturbed(network, held_out, shown)
        chosen = {name: readers[name] for name in readers if name in wanted}
        parts = [
            part(pool, held_out, {name: read for name, read in chosen.items() if name.startswith(kind)}, pictures,
                 options.resamples)
            for part, kind in ((measure.gender, "gender"), (measure.matching, "matcher"))
        ]
        rows = [row for each, _ in parts for row in each]
        return rows + measure.quality(held_out, pictures), [curves for _, curves in parts], pictures

    network = trained(recipe, "san")
    whole = clock.lap("SAN")
    rows, curves, pictures = figures(network, list(judges), measure.SHOWN)
    for name, each in zip(("gender_roc", "matching_roc"), curves):
        roc_picture(each, options.out / f"{name}.png", "area", columns=2)
    strip(held_out, pictures, options.out / "strip.png")
    weights.save(options.out / "weights.npz", network, {"attribute": "gender", "labels": list(GENDERS), "aligned": True,
                 "size": size, "seed": seed, "recipe": asdict(recipe)})  # fmt: skip
    clock.lap("measured")
    save(options.out, facts, clock, rows, [])

    points = [point(recipe, rows)]
    shorter = replace(recipe, epochs=max(1, recipe.epochs // 2))

    def one_more(weighed: tuple[float, float]) -> tuple[str, Recipe, Autoencoder] | None:
        if clock.total() + whole > options.seconds:
            return None
        varied = replace(shorter, attribute=weighed[0], identity=weighed[1])
        name = f"attribute {weighed[0]:g}, identity {weighed[1]:g}"
        return name, varied, trained(varied, name, folder / "san")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for done in threads.map(one_more, POINTS[: options.points]):
            if done is None:
                print(f"no time for more points of the curve than {len(points)}", flush=True)
                break
            name, varied, network = done
            points.append(point(varied, figures(network, JUDGED, ("op",))[0]))
            clock.lap(name)
            save(options.out, facts, clock, rows, points)


def fewer(faces: FaceSet, most: int | None) -> FaceSet:
    """At most so many of the faces of each source, pixels and all."""
    rows = np.concatenate([each[:most] for each in faces.table.groupby("source", sort=False).indices.values()])
    return FaceSet(np.asarray(faces.images[rows]), faces.table.iloc[rows])


def laid_over(prototypes, at_once: int = 512) -> np.ndarray:
    """The prototypes laid over each face, all at once: an accelerator would wait for them in every step."""
    return np.concatenate([prototypes[start : start + at_once] for start in range(0, len(prototypes), at_once)])


def strip(held_out: measure.HeldOut, pictures: measure.Pictures, path: Path, count: int = 6) -> None:
    """Held-out faces of UTKFace and LFW, a row each two: as they are, SM, NT, OP."""
    sources = [held_out.of_source(source) for source in measure.GENDER_OF]
    rows = np.concatenate([each[np.linspace(0, len(each) - 1, count).astype(int)] for each in sources])
    tiles = np.stack([pictures[shown][rows] for shown in (measure.BEFORE, *measure.SHOWN)], axis=1)
    captions = [caption for row in rows for caption in (GENDERS[held_out.own[row]], "SM", "NT", "OP")]
    write_png(path, contact_sheet(tiles.reshape(-1, *tiles.shape[2:]), 8, captions))


def point(recipe: Recipe, rows: list[dict]) -> dict[str, float]:
    """One row of the curve: the weights of the losses, and what the unseen judges say of OP and of the faces before."""
    found = {"attribute": recipe.attribute, "identity": recipe.identity, "pixel": recipe.pixel, "epochs": recipe.epochs}
    for row in rows:
        if row["shown"] in (measure.BEFORE, "op") and (row["judge"] in JUDGED or row["of"] == "quality"):
            for name in ("auc", "eer", "tmr_at_1_percent", "ssim"):
                for end in ("", "_low", "_high"):
                    if f"{name}{end}" in row:
                        found[f"{row['judge']}/{row['source']}/{row['shown']}/{name}{end}"] = row[f"{name}{end}"]
    return found


def save(out: Path, facts: dict, clock: Clock, rows: list[dict], points: list[dict]) -> None:
    """Everything known so far; files are replaced whole."""
    beside = json.loads(Path(__file__).with_name("beside.json").read_text())
    results = facts | {"seconds": clock.parts, "figures": rows, "curve": points, "published": beside}
    partial = out / ".results.json.part"
    partial.write_text(json.dumps(results, indent=1) + "\n")
    partial.replace(out / "results.json")
    if points:
        table = pd.DataFrame(points)
        table.to_csv(out / "curve.csv", index=False)
        draw_curve(table, out / "curve.png")


def draw_curve(points: pd.DataFrame, path: Path) -> None:
    """What unseen judges read against what the unseen matcher still matches: on ORL, since it hardly knows LFW's people
    even before."""
    names = [f"{row.attribute:g} / {row.identity:g}, {row.epochs} epochs" for row in points.itertuples()]
    panels = {f"{judge} on {source}": ("matcher@unseen/orl/op/tmr_at_1_percent", f"{judge}/{source}/op/eer")
              for judge in JUDGED[:2] for source in measure.GENDER_OF}  # fmt: skip
    before = {title: tuple(points[name.replace("/op/", "/before/")][0] for name in pair)
              for title, pair in panels.items()}  # fmt: skip
    trade_off_picture(points, panels, names, before, ("TMR at 1 % FMR, unseen matcher, ORL", "EER of gender"), path)


if __name__ == "__main__":
    main()
