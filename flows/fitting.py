"""Pictures of any size as the faces that a classifier takes: whole, or found, and cut as that classifier learnt them."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from data.letterbox import letterbox
from flows import settings
from flows.cutting import cut_face, cut_for, main_face

LEAST_SIDE = 128  # of the pictures in which faces are looked for

Found = tuple[np.ndarray, np.ndarray, np.ndarray]  # a picture (S, S, 3), box (4,) and landmarks (5, 2) of its main face
Finder = Callable[[list[np.ndarray]], list[Found | None]]
Cutter = Callable[[np.ndarray, Found | None], np.ndarray | None]  # a picture and what was found in it, to a face or none


def finder(how: str) -> Finder:
    """What looks for a face in each of many pictures; it finds none where `how` is "crop", since each is one as a whole."""
    if how == "crop":
        return lambda images: [None] * len(images)
    from models.mtcnn import Detector  # here, because its networks are compiled when it is made

    params = settings.load()
    side = max(params.data.size, LEAST_SIDE)
    detector = Detector(min_face=params.faces.min_face)

    def find(images: list[np.ndarray]) -> list[Found | None]:
        pictures = np.stack([letterbox(image, side, 3) for image in images])
        results = []
        for picture, found in zip(pictures, detector.detect(pictures), strict=True):
            main = main_face(found.boxes, picture.shape[:2])
            results.append(None if main is None else (picture, found.boxes[main], found.landmarks[main]))
        return results

    return find


def cutter(how: str, card: dict) -> Cutter:
    """What makes faces (size, size, channels), as the weights' `card` has them, of pictures; None where there is no face."""
    size, channels = card["size"], card["channels"]
    if how == "crop":
        return lambda image, _: fit(image, size, channels)
    learnt_from = card.get("sources", ["fer2013"])  # the published Keras weights say nothing of it
    faces = replace(cut_for(learnt_from, settings.load().faces), size=size, channels=channels)

    def cut(image: np.ndarray, found: Found | None) -> np.ndarray | None:
        if max(image.shape[:2]) <= size:  # no room for anything beside the face
            return fit(image, size, channels)
        return None if found is None else cut_face(*found, faces)[0]

    return cut


def fit(image: np.ndarray, size: int, channels: int) -> np.ndarray:
    """A picture that is a face, as (size, size, channels) uint8; what is not square gets black bars.

    Enlarges linearly, as the published 64-pixel weights learnt FER-2013: cubic enlarging costs them 1.2 points.
    """
    square = letterbox(image, max(image.shape[:2]), channels)
    shrinks = len(square) > size
    resized = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized.reshape(size, size, channels)
