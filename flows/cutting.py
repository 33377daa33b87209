"""How a face is cut out of a picture: which one, upright or by its box, and how tight for which classifier."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from data.alignment import cut, moved, moved_box, squared, upright
from data.letterbox import letterbox
from flows.sections import Faces

# Sources whose pictures are faces already are cut tighter than ours. Of 1,095 Training pictures of FER-2013, cut anew
# by our rule out of their repeated borders, the published network gets 70.3 % right at margin -0.1, 66.0 % at 0, 56.4 %
# at 0.25 (75.1 % of the pictures as they are); without turning 70.1 %, 68.4 % and 61.3 %.
FACES_ALREADY = frozenset({"fer2013", "ferplus", "faceset"})
TIGHT = -0.1
# Those, and sources for which conf/data sets faces.detect to false, whose pictures `score` takes whole.
TAKEN_WHOLE = FACES_ALREADY | {"rafdb", "utkface"}

# Picture (size, size, channels) uint8, box (4,) and landmarks (10,) in its pixels.
Face = tuple[np.ndarray, np.ndarray, np.ndarray]


def cut_for(sources: Collection[str], settings: Faces) -> Faces:
    """How to cut faces out of pictures for a classifier that learnt from `sources`: as it saw them."""
    if settings.detect and not FACES_ALREADY.issuperset(sources):
        return settings
    return replace(settings, margin=TIGHT, align=True)


def like_portraits(sources: Collection[str], settings: Faces) -> Faces:
    """How to cut a person's photos as the portraits were that the generators learnt from, of faces of `sources`."""
    portraits, cut_like_them = as_portraits(settings), cut_for(sources, settings)
    return replace(portraits, margin=portraits.margin if cut_like_them is settings else cut_like_them.margin, align=True)


def as_portraits(settings: Faces) -> Faces:
    """How the same faces are cut for the generators."""
    return replace(settings, size=settings.portrait.size, channels=3, margin=settings.portrait.margin, features="none")


def in_colour(settings: Faces) -> Faces:
    """How the same faces are cut for the networks that edit them: as the set, in colour, untouched by `faces.features`."""
    return replace(settings, channels=3, features="none")


def main_face(boxes: np.ndarray, shape: tuple[int, int]) -> int | None:
    """Which of the boxes (k, 4) x1, y1, x2, y2 is the face that a picture of `shape` (H, W) is of; None if k is 0.

    facenet's rule: the largest area less twice the squared distance from the middle of the picture.
    """
    if not len(boxes):
        return None
    corner, end = boxes[:, :2], boxes[:, 2:]
    distance = (corner + end) / 2 - np.array(shape[::-1]) / 2
    return int(np.argmax((end - corner).prod(axis=1) - 2 * (distance ** 2).sum(axis=1)))


def cut_face(image: np.ndarray, box: np.ndarray, landmarks: np.ndarray, settings: Faces) -> Face:
    """One face cut out of `image` (H, W, C), given its box x1, y1, x2, y2 and landmarks (5, 2)."""
    box = np.concatenate([box[:2], box[2:] - box[:2]])
    if settings.align:
        matrix = upright(landmarks, settings.size, settings.margin)
    else:
        matrix = squared(box, settings.size, settings.margin)
    face = letterbox(cut(image, matrix, settings.size), settings.size, settings.channels)
    return face, moved_box(box, matrix), moved(landmarks, matrix).ravel()
