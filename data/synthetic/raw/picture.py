"""One found picture from its plan: framed, spoiled as planned, at the size and in the quality of a download."""

from dataclasses import dataclass

import cv2
import numpy as np

from data.faceset import EXPRESSIONS
from data.synthetic import person
from data.synthetic.action_units import express
from data.synthetic.raw import spoil
from data.synthetic.raw.lettering import letter
from data.synthetic.raw.occlusion import cover
from data.synthetic.raw.plan import Plan
from data.synthetic.raw.portrait import Portrait, alone, far_away, several
from data.synthetic.raw.scenes import empty

DRAWN = 208  # pixels of the longer side that are drawn at most; larger pictures are enlarged from it
ASPECTS = (1.0, 0.8, 0.75, 0.667, 1.25, 1.333, 1.5, 1.778)  # width to height
TURNED = (45, 72)  # degrees of a head that is seen from the side
COMPANIONS = 1_000_000  # the first number of people who only stand beside others
LONGEST, SHORTEST = 700, 90  # pixels of the longer side


@dataclass(frozen=True)
class Found:
    """A picture as found, and where its main face is, if there is one."""

    image: np.ndarray  # (H, W, 3) uint8 RGB
    box: np.ndarray | None  # (4,) x, y, width, height
    landmarks: np.ndarray | None  # (5, 2)


def find(here: Plan) -> Found:
    """Draws what `here` plans; its flaws are on it."""
    rng = here.rng("picture")
    longer, aspect = _size(rng), ASPECTS[rng.integers(len(ASPECTS))] * rng.uniform(0.96, 1.04)
    if "several_faces" in here.flaws:
        aspect = max(aspect, 1 / aspect)
    if {"several_faces", "small_face"} & set(here.flaws):
        longer = max(longer, DRAWN)  # fewer pixels would leave nothing of the faces
    drawn = min(longer, DRAWN)
    shape = (drawn, max(1, round(drawn * aspect))) if aspect < 1 else (max(1, round(drawn / aspect)), drawn)
    portrait = _show(rng, here, shape)
    image, box, landmarks = portrait.image, portrait.box, portrait.landmarks
    if "covered" in here.flaws:
        image, _ = cover(rng, image, landmarks)
    if "blur" in here.flaws:
        image = spoil.blur(rng, image, box[2])
    if "blank" in here.flaws:
        image, box, landmarks = spoil.blank(rng, image), None, None
    if rng.random() < 0.1:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    scale = longer / drawn
    if scale > 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    image, down = letter(rng, image) if "text" in here.flaws else (image, 0)
    if rng.random() < 0.65:
        image = compress(image, int(rng.integers(50, 96)))
    if box is None or landmarks is None:
        return Found(image, None, None)
    shift = np.array([0, down], np.float32)
    middle = 0.5 * scale - 0.5
    return Found(image, np.concatenate([box[:2] * scale + middle + shift, box[2:] * scale]),
                 landmarks * scale + middle + shift)


def _size(rng: np.random.Generator) -> int:
    """Pixels of the longer side: most of them between 180 and 700, some thumbnails."""
    low, high = (SHORTEST, 180) if rng.random() < 0.15 else (180, LONGEST)
    return round(np.exp(rng.uniform(np.log(low), np.log(high))))


def _show(rng: np.random.Generator, here: Plan, shape: tuple[int, int]) -> Portrait:
    who = person(here.seed, here.person)
    if "no_face" in here.flaws:
        image = np.clip(empty(rng, shape) + rng.normal(0, 1.5, (*shape, 3)), 0, 255).astype(np.uint8)
        return Portrait(image)
    if "several_faces" in here.flaws:
        people = [(who, here.action_units)]
        for _ in range(rng.integers(1, 4)):
            other = person(here.seed, COMPANIONS + int(rng.integers(COMPANIONS)))
            people.append((other, express(rng, EXPRESSIONS[rng.integers(7)], np.array(other.style))))
        return several(rng, people, shape)
    if "small_face" in here.flaws:
        return far_away(rng, who, here.action_units, shape)
    if "side_view" in here.flaws:
        return alone(rng, who, here.action_units, shape, yaw=float(rng.choice((-1, 1)) * rng.uniform(*TURNED)))
    return alone(rng, who, here.action_units, shape)


def compress(image: np.ndarray, quality: int) -> np.ndarray:
    """`image` after a JPEG of `quality`."""
    _, data = cv2.imencode(".jpg", image[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
