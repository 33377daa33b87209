"""Keeps one network of the ensemble under models/released/, as `./run release` keeps the pipeline's.

    python -m studies.ensemble.release SET NETWORK NAME

SET is the face set and NETWORK the folder that `studies.ensemble.train` wrote. The card gets the PublicTest figures of the
mean over a picture and its mirror image, which is how the runner looks, and the terms of the data.
"""

import shutil
import sys
from pathlib import Path

import numpy as np

from data.faceset import EXPRESSIONS, FaceSet
from flows.card import RELEASED, terms_of
from metrics.classification import report
from models.fer import weights

SPLIT = "public_test"


def main(faces: Path, network: Path, name: str) -> None:
    """Writes NAME.npz and NAME.history.csv."""
    model, card = weights.load(network / "weights.npz")
    truth = FaceSet.open(faces).split(SPLIT).table["label"].to_numpy(int)
    figures = report(truth, np.load(network / "words.npz")[f"{SPLIT}/mirrored"], EXPRESSIONS)
    card["evaluation"] = {f"{SPLIT}/{name}": value for name, value in figures.items() if isinstance(value, float)}
    card["terms"] = terms_of(card["sources"] + (["ferplus"] if card["votes"] else []))
    path = RELEASED.with_name(f"{name}.npz")
    weights.save(path, model, card)
    shutil.copyfile(network / "history.csv", path.with_suffix(".history.csv"))
    print(f"{path}: {path.stat().st_size:,} bytes, accuracy {figures['accuracy']:.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
