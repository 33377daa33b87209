"""Draws the pictures of the drawn world that the README shows, beside this file: what they show is what is trained on.

    python docs/draw.py [--seed 0]
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from data.contact_sheet import contact_sheet
from data.synthetic.emoji import draw_emoji, draw_emoji_of
from data.faceset import ACTION_UNITS, EXPRESSIONS
from data.synthetic import PERIODS, Identity, Light, Pose, Scene, draw_face, person, sample_scene
from data.synthetic.action_units import express, vector

PEOPLE = 10
SIDE = 112
LEVELS = (0, 0.33, 0.66, 1)
BLOCKS = 3  # action units side by side
PAPER = 255


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="which people")
    seed = parser.parse_args().seed
    people = [person(seed, number) for number in range(PEOPLE)]
    sheets = {
        "drawn_faces.jpg": expressions(people, seed), "drawn_people.jpg": ages(people, seed),
        "action_units.jpg": units(person(seed, 38)), "emoji.png": emoji(people),
    }
    for name, sheet in sheets.items():
        options = (cv2.IMWRITE_JPEG_QUALITY, 88) if name.endswith("jpg") else (cv2.IMWRITE_PNG_COMPRESSION, 9)
        if not cv2.imwrite(str(HERE / name), sheet[..., ::-1], options):
            raise OSError(f"cannot write {HERE / name}")
        print(f"{HERE / name}: {sheet.shape[1]} x {sheet.shape[0]}")


def expressions(people: list[Identity], seed: int) -> np.ndarray:
    """Seven expressions (rows) of ten people, each once as data has them; at the right the emoji of the row."""
    rng = np.random.default_rng(seed)
    pictures, labels = [], []
    for name in EXPRESSIONS:
        for one in people:
            action_units = express(rng, name, np.array(one.style))
            pictures.append(draw_face(one, action_units, sample_scene(rng), SIDE).image)
        pictures.append(_on_paper(draw_emoji(name, SIDE)))
        labels += [name] * (len(people) + 1)
    return contact_sheet(np.stack(pictures), len(people) + 1, labels)


def ages(people: list[Identity], seed: int) -> np.ndarray:
    """Pictures of the same people (columns) from three times of their lives (rows), in changing pose and light."""
    rng = np.random.default_rng(seed + 1)
    pictures, labels = [], []
    for period in (1, 0, 2)[:PERIODS]:
        for number in range(len(people)):
            one = person(seed, number, period)
            action_units = express(rng, EXPRESSIONS[rng.integers(len(EXPRESSIONS))], np.array(one.style))
            pictures.append(draw_face(one, action_units, sample_scene(rng), SIDE).image)
            labels.append(f"{18 + 57 * one.age:.0f} years")
    return contact_sheet(np.stack(pictures), len(people), labels)


def units(one: Identity) -> np.ndarray:
    """Each action unit at four intensities: a face, and below it the emoji of the same units."""
    scene, blocks = Scene(pose=Pose(height=0.78), light=Light(azimuth=18, ambient=0.5)), []
    for unit in ACTION_UNITS:
        vectors = [vector({unit: level}) for level in LEVELS]
        pictures = [draw_face(one, each, scene, SIDE).image for each in vectors]
        pictures += [_on_paper(draw_emoji_of(each, SIDE, identity=one)) for each in vectors]
        labels = [*(f"AU{unit}  {level}" for level in LEVELS), *[""] * len(LEVELS)]
        blocks.append(contact_sheet(np.stack(pictures), len(LEVELS), labels))
    blocks += [np.full_like(blocks[0], PAPER)] * (-len(blocks) % BLOCKS)
    rows = [np.concatenate(blocks[start:start + BLOCKS], axis=1) for start in range(0, len(blocks), BLOCKS)]
    return np.concatenate(rows)


def emoji(people: list[Identity]) -> np.ndarray:
    """The emoji set; below it a face of each expression, and the emoji of that face's own action units and traits."""
    rng, side = np.random.default_rng(0), 3 * SIDE // 2
    scene = Scene(pose=Pose(height=0.7))
    known, faces, theirs = [], [], []
    for name, one in zip(EXPRESSIONS, people):
        action_units = express(rng, name, np.array(one.style))
        known.append(_on_paper(draw_emoji(name, side)))
        faces.append(draw_face(one, action_units, scene, side).image)
        theirs.append(_on_paper(draw_emoji_of(action_units, side, name, one)))
    labels = [*EXPRESSIONS, *[""] * (len(faces) + len(theirs))]
    return contact_sheet(np.stack([*known, *faces, *theirs]), len(EXPRESSIONS), labels)


def _on_paper(picture: np.ndarray) -> np.ndarray:
    """(H, W, 4) RGBA over white, as (H, W, 3)."""
    alpha = picture[..., 3:].astype(np.float32) / np.float32(255)
    return (picture[..., :3] * alpha + PAPER * (1 - alpha)).round().astype(np.uint8)


if __name__ == "__main__":
    main()
