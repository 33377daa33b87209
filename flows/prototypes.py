"""Stage `prototypes`: what the training faces of each class of the hidden attribute have in common.

Writes `prototypes.npz` and `prototypes.png`. The file holds the prototypes `plain` (K, H, W, 3) uint8 and `plain_neutral`
(H, W, 3), and where the training faces have landmarks the same `aligned`, with the `canonical` landmarks (5, 2) at which
these lie: where the faces have theirs on average.
"""

import numpy as np

from data.contact_sheet import contact_sheet
from data.faceset import FaceSet
from data.png import write_png
from flows.attribute import CLASSES, PROTOTYPES, labels_of, landmarks_of, telling
from flows.stage import Stage
from models.san.prototypes import aligned_means, means, neutral


def run(stage: Stage) -> None:
    """Averages the faces; raises ValueError where a class has none, or where landmarks lack that `san.aligned` needs."""
    attribute = stage.params.san.attribute
    training = telling(FaceSet.open(stage.inputs["faces"] / "set"), attribute).split("train")
    names, labels = CLASSES[attribute], labels_of(training, attribute)
    made = {"plain": means(training.images, labels, len(names))}
    if stage.params.san.aligned or training.table["landmarks"].notna().all():
        landmarks = landmarks_of(training)
        made["aligned"] = aligned_means(training.images, labels, landmarks, landmarks.mean(axis=0), len(names))
    stored, pictures, captions = {}, [], []
    for kind, prototypes in made.items():
        between = neutral(prototypes, labels)
        stored |= {kind: prototypes, f"{kind}_neutral": between}
        pictures += [*prototypes, between]
        captions += [f"{name}, {kind}" for name in (*names, "all")]
    if "aligned" in made:
        stored["canonical"] = landmarks.mean(axis=0)
    np.savez(stage.out / PROTOTYPES, **stored)
    write_png(stage.out / "prototypes.png", contact_sheet(np.stack(pictures), len(names) + 1, captions))
    counts = np.bincount(labels, minlength=len(names))
    stage.watch.log("training faces: " + ", ".join(f"{name} {count:,}" for name, count in zip(names, counts)))
