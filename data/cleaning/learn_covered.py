"""Makes the weights of the rule `covered` from drawn faces: `python -m data.cleaning.learn_covered`.

Half of them are covered. Real faces vary in more than drawn ones do, so light, sharpness, compression, place and what
is around eyes and mouth vary more here than in the drawn world. Takes one to three minutes.
"""

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression

from data.alignment import cut, upright
from data.cleaning.covered import PARTS, WEIGHTS, features
from data.faceset import ACTION_UNITS, EXPRESSIONS
from data.synthetic import draw_face, person, sample_scene
from data.synthetic.action_units import express
from data.synthetic.raw.occlusion import COVERS, Place, cover, hidden
from data.synthetic.raw.solid import capsule, ellipse, mould

SEED, PEOPLE = 1_000_003, 2_500
STRENGTH = 0.1  # C of the regressions; a third of it tells covered drawn faces less well, thrice marks more real ones


def learn(seed: int, people: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (2, d) and bias (2,) float32 of the regressions, from faces of `people` people of the world `seed`."""
    seen, parts = [], []
    for number in range(people):
        for face, part in examples(seed, number):
            seen.append(features(face))
            parts.append(part)
    models = [LogisticRegression(C=STRENGTH, max_iter=500).fit(np.stack(seen), np.array(parts) == part)
              for part in PARTS]
    return (np.concatenate([model.coef_ for model in models]).astype(np.float32),
            np.concatenate([model.intercept_ for model in models]).astype(np.float32))


def examples(seed: int, number: int) -> Iterator[tuple[np.ndarray, str]]:
    """Upright faces (64, 64) uint8 grey of one person, and which of `PARTS` each has hidden: none twice, each once."""
    rng = np.random.default_rng(np.random.SeedSequence((seed, number)))
    portrait, points = _portrait(rng, seed, number)
    place = Place(points)
    for part in ("", "", *PARTS):
        image = _beside(rng, portrait, place) if rng.random() < 0.35 else portrait
        if part and rng.random() < 0.7:
            kind = str(rng.choice([kind for kind in COVERS if hidden(kind) == part]))
            image, _ = cover(rng, image, points, kind)
        elif part:
            image = _before(rng, image, place, part)
        grey = _found(rng, cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), place.unit)
        # As a detector places them.
        found = points + place.unit * (rng.normal(0, 0.06, (5, 2)) + rng.normal(0, 0.04, 2))
        found = (found - found.mean(axis=0)) * rng.lognormal(0, 0.05) + found.mean(axis=0)
        face = cut(grey, upright(found, 64, 0.25), 64)
        yield np.ascontiguousarray(face[:, ::-1]) if rng.random() < 0.5 else face, part


def _portrait(rng: np.random.Generator, seed: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """A person with any expression in any light, eyes shut now and then, and the landmarks."""
    identity, scene = person(seed, number), sample_scene(rng)
    scene = replace(
        scene, pose=replace(scene.pose, yaw=float(np.clip(rng.normal(0, 20), -45, 45))),
        light=replace(scene.light, azimuth=float(np.clip(rng.normal(0, 45), -85, 85)),
                      strength=float(rng.uniform(0.4, 1)), ambient=float(rng.uniform(0.12, 0.5))),
    )  # fmt: skip
    units = express(rng, EXPRESSIONS[number % len(EXPRESSIONS)], np.array(identity.style))
    if rng.random() < 0.5:
        units = np.where(rng.random(len(units)) < 0.25, rng.random(len(units)), units)
    if rng.random() < 0.15:
        units[ACTION_UNITS.index(45)] = rng.uniform(0.5, 1)
    face = draw_face(identity, units, scene, int(rng.choice((72, 96, 128, 160))))
    return face.image, face.landmarks


def _beside(rng: np.random.Generator, image: np.ndarray, place: Place) -> np.ndarray:
    """`image` with things that hide neither eyes nor mouth: the peak of a cap, an arm, a microphone below the chin."""
    picture = image.astype(np.float32)
    if rng.random() < 0.5:
        y = rng.uniform(-0.62, -0.42)
        peak = ellipse(rng.uniform(-0.2, 0.2), y - 0.35, rng.uniform(0.9, 1.3), 0.35)
        crown = ellipse(0, y - 0.9, 1.15, 0.75)
        colour = rng.uniform(10, 245, 3)
        mould(picture, place(crown), colour, 0.2 * place.unit, 0.4)
        mould(picture, place(peak), colour * rng.uniform(0.6, 1), 0.1 * place.unit, 0.4, 0.08 * place.unit)
    else:
        angle = rng.uniform(0, np.pi)  # from the right, by below, to the left
        start = np.array([1.25 * np.cos(angle), place.mouth * 0.75 + 1.05 * np.sin(angle)])
        end = start + rng.uniform(0.6, 2) * np.array([np.cos(angle), np.sin(angle)])
        thick = rng.uniform(0.12, 0.4, 2)
        mould(picture, place(capsule(start, end, *thick)), rng.uniform(10, 245, 3), 0.12 * place.unit, 0.5,
              0.05 * place.unit)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _before(rng: np.random.Generator, image: np.ndarray, place: Place, part: str) -> np.ndarray:
    """`image` with some round or long thing of any colour before the eyes or the mouth."""
    picture = image.astype(np.float32)
    colour = rng.uniform(8, 248) * np.exp(rng.normal(0, 0.1, 3))
    if part == "mouth":
        middle = np.array([rng.uniform(-0.12, 0.12), place.mouth + rng.uniform(-0.05, 0.12)])
        if rng.random() < 0.5:
            shape = ellipse(*middle, rng.uniform(0.42, 0.65), rng.uniform(0.3, 0.6), rng.uniform(-0.4, 0.4))
        else:  # held before it from below or from a side
            angle = rng.uniform(-0.3, np.pi + 0.3)
            shape = capsule(middle, middle + 2.2 * np.array([np.cos(angle), np.sin(angle)]), rng.uniform(0.38, 0.55),
                            rng.uniform(0.25, 0.6))
    else:
        tilt, thick = rng.normal(0, 0.12), rng.uniform(0.24, 0.5, 2)
        shape = capsule((-rng.uniform(0.5, 1.3), -tilt), (rng.uniform(0.5, 1.3), tilt), *thick)
    mould(picture, place(shape), np.clip(colour, 3, 252), rng.uniform(0.05, 0.2) * place.unit, rng.uniform(0.2, 0.6),
          0.05 * place.unit)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _found(rng: np.random.Generator, grey: np.ndarray, unit: float) -> np.ndarray:
    """`grey` (H, W) uint8 as it may come: shaded, dark or pale, blurred by up to 0.06 `unit`, noisy, compressed."""
    light = grey.astype(np.float32) / 255
    if rng.random() < 0.4:
        shade = cv2.resize(rng.normal(0, 0.5, (3, 3)).astype(np.float32), grey.shape[::-1],
                           interpolation=cv2.INTER_CUBIC)
        light = light * np.exp(np.clip(shade, -1.2, 0.5))
    light = np.clip(light, 0, 1) ** np.float32(rng.lognormal(0, 0.3)) * rng.uniform(0.6, 1) + rng.uniform(0, 0.15)
    if rng.random() < 0.7:
        light = cv2.GaussianBlur(light, (0, 0), max(0.3, rng.uniform(0, 0.06) * unit))
    levels = 255 * light + rng.normal(0, rng.uniform(0, 5), light.shape)
    grey = np.clip(levels + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        _, data = cv2.imencode(".jpg", grey, (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 90))))
        grey = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    return grey


def main() -> None:
    """Writes covered.npz beside the rule."""
    weights, bias = learn(SEED, PEOPLE)
    part = WEIGHTS.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, weights=weights, bias=bias)
    part.replace(WEIGHTS)
    print(f"{WEIGHTS.name}: {weights.shape[1]} weights each for {' and '.join(PARTS)}, from {4 * PEOPLE:,} drawn faces")


if __name__ == "__main__":
    main()
