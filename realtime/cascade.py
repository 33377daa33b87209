"""MTCNN on one frame: the P-, R-, O-Net cascade of Zhang et al. 2016 (section II) in numpy around three ONNX networks.

Boxes, rounding and suppression follow the facenet program and the `mtcnn` 0.1.1 package: corners are 1-based and
inclusive, the picture is black beyond its border. `refine` is the last stage alone: given where a face was in the frame
before, O-Net says whether it is still there, where exactly, and where its landmarks are, for a small part of the price
of a detection.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

Network = Callable[[np.ndarray], list[np.ndarray]]


@dataclass(frozen=True)
class Faces:
    """k faces of one frame, best first when they come from `Cascade.detect`.

    Attributes:
        boxes: (k, 4) float64 x1, y1, x2, y2 in pixels; they may reach beyond the frame.
        scores: (k,) float64 in [0, 1].
        landmarks: (k, 5, 2) float64 x, y of left eye, right eye, nose, mouth left, mouth right (left in the picture).
    """

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, keep: np.ndarray) -> "Faces":
        return Faces(self.boxes[keep], self.scores[keep], self.landmarks[keep])


def overlap(boxes: np.ndarray, others: np.ndarray, by_smaller: bool = False) -> np.ndarray:
    """(a, b) intersection of boxes (a, 4) and others (b, 4) over their union, or over the smaller area of the two."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.maximum(high - low + 1, 0)
    both = shared[..., 0] * shared[..., 1]
    area = (boxes[:, 2:] - boxes[:, :2] + 1).prod(axis=1)[:, None]
    other_area = (others[:, 2:] - others[:, :2] + 1).prod(axis=1)[None, :]
    return both / (np.minimum(area, other_area) if by_smaller else area + other_area - both)


def suppress(boxes: np.ndarray, scores: np.ndarray, limit: float, by_smaller: bool = False) -> np.ndarray:
    """Greedy non-maximum suppression: the indices that stay, best score first."""
    order = np.argsort(-scores, kind="stable")
    covers = overlap(boxes[order], boxes[order], by_smaller) > limit
    gone = np.zeros(len(order), bool)
    kept = []
    for position, index in enumerate(order):
        if not gone[position]:
            kept.append(index)
            gone |= covers[position]
    return np.array(kept, np.int64)


def square(boxes: np.ndarray) -> np.ndarray:
    """(k, 4) the squares of the longer side about the same centres, corners truncated to whole pixels."""
    side = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    corner = (boxes[:, :2] + boxes[:, 2:]) / 2 - side / 2
    return np.trunc(np.hstack([corner, corner + side]))


def cut(picture: np.ndarray, box: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) the inside of a whole-pixel box, black beyond the picture's border, resized by area."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = (int(value) for value in box)
    left, top = max(x1 - 1, 0), max(y1 - 1, 0)
    inside = picture[top : max(min(y2, height), top), left : max(min(x2, width), left)]
    if inside.shape[:2] != (y2 - y1 + 1, x2 - x1 + 1):
        canvas = np.zeros((max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1), 3), np.uint8)
        canvas[top - y1 + 1 :, left - x1 + 1 :][: inside.shape[0], : inside.shape[1]] = inside
        inside = canvas
    return cv2.resize(inside, (size, size), interpolation=cv2.INTER_AREA)


def scaled(pictures: np.ndarray) -> np.ndarray:
    """uint8 BGR as OpenCV gives it -> float32 RGB in [-1, 1] as the three networks were trained."""
    return (pictures[..., ::-1].astype(np.float32) - np.float32(127.5)) * np.float32(0.0078125)


class Cascade:
    """The three networks with the thresholds of their stages.

    Args:
        networks: P-, R- and O-Net; each takes (N, H, W, 3) float32 and returns its face probabilities and box
        corrections,
            O-Net its landmarks as third.
        min_face: side in pixels of the smallest face to look for.
        thresholds: least probability of a face after P-, R- and O-Net.
        factor: the ratio of one pyramid level's side to the one before.
    """

    def __init__(
        self,
        networks: tuple[Network, Network, Network],
        min_face: float,
        thresholds: tuple[float, float, float],
        factor: float,
    ):
        self.pnet, self.rnet, self.onet = networks
        self.min_face, self.thresholds, self.factor = min_face, thresholds, factor

    def detect(self, frame: np.ndarray) -> Faces:
        """All faces of a BGR frame (H, W, 3) uint8."""
        boxes = self._propose(frame)
        if len(boxes):
            probability, correction = self.rnet(scaled(np.stack([cut(frame, box, 24) for box in boxes])))
            keep = probability > self.thresholds[1]
            boxes, probability, correction = boxes[keep], probability[keep], correction[keep]
            keep = suppress(boxes, probability, 0.7)
            boxes = square(_corrected(boxes[keep], correction[keep], 1))
        faces = self._look(frame, boxes)
        faces = faces[faces.scores > self.thresholds[2]]
        return faces[suppress(faces.boxes, faces.scores, 0.7, by_smaller=True)]

    def refine(self, frame: np.ndarray, boxes: np.ndarray) -> Faces:
        """O-Net's opinion on each of the boxes (k, 4): none is left out, a low score says that it is not a face."""
        return self._look(frame, square(boxes))

    def _look(self, frame: np.ndarray, squares: np.ndarray) -> Faces:
        if not len(squares):
            return Faces(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))
        probability, correction, points = self.onet(scaled(np.stack([cut(frame, box, 48) for box in squares])))
        side = (squares[:, 2:] - squares[:, :2] + 1)[:, None, :]
        landmarks = points.reshape(-1, 2, 5).transpose(0, 2, 1) * side + squares[:, None, :2] - 1
        return Faces(_corrected(squares, correction, 1), probability.astype(np.float64), landmarks)

    def _propose(self, frame: np.ndarray) -> np.ndarray:
        """(k, 4) squares that P-Net takes for faces on any level of the pyramid."""
        height, width = frame.shape[:2]
        scale = 12 / self.min_face
        found = []
        while min(height, width) * scale >= 12:
            size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
            level = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
            probability, correction = self.pnet(scaled(level[None]))
            y, x = np.nonzero(probability[0] >= self.thresholds[0])
            cell = np.stack([x, y], axis=1)
            boxes = np.trunc(np.hstack([(2 * cell + 1) / scale, (2 * cell + 12) / scale]))
            scores = probability[0, y, x]
            keep = suppress(boxes, scores, 0.5)
            found.append(np.hstack([boxes, scores[:, None], correction[0, y, x]])[keep])
            scale *= self.factor
        found = np.concatenate(found) if found else np.zeros((0, 9))
        found = found[suppress(found[:, :4], found[:, 4], 0.7)]
        return square(_corrected(found[:, :4], found[:, 5:], 0))


def _corrected(boxes: np.ndarray, correction: np.ndarray, rim: int) -> np.ndarray:
    """Corners moved by a share of the side; P-Net counts a side as x2 - x1, the later stages with the rim pixel."""
    side = boxes[:, 2:] - boxes[:, :2] + rim
    return boxes + correction * np.hstack([side, side])
