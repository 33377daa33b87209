"""What the realtime runner needs to hide faces: SAN's autoencoder and a small classifier of the own class as ONNX, both
checked, the prototypes, and how faces are cut for them.
"""

import io
import json
from dataclasses import dataclass

import numpy as np
from jax import Array

from data.faceset import FaceSet
from flows.attribute import CLASSES, Prototypes, labels_of, telling
from flows.cutting import cut_for
from flows.grey import grey
from flows.stage import Stage
from models.onnx_export import Network, export, require_parity
from models.san import weights

READER = "gender@port"  # the smallest of the attribute's classifiers
FIGURES = ("gender@port", "gender@mini_xception", "matcher@unseen")  # those of them that SAN has not seen, for the card


@dataclass(frozen=True)
class Parts:
    """Files by name, the networks' largest differences from their JAX forms, and lines for the model card."""

    files: dict[str, bytes]
    differences: dict[str, float]
    lines: list[str]


def privacy_parts(stage: Stage, checked: int, tolerance: float) -> Parts:
    """The parts, with both networks checked on `checked` faces of this run and on as much noise.

    Raises ParityError where a network differs by more than `tolerance`.
    """
    settings = stage.params.san
    known = telling(FaceSet.open(stage.inputs["faces"] / "set"), settings.attribute)
    faces = known.select(np.unique(np.linspace(0, len(known) - 1, checked).astype(int)))
    pictures, size = np.asarray(grey(faces.images)[:]), faces.images.shape[1]
    prototypes = Prototypes.load(stage.inputs["prototypes"], settings.aligned)
    own, shown = prototypes.shown_to(faces, labels_of(faces, settings.attribute))
    autoencoder, _ = weights.load(stage.inputs["san"] / "weights.npz")
    reader, _ = weights.load(stage.inputs[READER] / "weights.npz")

    def perturbed(packed: Array) -> Array:
        return autoencoder(packed[..., :1], packed[..., 1:4], packed[..., 4:], "grouped")

    seen = {"san": np.concatenate([pictures, own, shown["op"]], axis=3), "reader": pictures}
    noise = np.random.default_rng(0)
    files, differences = {}, {}
    networks: dict[str, tuple[Network, str]] = {"san": (perturbed, "face"), "reader": (reader, "logits")}
    for name, (network, output) in networks.items():
        real = seen[name].astype(np.float32) / 255
        model = export(network, ("N", size, size, real.shape[3]), [output], name)
        inputs = [real, noise.random(real.shape, np.float32)]
        differences[name] = require_parity(name, model, network, inputs, tolerance)
        files[f"{name}.onnx"] = model
        stage.watch.log(f"{name}: {len(model):,} bytes, differs by at most {differences[name]:.1e}")
    cut = cut_for(sorted(faces.table["source"].dropna().unique()), stage.params.faces)
    description = {"attribute": settings.attribute, "classes": CLASSES[settings.attribute], "size": size,
                   "margin": cut.margin, "align": cut.align}  # fmt: skip
    files["privacy.json"] = json.dumps(description, indent=2).encode()
    files["prototypes.npz"] = packed(prototypes)
    return Parts(files, differences, lines(stage))


def packed(prototypes: Prototypes) -> bytes:
    """The prototypes as `realtime.privacy` reads them."""
    arrays = {"classes": prototypes.classes, "neutral": prototypes.neutral}
    if prototypes.canonical is not None:
        arrays["canonical"] = prototypes.canonical
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def lines(stage: Stage) -> list[str]:
    """What the card says of it: what is hidden, and how well, by judges that the network has not seen."""
    figures = json.loads((stage.inputs["evaluate_san"] / "metrics.json").read_text())
    said = [f"--privacy hides: {stage.params.san.attribute} ({', '.join(CLASSES[stage.params.san.attribute])})"]
    for judge in FIGURES:
        aucs = {shown: figures.get(f"{judge}/{shown}/auc") for shown in ("before", "nt", "op")}
        if aucs["before"] is not None:
            said.append(f"AUC of {judge}: " + ", ".join(f"{shown} {auc:.3f}" for shown, auc in aucs.items()))
    return [*said, "faces that are not found, hair and clothes are shown as they are"]
