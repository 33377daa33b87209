"""Stage `personal_emoji`: from photos of a person, found in the generator of faces, to that person's seven emoji.

Photos are cut as the generator's faces were, projected onto it, taken to each expression, drawn by the blended generator, and
cut out. Expressions lie elsewhere in w once a generator paints emoji: in the blend, each layer is taken along the directions of
the generator that it is of. Nothing is trained: another person takes a minute.
Writes `set/<expression>.png` (RGBA), `sheet.png` (photos, what was found, faces, emoji), `way.gif` (the projection on its way)
and `metrics.json`.
"""

import json

import numpy as np

from data.contact_sheet import contact_sheet, over_white
from data.cutout import cut_out
from data.emoji_portrait import disc
from data.faceset import EXPRESSIONS
from data.letterbox import letterbox
from data.png import write_png
from flows.eye import projection_features, recognise
from flows.film import write_film
from flows.generated import Seeds, pictures_of, ws_of
from flows.judge import Judge, judge
from flows.photos import person_of
from flows.stage import Stage
from models.fer.networks import standardise
from models.pixels import to_uint8
from models.stylegan2 import snapshot
from models.stylegan2.blend import Swap, shares_of_ws
from models.stylegan2.expressions import directions, walk
from models.stylegan2.generator import Generator
from models.stylegan2.project import Search, project

SIDE = 256  # pixels of an emoji, as the runner takes them
LEARNT_FROM = 2100  # generated faces that directions are learnt from
STEPS = np.linspace(1, 3, 9)  # how far to walk, in units of the direction: 1 is as far as a generated face would be
EMOJI_STEP = 2.0  # the same for emoji, which no classifier of the graph reads: most of twelve validation people's are told apart
FRAMES = 20  # of the projection's way
PACE = 120  # milliseconds of a frame


def run(stage: Stage) -> None:
    """Makes the emoji of the person in `personal_emoji.photos`; raises ValueError where no photo shows one face."""
    wanted = stage.params.personal_emoji
    photos = person_of(stage)
    pair, _ = snapshot.load(stage.inputs["stylegan@faces"] / "snapshot.npz")
    blended, card = snapshot.load(stage.inputs["blend"] / "snapshot.npz")
    faces, emoji = pair.generator, blended.generator
    read = judge(stage.inputs["fer@base"] / "weights.npz", stage.params.faces)

    towards = learnt_directions(faces, read, stage.params.seed)
    painter = snapshot.load(stage.inputs["stylegan@emoji"] / "snapshot.npz")[0].generator
    steps = max(1, wanted.steps // FRAMES) * FRAMES
    matcher = stage.inputs["matcher@common"] / "weights.npz"
    features, know = projection_features(wanted.features, matcher), recognise(matcher, stage.params.faces)
    found = project(
        faces, standardise(photos), features, Search(steps, FRAMES, wanted.space), stage.params.seed, stage.watch
    )
    person_ws = person_of_photos(faces, found.ws, wanted.truncation)[None]
    moved = walk(lambda ws: pictures_of(faces, ws), read, person_ws, towards, STEPS, wanted.wanted)
    posed = pictures_of(faces, moved.ws[0])
    painted = shares_of_ws(Swap(**card["blend"]), emoji.arch)
    drawn = pictures_of(emoji, emoji_ws(faces, painter, painted, person_ws, moved.ws, towards, stage.params.seed)[0])

    folder = stage.out / "set"
    folder.mkdir()
    cut = [head_of(picture, expression, stage) for picture, expression in zip(drawn, EXPRESSIONS, strict=True)]
    for expression, picture in zip(EXPRESSIONS, cut, strict=True):
        write_png(folder / f"{expression}.png", picture)
    write_sheet(stage, photos, to_uint8(found.pictures), posed, np.stack([over_white(each) for each in cut]))
    write_way(stage, photos, to_uint8(found.way))
    person = know(photos).mean(axis=0)
    figures = {"photos": len(photos), "distance": float(found.distances[-1].mean())}
    for name, pictures in (("found", to_uint8(found.pictures)), ("face", posed), ("emoji", drawn)):
        figures[f"{name}/alike"] = float((know(pictures) @ person).mean() / np.linalg.norm(person))  # cosine, the matcher's
    for name, pictures in (("face", posed), ("emoji", drawn)):
        chances = read(pictures)
        figures[f"{name}/right"] = float((chances.argmax(axis=1) == np.arange(len(EXPRESSIONS))).mean())
        figures |= {f"{name}/{expression}": float(chances[i, i]) for i, expression in enumerate(EXPRESSIONS)}
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def person_of_photos(faces: Generator, ws: np.ndarray, truncation: float) -> np.ndarray:
    """(layers, latent): what the photos' ws (N, layers, latent) have in common, drawn towards the average face."""
    average = np.asarray(faces.mapping.average[...])
    return (average + truncation * (ws.mean(axis=0) - average)).astype(np.float32)


def learnt_directions(faces: Generator, read: Judge, seed: int) -> np.ndarray:
    """(7, latent): towards each expression in w, by the labels that the generator was told, else by what is read in them."""
    seeds = Seeds.many(faces.arch, LEARNT_FROM, seed)
    ws = ws_of(faces, seeds)
    told = read(pictures_of(faces, ws)) if seeds.labels is None else np.eye(len(EXPRESSIONS))[seeds.labels]
    return directions(ws, told, EXPRESSIONS)


def emoji_ws(
    faces: Generator, painter: Generator, painted: np.ndarray, people: np.ndarray, posed: np.ndarray, towards: np.ndarray,
    seed: int,
) -> np.ndarray:  # fmt: skip
    """(N, 7, layers, latent): people (N, layers, latent) with each expression, as the blend of both generators has it.

    Of each layer the share `painted` (layers,) is of the generator of emoji, `painter`: so far the person is moved from the
    average face to the average emoji, and goes along the painter's directions; else along those of `faces`, `towards`
    (7, latent). Where the painter was told no expressions, the faces' own ws, `posed` (N, 7, layers, latent).
    """
    seeds = Seeds.many(painter.arch, LEARNT_FROM, seed)
    if seeds.labels is None:
        return posed
    own = directions(ws_of(painter, seeds), np.eye(len(EXPRESSIONS))[seeds.labels], EXPRESSIONS)
    average, from_average = (np.asarray(each.mapping.average[...]) for each in (painter, faces))
    painted = painted[:, None]
    moved = people + painted * (average - from_average)
    return (moved[:, None] + EMOJI_STEP * (painted * own[:, None] + (1 - painted) * towards[:, None])).astype(np.float32)


def head_of(picture: np.ndarray, expression: str, stage: Stage) -> np.ndarray:
    """An emoji (R, R, 3) cut out of its background: (SIDE, SIDE, 4) RGBA; where none stands out, as a disc."""
    try:
        return cut_out(picture, SIDE)
    except ValueError as error:
        stage.watch.log(f"{expression} is cut out as a disc: {error}")
        return np.dstack([letterbox(picture, SIDE, 3), disc(SIDE, stage.params.faces.portrait.margin)])


def write_way(stage: Stage, photos: np.ndarray, way: np.ndarray) -> None:
    """The photos, and under them what the generator makes on its way (frames, N, R, R, 3), as an animation that repeats."""
    frames = [contact_sheet(np.concatenate([photos, step]), len(photos)) for step in way]
    write_film(stage.out / "way.gif", frames, [PACE] * (len(frames) - 1) + [10 * PACE])


def write_sheet(stage: Stage, photos: np.ndarray, found: np.ndarray, posed: np.ndarray, emoji: np.ndarray) -> None:
    """Rows of the same width: photos, what the generator found for them, the seven expressions, the seven emoji."""
    columns, side = len(EXPRESSIONS), emoji.shape[1]
    blank = np.full((side, side, 3), 255, np.uint8)
    rows, captions = [], []
    for name, pictures in (("photo", photos), ("found", found), ("face", posed), ("emoji", emoji)):
        tiles = [letterbox(each, side, 3) for each in pictures[:columns]]
        rows += tiles + [blank] * (columns - len(tiles))
        titles = EXPRESSIONS if len(tiles) == columns and name in ("face", "emoji") else [name] * len(tiles)
        captions += [*titles, *[""] * (columns - len(tiles))]
    write_png(stage.out / "sheet.png", contact_sheet(np.stack(rows), columns, captions))
