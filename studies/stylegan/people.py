"""Ten drawn people that nothing was trained on, and their seven emoji each: can a classifier tell them, and tell them apart?

    python -m studies.stylegan.people            # after `./run`: reads artifacts/, writes studies/stylegan/people.{png,json}

The judge of the emoji is a mini-Xception of its own, trained on drawn emoji, which has seen no generated picture. Faces are
judged by `gender@kept`, which reads expressions and has steered nothing; what the classifier reads that did steer, which
stops where it is content, stands beside it. Intervals are Wilson's at 95 %, of people and expressions taken as independent.
"""

import json
import tempfile
from pathlib import Path

import numpy as np

from data.contact_sheet import contact_sheet
from data.faceset import EXPRESSIONS, FaceSet
from data.letterbox import letterbox
from data.png import write_png
from flows import settings
from flows.eye import projection_features, recognise
from flows.generated import pictures_of
from flows.grey import grey
from flows.judge import as_faces, judge
from flows.personal_emoji import STEPS, emoji_ws, learnt_directions, person_of_photos
from flows.watch import Terminal
from metrics.intervals import wilson
from models.fer.networks import standardise
from models.fer.predict import probabilities
from models.fer.recipe import Recipe
from models.fer.train import Faces, fit
from models.san import judges
from models.san.judges import said
from models.stylegan2 import snapshot
from models.stylegan2.blend import Swap, shares_of_ws
from models.stylegan2.expressions import walk
from models.stylegan2.project import Search, project

ARTIFACTS, HERE = Path("artifacts"), Path(__file__).resolve().parent
PEOPLE, PHOTOS = 10, 3
SIZE = 48  # of the emoji that the judge reads
RECIPE = Recipe("mini_xception", 40, 64, "adam", 0.003, 0.05, 0.0005, 0.05, 0.9, "light", 0.0, (), 0.0, 1.0, "last")


def main() -> None:
    params, watch = settings.load(), Terminal("people")
    faces = snapshot.load(ARTIFACTS / "stylegan/faces/snapshot.npz")[0].generator
    blended, card = snapshot.load(ARTIFACTS / "blend/snapshot.npz")
    emoji = blended.generator
    read = judge(ARTIFACTS / "fer/base/weights.npz", params.faces)
    matcher = ARTIFACTS / "matcher/common/weights.npz"
    photos = strangers(FaceSet.open(ARTIFACTS / "faces/portraits"))

    wanted = params.personal_emoji
    search = Search(wanted.steps, 1, wanted.space)
    features = projection_features(wanted.features, matcher)
    found = project(faces, standardise(photos.reshape(-1, *photos.shape[2:])), features, search, params.seed, watch)
    each = found.ws.reshape(PEOPLE, PHOTOS, *found.ws.shape[1:])
    ws = np.stack([person_of_photos(faces, person, wanted.truncation) for person in each])
    towards = learnt_directions(faces, read, params.seed)
    moved = walk(lambda ws: pictures_of(faces, ws), read, ws, towards, STEPS, wanted.wanted)
    painter = snapshot.load(ARTIFACTS / "stylegan/emoji/snapshot.npz")[0].generator
    painted = shares_of_ws(Swap(**card["blend"]), emoji.arch)
    as_emoji = emoji_ws(faces, painter, painted, ws, moved.ws, towards, params.seed)
    posed, drawn = (
        pictures_of(generator, each.reshape(-1, *ws.shape[1:])) for generator, each in ((faces, moved.ws), (emoji, as_emoji))
    )

    truth = np.tile(np.arange(len(EXPRESSIONS)), PEOPLE)
    whose = np.repeat(np.arange(PEOPLE), len(EXPRESSIONS))
    know = recognise(matcher, params.faces)
    people = np.stack([know(each).mean(axis=0) for each in photos])
    by_other, _ = judges.classifier(ARTIFACTS / "gender/kept/weights.npz")
    seen = grey(as_faces(posed, params.faces.size, params.faces.channels, params.faces))[:]
    right = {"faces": said(by_other, seen).argmax(axis=1) == truth, "faces, as steered": read(posed).argmax(axis=1) == truth,
             "emoji": emoji_reader(params.seed)(drawn).argmax(axis=1) == truth}  # fmt: skip
    right |= {f"{name}: whose": (know(pictures) @ people.T).argmax(axis=1) == whose
              for name, pictures in (("faces", posed), ("emoji", drawn))}  # fmt: skip
    figures = {}
    for name, values in right.items():
        low, high = wilson(values.sum(), len(values))
        figures[name] = {"right": float(values.mean()), "low": float(low), "high": float(high)}
        print(f"{name}: {values.mean():.1%} ({low:.1%}–{high:.1%}) of {len(values)}")
    own = [drawn[whose == person].astype(float) for person in range(PEOPLE)]
    figures["emoji differ between people"] = float(np.mean([np.abs(a - b).mean() for a in own for b in own if a is not b]))
    (HERE / "people.json").write_text(json.dumps(figures, indent=2) + "\n")
    rows = [np.concatenate([photos[n, :1], posed[whose == n], drawn[whose == n]]) for n in range(PEOPLE)]
    captions = ["photo", *EXPRESSIONS, *EXPRESSIONS] + [""] * (15 * (PEOPLE - 1))
    write_png(HERE / "people.png", contact_sheet(np.concatenate(rows), 15, captions))


def strangers(portraits: FaceSet) -> np.ndarray:
    """PHOTOS pictures of each of PEOPLE people of the test split: (PEOPLE, PHOTOS, R, R, 3)."""
    test = portraits.split("test")
    people = test.table.groupby("subject", sort=True).groups
    chosen = [rows[:PHOTOS] for rows in people.values() if len(rows) >= PHOTOS][:PEOPLE]
    positions = test.table.index.get_indexer(np.concatenate(chosen))
    return np.asarray(test.images[positions]).reshape(PEOPLE, PHOTOS, *test.images.shape[1:])


def emoji_reader(seed: int):
    """A classifier of emoji, trained on nine tenths of the drawn ones, from (N, R, R, 3) to probabilities (N, 7)."""
    portraits = FaceSet.open(ARTIFACTS / "emoji/portraits")
    pictures, labels = as_read(np.asarray(portraits.images[:])), portraits.table["label"].to_numpy(np.int32)
    cut = len(labels) * 9 // 10
    with tempfile.TemporaryDirectory() as folder:
        network, outcome = fit(
            RECIPE, Faces(pictures[:cut], labels[:cut]), Faces(pictures[cut:], labels[cut:]), classes=len(EXPRESSIONS),
            seed=seed, checkpoints=Path(folder), watch=Terminal("judge"), preview=lambda model, history: {},
        )  # fmt: skip
    print(f"the judge reads {outcome.kept['validation_accuracy']:.1%} of drawn emoji it has not seen")
    return lambda pictures: probabilities(network, as_read(pictures), mirror=True)


def as_read(pictures: np.ndarray) -> np.ndarray:
    """(N, R, R, 3) -> (N, SIZE, SIZE, 1)."""
    return np.stack([letterbox(each, SIZE, 1) for each in pictures])


if __name__ == "__main__":
    main()
