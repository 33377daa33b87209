"""One arm of the study: mini-Xception on all training rows, or on those that cleaning keeps, in as many steps.

    python -m studies.cleaning.train all|cleaned SEED

Reads `artifacts/ingest/set` and `artifacts/faces/verdicts.csv`; validation and test rows are the same in both arms.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from data.faceset import EXPRESSIONS, FaceSet
from flows import environment, graph, settings
from flows.fer import labels_of
from flows.predictions import PROBABILITIES, classify
from flows.watch import Terminal, Watch
from models.fer.train import fit

EPOCHS = 12  # of all training rows; the cleaned arm takes as many steps
ARMS = ("all", "cleaned")
RESULTS = Path("studies/cleaning/results")


def main(arm: str, seed: int) -> None:
    """Trains one network and writes what it says of every test row: `results/<arm>-<seed>/predictions.parquet`."""
    watch = Watch(Terminal(f"{arm}-{seed}"))
    pictures = FaceSet.open("artifacts/ingest/set")
    kept = pd.read_csv("artifacts/faces/verdicts.csv")["kept"].to_numpy(bool)
    training = rows_to_learn(pictures.table, kept, arm, seed)
    validation = pictures.select((pictures.table["split"] == "validation").to_numpy() & kept)
    watch.log(f"{len(training):,} rows to learn, {len(np.unique(training)):,} of them different")
    recipe = replace(settings.load().fer, epochs=EPOCHS)
    model, outcome = fit(
        recipe,
        labels_of(pictures.select(training)),
        labels_of(validation),
        classes=len(EXPRESSIONS),
        seed=seed,
        checkpoints=Path(".checkpoints/studies/cleaning") / graph.fingerprint(f"studies/cleaning/dvc.yaml:train@{arm}-{seed}"),
        watch=watch,
        preview=lambda model, history: {},
    )
    test = pictures.select(~pictures.table["split"].isin(["train", "validation"]).to_numpy(bool))
    predictions = test.table[["id", "split", "label"]].reset_index(drop=True)
    predictions[PROBABILITIES] = classify(model, test.images, True, watch)
    out = RESULTS / f"{arm}-{seed}"
    out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(outcome.history).to_csv(out / "history.csv", index=False)
    predictions.to_parquet(out / "predictions.parquet", index=False)


def rows_to_learn(table: pd.DataFrame, kept: np.ndarray, arm: str, seed: int) -> np.ndarray:
    """Indices of the training rows of an arm, as many in both: what cleaning takes away is made up by rows it keeps.

    Those are drawn without replacement, so no row comes more than once more than another.
    """
    training = np.flatnonzero((table["split"] == "train").to_numpy(bool))
    if arm == "all":
        return training
    clean = training[kept[training]]
    again, more = divmod(len(training), len(clean))
    extra = np.random.default_rng(seed).permutation(clean)[:more]
    return np.sort(np.concatenate([np.tile(clean, again), extra]))


if __name__ == "__main__":
    environment.enter("studies.cleaning.train", sys.argv[1:])
    main(sys.argv[1], int(sys.argv[2]))
