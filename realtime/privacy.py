"""Faces perturbed before anything is shown: a semi-adversarial autoencoder (Mirjalili et al. 2018) in place of each face.

A face is cut out in grey as the autoencoder's training faces were, shown with another prototype than that of its own class,
and laid back over the whole of what was cut out, so that no pixel of the face itself is left there.
"""

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources.abc import Traversable

import cv2
import numpy as np

from realtime.cascade import Network
from realtime.crop import crop_matrix, face_crop, on_pixels
from realtime.tracking import Track

SHOWN = ("op", "nt")  # another class's prototype, the neutral one
PATIENCE = 0.8  # share of the past in what class a person is taken for


class PrivacyError(Exception):
    """This file cannot hide faces; the message says what to do."""


@dataclass(frozen=True)
class Privacy:
    """What hides an attribute of faces: `classes` names its values.

    Faces are cut as `size`, `margin` and `align` say. `san` takes (N, size, size, 7) in [0, 1], the grey face, its own
    prototype and the one to be shown, and gives the face (N, size, size, 1); `reader` takes the grey face and gives logits of
    its class. `prototypes` are (K, size, size, 3) uint8, `neutral` (size, size, 3); with `canonical` (5, 2), where their
    landmarks lie, they are laid over those of the face.
    """

    attribute: str
    classes: tuple[str, ...]
    size: int
    margin: float
    align: bool
    san: Network
    reader: Network
    prototypes: np.ndarray
    neutral: np.ndarray
    canonical: np.ndarray | None

    @classmethod
    def load(cls, folder: Traversable, network: Callable[[bytes], Network]) -> "Privacy | None":
        """Reads it from a folder, or says None where the folder carries none; `network` makes one of a serialised model."""
        if not (folder / "privacy.json").is_file():
            return None
        values = json.loads((folder / "privacy.json").read_text("utf-8"))
        with np.load(io.BytesIO((folder / "prototypes.npz").read_bytes()), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return cls(
            **values | {"classes": tuple(values["classes"])},
            san=network((folder / "san.onnx").read_bytes()),
            reader=network((folder / "reader.onnx").read_bytes()),
            prototypes=arrays["classes"],
            neutral=arrays["neutral"],
            canonical=arrays.get("canonical"),
        )


class Hider:
    """Puts perturbed faces in place of all that are followed, frame by frame.

    Args:
        privacy: what the file carries; None is refused.
        shown: which prototype, one of SHOWN.
    """

    def __init__(self, privacy: Privacy | None, shown: str):
        if privacy is None:
            raise PrivacyError(
                "this file carries no network that hides faces, so --privacy cannot be kept. Make it anew from faces that "
                "tell an attribute to hide, with faces.features none: python -m flows run export"
            )
        self._privacy, self._shown = privacy, shown
        self._read: dict[int, np.ndarray] = {}  # by person, what class they are taken for

    def hide(self, frame: np.ndarray, people: Iterable[Track]) -> None:
        """Changes the BGR frame (H, W, 3) uint8 in place, where each of the people is."""
        people, privacy = list(people), self._privacy
        self._read = {person.id: self._read[person.id] for person in people if person.id in self._read}
        if not people:
            return
        cut = privacy.size, privacy.margin, privacy.align
        faces = np.stack([face_crop(frame, person.box, person.landmarks, cut[0], 1, *cut[1:]) for person in people])
        matrices = [crop_matrix(person.box, person.landmarks, *cut) for person in people]
        grey = faces.astype(np.float32) / 255
        inputs = [
            np.concatenate([face, *self._prototypes(own, person, matrix)], axis=2)
            for face, own, person, matrix in zip(grey, self._classes(grey, people), people, matrices, strict=True)
        ]
        made = np.clip(privacy.san(np.stack(inputs))[0] * 255, 0, 255).astype(np.uint8)
        for face, matrix in zip(made, matrices, strict=True):
            _lay(frame, face, matrix)

    def _classes(self, grey: np.ndarray, people: list[Track]) -> list[int]:
        """The class of each person, as it was read in all their faces so far."""
        for person, logits in zip(people, self._privacy.reader(grey)[0], strict=True):
            past = self._read.get(person.id, logits)
            self._read[person.id] = PATIENCE * past + (1 - PATIENCE) * logits
        return [int(self._read[person.id].argmax()) for person in people]

    def _prototypes(self, own: int, person: Track, matrix: np.ndarray) -> list[np.ndarray]:
        """The prototype of the own class and the one to be shown, (size, size, 3) float32 in [0, 1] each."""
        privacy = self._privacy
        other = privacy.prototypes[(own + 1) % len(privacy.prototypes)]
        both = [privacy.prototypes[own], other if self._shown == "op" else privacy.neutral]
        if privacy.canonical is not None:
            landmarks = person.landmarks @ matrix[:, :2].T + matrix[:, 2]
            points = np.column_stack([privacy.canonical, np.ones(len(privacy.canonical))])
            over = np.linalg.lstsq(points, landmarks, rcond=None)[0].T
            side = (privacy.size, privacy.size)
            both = [cv2.warpAffine(each, over, side, borderMode=cv2.BORDER_REPLICATE) for each in both]
        return [each.astype(np.float32) / 255 for each in both]


def _lay(frame: np.ndarray, face: np.ndarray, matrix: np.ndarray) -> None:
    """Lays a grey face (S, S, 1) over that part of the BGR frame that `matrix` (2, 3) took it from."""
    size, (height, width) = len(face), frame.shape[:2]
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) - matrix[:, 2]
    places = corners @ np.linalg.inv(matrix[:, :2]).T
    left, top = np.maximum(np.floor(places.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(places.max(axis=0)).astype(int), (width, height))
    if left >= right or top >= bottom:
        return
    shifted = matrix + np.column_stack([np.zeros((2, 2)), matrix[:, :2] @ (left, top)])
    seen = on_pixels(shifted)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(face, seen, (right - left, bottom - top), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    whole = np.full(face.shape[:2], 255, np.uint8)
    inside = cv2.warpAffine(whole, seen, (right - left, bottom - top), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    frame[top:bottom, left:right][inside > 0] = laid[inside > 0][:, None]
