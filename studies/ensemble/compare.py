"""What the networks of an ensemble, their mean, and its pupils say of FER-2013's PublicTest.

    python -m studies.ensemble.compare SET NETWORK… [--pupils PUPIL…]

NETWORK and PUPIL are folders that `studies.ensemble.train` wrote. How a network looks at a picture (plain, mirrored, ten
crops) is chosen for it on the validation rows; PublicTest chooses nothing. Writes `studies/ensemble/results.json` and
prints it as a table. Intervals are Wilson's at 95 %.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from data.faceset import EXPRESSIONS, FaceSet
from metrics.classification import report
from models.fer import weights
from models.fer.ensemble import together
from studies.ensemble.train import VIEWS

RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", type=Path)
    parser.add_argument("networks", type=Path, nargs="+")
    parser.add_argument("--pupils", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    faces = FaceSet.open(options.set)
    labels = {split: faces.split(split).table["label"].to_numpy(int) for split in ("validation", "public_test")}
    words = {folder: best_view(np.load(folder / "words.npz"), labels["validation"])
             for folder in (*options.networks, *options.pupils)}  # fmt: skip
    rows = {folder.name: row(said, labels) | described(folder) for folder, said in words.items()}
    rows["ensemble"] = row(mean([words[folder] for folder in options.networks]), labels)
    RESULTS.write_text(json.dumps(rows, indent=2) + "\n")
    print(pd.DataFrame(rows).T.to_string())


def best_view(words: dict[str, np.ndarray], truth: np.ndarray) -> dict[str, np.ndarray]:
    """{"validation", "public_test"} -> probabilities (N, 7) of the view that is right most often on validation."""
    view = max(VIEWS, key=lambda view: (words[f"validation/{view}"].argmax(axis=1) == truth).mean())
    return {split: words[f"{split}/{view}"] for split in ("validation", "public_test")} | {"view": view}


def mean(many: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The mean of what several say: the ensemble's word."""
    return {split: together([each[split] for each in many]) for split in ("validation", "public_test")}


def row(said: dict[str, np.ndarray], labels: dict[str, np.ndarray]) -> dict[str, object]:
    """Accuracy on both splits, and on PublicTest its interval, balanced accuracy and macro-F1."""
    right = {split: float((said[split].argmax(axis=1) == truth).mean()) for split, truth in labels.items()}
    figures = report(labels["public_test"], said["public_test"], EXPRESSIONS)
    kept = {name: figures[name] for name in ("accuracy_low", "accuracy_high", "balanced_accuracy", "macro_f1")}
    return right | kept | {"view": said.get("view", "each its own")}


def described(folder: Path) -> dict[str, object]:
    """What the card tells of how the network in `folder` came about."""
    card = weights.load(folder / "weights.npz")[1]
    return {"network": card["network"], "epochs": card["recipe"]["epochs"], "seed": card["seed"], "votes": card["votes"]}


if __name__ == "__main__":
    main()
