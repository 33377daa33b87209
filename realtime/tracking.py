"""Who is who from frame to frame: an alpha-beta filter a face, joined to detections by overlap (IoU).

A frame goes `advance` (everybody moves on as they moved before), then `refine` (O-Net has looked where each face should
be) and, every few frames, `detect` (the whole cascade has looked everywhere). A face that neither has seen coasts on
its velocity for a while, so that a hand before it does not make it a new person.
"""

from dataclasses import dataclass, field

import numpy as np

from realtime.cascade import Faces, overlap

ALPHA = 0.7  # share of an observation's news that goes into the position: less is calmer, but lags behind the face
BETA = 0.3  # the same for the velocity
FLICKER = 2  # frames that a face known for longer may be unseen and still be shown where it is expected
LONGEST_MISS = 15  # frames that a face coasts unseen, half a second of video
KEEP = 0.5  # least O-Net score on a face already known; lower than for new ones, or faces flicker at the threshold
SAME_FACE = 0.5  # two boxes that overlap more are one face
REACH = 0.25  # a detection that overlaps a face's expected box less is somebody else
COASTING_DISCOUNT = 0.1  # taken off the overlap of an unseen face: of two who cross, the one in view gets the detection
SMALLEST = 8  # pixels; a face shrunk to less is gone


@dataclass
class Track:
    """One person: box (4,) x1, y1, x2, y2 and landmarks (5, 2) in pixels, as smoothed; `missed` frames since
    last seen, `seen` how often before."""

    id: int
    box: np.ndarray
    landmarks: np.ndarray
    score: float
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))
    missed: int = 0
    seen: int = 1
    probabilities: np.ndarray | None = None

    def move(self) -> None:
        self.box = self.box + np.tile(self.velocity, 2)
        self.landmarks = self.landmarks + self.velocity
        self.missed += 1

    def observe(self, box: np.ndarray, landmarks: np.ndarray, score: float) -> None:
        """Corrects the expected position by what was seen in this frame."""
        news = box - self.box
        if self.missed:
            self.velocity = self.velocity + BETA * (news[:2] + news[2:]) / 2 / self.missed
        self.box = self.box + ALPHA * news
        self.landmarks = self.landmarks + ALPHA * (landmarks - self.landmarks)
        self.seen += self.missed > 0
        self.score, self.missed = float(score), 0

    def smooth(self, probabilities: np.ndarray, smoothing: float) -> None:
        """Exponential average of the expression's probabilities; `smoothing` is the share of the past that stays."""
        past = probabilities if self.probabilities is None else self.probabilities
        self.probabilities = smoothing * past + (1 - smoothing) * probabilities


class Tracker:
    """The faces that are being followed; ids count up from 1 and are never given twice."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self._next_id = 1

    @property
    def visible(self) -> list[Track]:
        """Who is to be shown: those seen in this frame, and those who only flicker."""
        return [track for track in self.tracks if track.missed <= min(FLICKER, track.seen // 5)]

    @property
    def all_seen(self) -> bool:
        """Whether there is somebody, and nobody got out of sight in this frame."""
        return bool(self.visible) and all(track.missed != 1 for track in self.tracks)

    @property
    def boxes(self) -> np.ndarray:
        """(k, 4) where the tracks are, or are expected to be."""
        return np.array([track.box for track in self.tracks]).reshape(-1, 4)

    def forget(self) -> None:
        """A cut in the film: nobody of before is in the picture."""
        self.tracks = []

    def advance(self, width: int, height: int) -> None:
        """One frame on: moves everybody and drops those unseen for too long or gone from the width x height picture."""
        for track in self.tracks:
            track.move()
        self.tracks = [
            track for track in self.tracks if track.missed <= LONGEST_MISS and _inside(track.box, width, height)
        ]

    def refine(self, faces: Faces) -> None:
        """O-Net's opinion, one row a track in the tracks' order.

        Where two tracks end on one face, as when one person passes before another, it belongs to the track that
        expected it.
        """
        expected = self.boxes
        agreement = np.array([overlap(expected[i : i + 1], faces.boxes[i : i + 1])[0, 0] for i in range(len(faces))])
        agreement[(faces.scores < KEEP) | (agreement < REACH)] = -1
        together = overlap(faces.boxes, faces.boxes)
        for i in np.argsort(-agreement, kind="stable"):
            if agreement[i] < 0:
                continue
            agreement[(together[i] > SAME_FACE) & (np.arange(len(faces)) != i)] = -1
            self.tracks[i].observe(faces.boxes[i], faces.landmarks[i], faces.scores[i])

    def detect(self, faces: Faces) -> None:
        """Everything the detector found in this frame: known faces are corrected, the others become new tracks."""
        overlaps = overlap(self.boxes, faces.boxes)
        coasting = np.array([track.missed > 0 for track in self.tracks], bool)
        worth = overlaps - COASTING_DISCOUNT * coasting[:, None]
        new = np.ones(len(faces), bool)
        while worth.size and worth.max() >= REACH:
            i, j = np.unravel_index(worth.argmax(), worth.shape)
            self.tracks[i].observe(faces.boxes[j], faces.landmarks[j], faces.scores[j])
            new[j], worth[i], worth[:, j] = False, -1, -1
        for j in np.nonzero(new)[0]:
            if not np.any(overlaps[~coasting, j] > SAME_FACE):
                self.tracks.append(Track(self._next_id, faces.boxes[j], faces.landmarks[j], float(faces.scores[j])))
                self._next_id += 1


def _inside(box: np.ndarray, width: int, height: int) -> bool:
    centre = (box[:2] + box[2:]) / 2
    return bool(np.all(centre >= 0) and centre[0] < width and centre[1] < height and min(box[2:] - box[:2]) >= SMALLEST)
