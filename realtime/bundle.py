"""What the program carries beside its code: networks (ONNX), their settings (model.json), emoji and the model card."""

import json
from dataclasses import dataclass
from importlib.resources.abc import Traversable

import cv2
import numpy as np
import onnxruntime

from realtime.cascade import Network
from realtime.privacy import Privacy

DETECTOR = ("pnet", "rnet", "onet")
CLASSIFIER = "classifier"


@dataclass(frozen=True)
class Settings:
    """The contents of model.json.

    The classifier sees `size` x `size` pixels of `channels` (1 grey, 3 RGB), value * scale + offset, cut out of the
    frame as in training: turned upright if `align`, with `margin` of the face's side around it (below 0: tighter). It
    answers logits in the order of `labels`, which are divided by `temperature` before they become probabilities.
    `thresholds`, `factor` and `min_face` are the detector's, which looks at every `detect_every`-th frame; `smoothing`
    is the share of the past in a person's probabilities.
    """

    labels: tuple[str, ...]
    size: int
    channels: int
    scale: float
    offset: float
    temperature: float
    align: bool
    margin: float
    smoothing: float
    detect_every: int
    min_face: float
    thresholds: tuple[float, float, float]
    factor: float


@dataclass(frozen=True)
class Bundle:
    """Everything loaded: `emoji` maps a label to (256, 256, 4) uint8 BGRA, `detector` is P-, R- and O-Net; `privacy` is
    what hides faces, None where the file carries nothing that could."""

    settings: Settings
    detector: tuple[Network, Network, Network]
    classifier: Network
    emoji: dict[str, np.ndarray]
    card: str
    privacy: Privacy | None

    @classmethod
    def load(cls, folder: Traversable, threads: int) -> "Bundle":
        """Reads a folder, or a folder inside a zip archive; each network runs on `threads` threads."""
        values = json.loads((folder / "model.json").read_text("utf-8"))
        values |= {"labels": tuple(values["labels"]), "thresholds": tuple(values["thresholds"])}
        settings = Settings(**values)
        emoji = {}
        for label in settings.labels:
            coded = np.frombuffer((folder / "emoji" / f"{label}.png").read_bytes(), np.uint8)
            emoji[label] = cv2.imdecode(coded, cv2.IMREAD_UNCHANGED)
        return cls(
            settings,
            tuple(network((folder / f"{name}.onnx").read_bytes(), threads) for name in DETECTOR),
            network((folder / f"{CLASSIFIER}.onnx").read_bytes(), threads),
            emoji,
            (folder / "card.md").read_text("utf-8"),
            Privacy.load(folder, lambda model: network(model, threads)),
        )


def network(model: bytes, threads: int) -> Network:
    """A serialised ONNX model of one input as a function of one array, which returns the list of its outputs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda array: session.run(None, {name: array})
