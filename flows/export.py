"""Stage `export`: the realtime runner as one file, with its networks as ONNX, its emoji and its model card.

It also carries what hides faces, unless they were made into other features than grey values: the runner computes none.
Every network is checked against its JAX form on faces of this run and on noise; where they differ nothing is exported.
"""

import json
from dataclasses import asdict

import cv2
import numpy as np

from data.faceset import FaceSet
from data.sources import SOURCES
from flows.archive import archive
from flows.card import ACCURATE, RELEASED, card, terms_of
from flows.cutting import cut_for
from flows.privacy import privacy_parts
from flows.stage import Stage
from models.fer import weights
from models.fer.networks import for_export
from models.fer.predict import mirrored
from models.mtcnn.weights import network as mtcnn_network
from models.onnx_export import export, require_parity
from realtime.bundle import CLASSIFIER, Settings

TOLERANCE = 1e-4  # of logits, probabilities and box corrections
CHECKED = 64  # faces that the parity check takes
# P-Net may be stricter here than in training: on the test clip 0.8 finds every face that 0.6 does, in 70 % of its time.
THRESHOLDS = (0.8, 0.7, 0.7)
PYRAMID_FACTOR = 0.709  # Zhang et al.'s program


def run(stage: Stage) -> None:
    """Writes emoji_cam.pyz, card.md and metrics.json (largest differences of the networks, sizes in bytes).

    Raises ValueError for a classifier of other input features than grey values: the runner computes none.
    """
    options, faces = stage.params.export, FaceSet.open(stage.inputs["faces"] / "set")
    trained = stage.inputs["fer@base"] / "weights.npz"
    path = {"released": RELEASED, "accurate": ACCURATE, "trained": trained}[options.classifier]
    classifier, record = weights.load(path)
    size, channels, features = record["size"], record["channels"], record.get("features", "none")
    if features != "none":
        raise ValueError(f"{path.name} learnt from pictures as faces.features {features} makes them, which the runner "
                         "cannot: set faces.features to none and train anew, or export.classifier to released")
    look = mirrored if record.get("mirror", False) else lambda network: network
    cut = cut_for(record["sources"], stage.params.faces)
    settings = Settings(
        labels=tuple(record["labels"]), size=size, channels=channels, scale=1 / 127.5, offset=-1.0,
        temperature=record.get("temperature", 1.0), align=cut.align, margin=cut.margin,
        smoothing=options.smoothing, detect_every=options.detect_every, min_face=options.min_face,
        thresholds=THRESHOLDS, factor=PYRAMID_FACTOR,
    )  # fmt: skip

    pictures = _some(faces)
    models, differences = {}, {}
    networks = {
        CLASSIFIER: (look(for_export(classifier)), ("N", size, size, channels), ("logits",)),
        "pnet": (mtcnn_network("pnet"), ("N", "H", "W", 3), ("face", "box")),
        "rnet": (mtcnn_network("rnet"), ("N", 24, 24, 3), ("face", "box")),
        "onet": (mtcnn_network("onet"), ("N", 48, 48, 3), ("face", "box", "landmarks")),
    }
    for number, (name, (network, shape, outputs)) in enumerate(networks.items()):
        stage.watch.progress(number, len(networks), f"export {name}")
        inputs = _inputs(pictures, shape)
        models[name] = export(network, shape, outputs, name)
        # The classifier is compared with the form in which it was trained.
        reference = look(classifier) if name == CLASSIFIER else network
        differences[name] = require_parity(name, models[name], reference, inputs, TOLERANCE)
        stage.watch.log(f"{name}: {len(models[name]):,} bytes, differs by at most {differences[name]:.1e}")

    privacy = None
    if stage.params.faces.features == "none":
        privacy = privacy_parts(stage, CHECKED, TOLERANCE)
        differences |= privacy.differences
    evaluation = json.loads((stage.inputs["evaluate"] / "metrics.json").read_text()) if path == trained else None
    record |= {"terms": terms_of(record["sources"])}
    text = card(path.name, record, evaluation, settings, differences, emoji_of(stage, faces),
                privacy.lines if privacy else [])
    assets = {f"{name}.onnx": model for name, model in models.items()}
    assets |= {"model.json": json.dumps(asdict(settings), indent=2).encode(), "card.md": text.encode()}
    assets |= privacy.files if privacy else {}
    emoji = stage.inputs["personal_emoji" if options.emoji == "personal" else "emoji"] / "set"
    assets |= {f"emoji/{label}.png": (emoji / f"{label}.png").read_bytes() for label in settings.labels}
    program = archive(assets)
    (stage.out / "emoji_cam.pyz").write_bytes(program)
    (stage.out / "card.md").write_text(text)
    figures = {f"difference_{name}": value for name, value in differences.items()}
    figures |= {f"bytes_{name.removesuffix('.onnx')}": len(made) for name, made in assets.items() if name.endswith(".onnx")}
    figures["bytes"] = len(program)
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def emoji_of(stage: Stage, faces: FaceSet) -> list[str]:
    """What the card says of the emoji: where they are from, and on what terms."""
    if stage.params.export.emoji == "drawn":
        return ["drawn by this project; no terms of others"]
    learnt_from = sorted(faces.table["source"].dropna().unique())
    learnt_from += [stage.params.emoji.source] if stage.params.emoji.source in SOURCES else []
    terms = [f"{source}: {term}" for source, term in terms_of(learnt_from).items()]
    return ["personal: drawn by StyleGAN2 generators that were trained in this run", *terms]


def _some(faces: FaceSet) -> np.ndarray:
    """Up to CHECKED faces from all over the set, (n, H, W, C) uint8."""
    return np.asarray(faces.images[np.unique(np.linspace(0, len(faces) - 1, CHECKED).astype(int))])


def _inputs(pictures: np.ndarray, shape: tuple[int | str, ...]) -> list[np.ndarray]:
    """The pictures and as many of noise as inputs of `shape`, in [-1, 1]; free sizes get an uneven one."""
    height, width, channels = (96 if side == "H" else 117 if side == "W" else side for side in shape[1:])
    noise = np.random.default_rng(0).integers(0, 256, (len(pictures), height, width, channels), np.uint8)
    resized = np.stack([cv2.resize(picture, (width, height)).reshape(height, width, -1) for picture in pictures])
    if resized.shape[3] > channels:
        resized = np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None] for picture in resized])
    resized = np.broadcast_to(resized, noise.shape)
    return [(each / np.float32(127.5) - np.float32(1)).astype(np.float32) for each in (resized, noise)]
