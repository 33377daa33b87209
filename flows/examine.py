"""What a worker of stage `faces` does with a chunk of pictures: finds faces, cuts them out, measures for the rules."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import cv2
import numpy as np

from data.alignment import cut, upright
from data.cleaning import RULES
from data.cleaning.look import Look
from data.letterbox import letterbox
from data.pixels import NpyRows
from flows.chunks import Arrays, Task
from flows.cutting import as_portraits, cut_face, in_colour, main_face
from flows.forms import featured
from flows.sections import Cleaning, Faces

if TYPE_CHECKING:  # who detects nothing need not wait for JAX
    from models.mtcnn import Detections

MOST, PIXELS = 128, 2**23  # pictures of a chunk, and pixels, which are fewer pictures where they are large
SIDE, MARGIN = 64, 0.25  # of the upright face that the rules see
FAINT = (0.5, 0.3, 0.03)  # thresholds of what may be a face: of hidden ones that are not found it shows six in seven


def spans(count: int, shape: Sequence[int]) -> list[slice]:
    """The rows of each chunk of `count` pictures of `shape` (H, W, C)."""
    step = min(MOST, max(1, PIXELS // (shape[0] * shape[1])))
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def active(cleaning: Cleaning) -> dict[str, ModuleType]:
    """The rules that have a threshold, by name."""
    return {name: RULES[name] for name, threshold in asdict(cleaning).items() if threshold is not None}


def of_a_set(rule: ModuleType) -> bool:
    """Whether a rule compares pictures with each other, so that a worker can only describe them."""
    return hasattr(rule, "describe")


def prepare(images: Path, settings: Faces) -> Task:
    """What turns a chunk's number into its arrays; `images` is the .npy file of n pictures a chunk.

    The arrays are `found` (n,) bool, whether there is a face to cut; for each of `cuttings` its `faces` (m, size, size,
    channels) uint8 of the m that have one; where faces are looked for also their `boxes` (m, 4) and `landmarks` (m, 10)
    in pixels of the cut face, as "set/faces", "set/boxes", …; and for each rule, by its name, measures (n,) or, if it
    compares pictures, descriptions (n, d).
    """
    rules, rows = active(settings.cleaning), NpyRows(images)
    detect = None
    if settings.detect:
        from models.mtcnn import Detector  # here, because who detects nothing need not wait for JAX

        detect = Detector(min_face=settings.min_face).detect

    def examine(number: int) -> Arrays:
        pictures = rows[spans(len(rows), rows.shape[1:])[number]]
        seen = np.repeat(pictures, 3, axis=3) if pictures.shape[3] == 1 else pictures
        if detect:
            looks = [look_at(*each) for each in zip(seen, detect(seen), strict=True)]
            closer = look_closer(seen, looks, detect)
            arrays = {"found": np.array([look.main is not None for look in looks], bool)}
            for name, cutting in cuttings(settings).items():
                cuts = _cut(pictures, looks, cutting)
                arrays |= {f"{name}/{kind}": values for kind, values in cuts.items()}
        else:
            looks = closer = [Look(image, None, None, None, None, letterbox(image, SIDE, 1)[..., 0]) for image in seen]
            arrays = {"found": np.ones(len(looks), bool)}
            for name, cutting in cuttings(settings).items():
                whole = [letterbox(image, cutting.size, cutting.channels) for image in pictures]
                arrays[f"{name}/faces"] = featured(np.stack(whole), cutting.features)
        for name, rule in rules.items():
            tell = rule.describe if of_a_set(rule) else rule.measure
            arrays[name] = np.array([tell(look) for look in (closer if hasattr(rule, "FAINT") else looks)])
        return arrays

    return examine


def cuttings(settings: Faces) -> dict[str, Faces]:
    """The sets that the stage makes, by their folders, and how each is cut."""
    return {"set": settings, "colour": in_colour(settings), "portraits": as_portraits(settings)}


def look_at(image: np.ndarray, found: "Detections") -> Look:
    """A picture (H, W, 3) uint8 as the rules see it, with the faces that were found."""
    main = main_face(found.boxes, image.shape[:2])
    face = None
    if main is not None:
        face = cut(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), upright(found.landmarks[main], SIDE, MARGIN), SIDE)
    return Look(image, found.boxes, found.scores, found.landmarks, main, face)


def look_closer(images: np.ndarray, looks: list[Look], detect: "Callable[..., list[Detections]]") -> list[Look]:
    """`looks`, but of pictures without a face what may be one: a mask, a turn or few pixels keep the detector unsure."""
    closer, without = list(looks), [row for row, look in enumerate(looks) if look.main is None]
    if without:
        for row, found in zip(without, detect(images[without], FAINT), strict=True):
            closer[row] = look_at(images[row], found)
    return closer


def _cut(pictures: np.ndarray, looks: list[Look], settings: Faces) -> Arrays:
    """The main faces of the pictures that have one, and where their boxes and landmarks lie."""
    cuts = [cut_face(image, look.boxes[look.main], look.landmarks[look.main], settings)
            for image, look in zip(pictures, looks, strict=True) if look.main is not None]
    faces = np.empty((len(cuts), settings.size, settings.size, settings.channels), np.uint8)
    boxes, landmarks = np.empty((len(cuts), 4), np.float32), np.empty((len(cuts), 10), np.float32)
    for row, face in enumerate(cuts):
        faces[row], boxes[row], landmarks[row] = face
    return {"faces": featured(faces, settings.features), "boxes": boxes, "landmarks": landmarks}
