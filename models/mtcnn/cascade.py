"""The detector: P-, R- and O-Net one after the other (Zhang et al. 2016, section II), as in facenet and `mtcnn` 0.1.1.

The networks run on the device in batches of a few fixed sizes, so that they are compiled once a picture size; what is
between them, resizing by area averages, thresholds and suppression of a few hundred boxes, runs on the host.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import numpy as np
from flax import nnx

from models.mtcnn import weights
from models.mtcnn.area import resize
from models.mtcnn.boxes import cut_out, regress, square, suppress
from models.mtcnn.pyramid import Pyramid, propose, pyramid
from models.mtcnn.wide import widened

PIXELS = 2**19          # of the pictures that go through P-Net at once: more do not fit a processor's cache
BATCHES = (32, 8, 2)    # windows that go through R- and O-Net at once, for the same reason
BATCHES_ELSEWHERE = (512, 64, 8)  # the same on an accelerator, which a few windows would leave idle
PER_LEVEL = 2000        # windows of one level and picture that are followed up, the best ones

Thresholds = tuple[float, float, float]  # the least scores after P-, R- and O-Net


@dataclass(frozen=True)
class Detections:
    """The faces of one picture, best first.

    Attributes:
        boxes: (k, 4) float32 x1, y1, x2, y2 in pixels; may reach beyond the picture.
        scores: (k,) float32 probability of a face.
        landmarks: (k, 5, 2) float32 x, y in pixels of left eye, right eye, nose, left and right corner of the mouth,
            where left is the left of the picture.
    """

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)


class Detector:
    """Finds faces of at least `min_face` pixels; `thresholds` are the least scores after P-, R- and O-Net.

    Every new picture size costs a compilation of some seconds: bring pictures to few sizes first.
    """

    def __init__(self, min_face: float = 20, thresholds: Thresholds = (0.6, 0.7, 0.7)):
        if min_face < 12:
            raise ValueError(f"min_face is {min_face}, but MTCNN cannot see faces of under 12 pixels")
        self.min_face, self.thresholds = min_face, thresholds
        pnet, rnet, onet = (widened(network) for network in weights.load())
        self._propose = _compiled(propose, pnet)
        self._refine, self._output = _compiled(_classify, rnet), _compiled(_classify, onet)

    def detect(self, images: np.ndarray, thresholds: Thresholds | None = None) -> list[Detections]:
        """The faces of each of the pictures (N, H, W, 3) uint8 RGB; `thresholds` stand in for the detector's own."""
        if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
            raise ValueError(f"pictures (N, H, W, 3) uint8 RGB are needed, got {images.dtype} {tuple(images.shape)}")
        levels = pyramid(*images.shape[1:3], self.min_face)
        at_once = max(1, PIXELS // (images.shape[1] * images.shape[2]))
        found = []
        for start in range(0, len(images), at_once):
            part = np.asarray(images[start:start + at_once], np.float32)
            found += self._detect(part, levels, at_once, thresholds or self.thresholds)
        return found

    def _detect(self, images: np.ndarray, levels: Pyramid, at_once: int, least: Thresholds) -> list[Detections]:
        """The faces of up to `at_once` pictures; `boxes` and what the networks say of them are lists by picture."""
        boxes = self._first(images, levels, at_once, least[0])
        seen = zip(boxes, *_look(self._refine, images, boxes, 24), strict=True)
        boxes = [_second(*each, least[1]) for each in seen]
        seen = zip(boxes, *_look(self._output, images, boxes, 48), strict=True)
        return [_third(*each, least[2]) for each in seen]

    def _first(self, images: np.ndarray, levels: Pyramid, at_once: int, least: float) -> list[np.ndarray]:
        """The windows of each picture that P-Net takes for faces, as squares."""
        if not levels.sizes:
            return [np.empty((0, 4))] * len(images)
        shrunk = [np.stack([resize(image, *size) for image in images]) for size in levels.sizes]
        outputs = self._propose([_pad(level, at_once) for level in shrunk])
        probabilities, shares = (np.asarray(output)[:len(images)] for output in outputs)
        boxes = []
        for probability, share in zip(probabilities, shares, strict=True):
            likely = np.flatnonzero(probability >= least)
            kept = [likely[:0]]
            for level in range(len(levels.sizes)):
                here = likely[levels.level[likely] == level]
                here = here[np.argsort(-probability[here], kind="stable")[:PER_LEVEL]]
                kept.append(here[suppress(levels.windows[here], probability[here], 0.5)])
            kept = np.concatenate(kept)
            kept = kept[suppress(levels.windows[kept], probability[kept], 0.7)]
            boxes.append(np.fix(square(regress(levels.windows[kept], share[kept], pixel=0))))
        return boxes


def _second(boxes: np.ndarray, scores: np.ndarray, shares: np.ndarray, least: float) -> np.ndarray:
    """The boxes of one picture that R-Net takes for faces, moved and squared."""
    passed = np.flatnonzero(scores > least)
    passed = passed[suppress(boxes[passed], scores[passed], 0.7)]
    return np.fix(square(regress(boxes[passed], shares[passed], pixel=1)))


def _third(
    boxes: np.ndarray, scores: np.ndarray, shares: np.ndarray, landmarks: np.ndarray, least: float
) -> Detections:
    """The faces of one picture."""
    passed = np.flatnonzero(scores > least)
    boxes, scores = boxes[passed], scores[passed]
    points = landmarks[passed].reshape(-1, 2, 5).transpose(0, 2, 1)
    points = boxes[:, None, :2] - 1 + points * (boxes[:, None, 2:] - boxes[:, None, :2] + 1)
    boxes = regress(boxes, shares[passed], pixel=1)
    kept = suppress(boxes, scores, 0.7, share_of="smaller")
    return Detections(boxes[kept].astype(np.float32), scores[kept], points[kept].astype(np.float32))


def _compiled(function: Callable, network: nnx.Module) -> Callable[..., tuple[jax.Array, ...]]:
    """`function(network, arrays)` compiled, as a function of the arrays."""
    graph, state = nnx.split(network)
    return partial(jax.jit(lambda state, arrays: function(nnx.merge(graph, state), arrays)), state)


def _classify(network: nnx.Module, windows: jax.Array) -> tuple[jax.Array, ...]:
    """What R- or O-Net says of windows (n, side, side, 3) float32 in [0, 255]."""
    return network((windows - 127.5) / 128)


def _look(network: Callable, images: np.ndarray, boxes: Sequence[np.ndarray], side: int) -> list[list[np.ndarray]]:
    """What `network` says of the contents of the boxes: for each of its outputs a list of arrays, one a picture."""
    windows = np.concatenate([cut_out(*each, side) for each in zip(images, boxes, strict=True)])
    sizes = BATCHES if jax.default_backend() == "cpu" else BATCHES_ELSEWHERE
    parts, start = [], 0
    while start < len(windows) or not parts:
        size = next((size for size in sizes if size <= len(windows) - start), sizes[-1])
        parts.append(network(_pad(windows[start:start + size], size)))
        start += size
    ends = np.cumsum([len(here) for here in boxes])
    return [np.split(np.concatenate(output), ends)[:-1] for output in zip(*parts, strict=True)]


def _pad(rows: np.ndarray, count: int) -> np.ndarray:
    """`rows` with black ones added up to `count`."""
    return np.concatenate([rows, np.zeros((count - len(rows), *rows.shape[1:]), rows.dtype)])
