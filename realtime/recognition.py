"""From a frame to the people in it: detect or follow, crop, classify, smooth.

Between detections O-Net alone follows each face: on the test clip its boxes agree with a detection in the same frame
more often than those of optical flow (94 % to 93 % over IoU 0.5 after up to four frames, 89 % to 87 % after nine), at
the same price, and it also gives the score and the landmarks.
"""

import cv2
import numpy as np

from realtime.bundle import Bundle
from realtime.cascade import Cascade
from realtime.crop import face_crop
from realtime.tracking import Track, Tracker

BATCHES = (
    1,
    2,
    4,
    8,
)  # a batch is filled up to one of these, so that onnxruntime plans its memory for four shapes only
CUT = 0.5  # least correlation of two frames that follow each other; the cuts of the test clip have 0.01 to 0.27
FLAT = 40.0  # norm of a thumbnail without contrast (under 2 grey levels), whose correlation is noise


class Recogniser:
    """Follows the faces of one film or camera, frame by frame.

    Args:
        bundle: the networks and their settings.
        min_face: side in pixels of the smallest face to find.
        detect_every: look for new faces every so many frames.
    """

    def __init__(self, bundle: Bundle, min_face: float, detect_every: int):
        self.settings, self._classifier = bundle.settings, bundle.classifier
        self._cascade = Cascade(bundle.detector, min_face, self.settings.thresholds, self.settings.factor)
        self._detect_every = detect_every
        self._tracker = Tracker()
        self._since_detection = 0
        self._thumbnail: np.ndarray | None = None

    def warm_up(self, height: int, width: int) -> None:
        """Runs every network once at the shapes that height x width frames bring, so that the first one is not late."""
        frame = np.full((height, width, 3), 127, np.uint8)
        self._cascade.detect(frame)
        for network, side in ((self._cascade.rnet, 24), (self._cascade.onet, 48)):
            network(np.zeros((1, side, side, 3), np.float32))
        crop = np.zeros((self.settings.size, self.settings.size, self.settings.channels), np.uint8)
        for size in BATCHES:
            self.probabilities([crop] * size)

    def see(self, frame: np.ndarray) -> list[Track]:
        """The people visible in the next BGR frame (H, W, 3) uint8, with smoothed probabilities.

        The detector looks in every `detect_every`-th frame, and at once where nobody is in view or somebody got lost.
        """
        tracker = self._tracker
        if self._is_cut(frame):
            tracker.forget()
        tracker.advance(width=frame.shape[1], height=frame.shape[0])
        tracker.refine(self._cascade.refine(frame, tracker.boxes))
        self._since_detection += 1
        if self._since_detection >= self._detect_every or not tracker.all_seen:
            tracker.detect(self._cascade.detect(frame))
            self._since_detection = 0
        people = tracker.visible
        settings = self.settings
        crops = [
            face_crop(
                frame, person.box, person.landmarks, settings.size, settings.channels, settings.margin, settings.align
            )
            for person in people
        ]
        for person, probabilities in zip(people, self.probabilities(crops), strict=True):
            person.smooth(probabilities, settings.smoothing)
        return people

    @property
    def followed(self) -> list[Track]:
        """Everybody who may be in the frame, also those out of sight for a moment."""
        return self._tracker.tracks

    def probabilities(self, crops: list[np.ndarray]) -> np.ndarray:
        """(k, labels) float64 of k uint8 crops (size, size, channels), in padded batches."""
        settings, rows = self.settings, []
        for start in range(0, len(crops), BATCHES[-1]):
            part = np.stack(crops[start : start + BATCHES[-1]]).astype(np.float32)
            size = next(size for size in BATCHES if size >= len(part))
            padded = np.zeros((size, settings.size, settings.size, settings.channels), np.float32)
            padded[: len(part)] = part * np.float32(settings.scale) + np.float32(settings.offset)
            logits = self._classifier(padded)[0][: len(part)].astype(np.float64) / settings.temperature
            weights = np.exp(logits - logits.max(axis=1, keepdims=True))
            rows.append(weights / weights.sum(axis=1, keepdims=True))
        return np.concatenate(rows) if rows else np.zeros((0, len(settings.labels)))

    def _is_cut(self, frame: np.ndarray) -> bool:
        """Whether another scene begins here: nobody keeps an id over a cut."""
        small = cv2.cvtColor(cv2.resize(frame, (32, 18), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        last, self._thumbnail = self._thumbnail, small.astype(np.float32) - small.mean(dtype=np.float32)
        if last is None:
            return False
        norms = np.linalg.norm(last), np.linalg.norm(self._thumbnail)
        return bool(max(norms) > FLAT and np.vdot(last, self._thumbnail) < CUT * norms[0] * norms[1])
