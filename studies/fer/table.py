"""All cells of the classifier study in one table, the source study's own figures beside them, and what accuracy costs.

    python -m studies.fer.table [--results studies/fer/results] [--out studies/fer]

Writes OUT/results.csv, one line a finished cell, and one that says "not run" for a row without any; and OUT/cost.png.
Accuracy is that on FER-2013's PublicTest with Wilson's interval at 95 %; `study_accuracy` is of the study's own test pictures.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd

from flows.predictions import PROBABILITIES
from metrics.intervals import wilson
from metrics.study_plots import cost_picture
from studies.fer.cell import HERE, rows

COLUMNS = [
    "row", "seed", "status", "network", "size", "channels", "features", "augment", "loss", "optimizer", "learning_rate",
    "dropout", "dense", "finetune", "row_epochs", "epochs", "faces", "accuracy", "accuracy_low", "accuracy_high", "log_loss",
    "study_accuracy", "study_loss", "validation_accuracy", "parameters", "flops", "ms_image", "seconds", "device", "remark",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    table = collected(options.results)
    beside = options.out / ".results.csv.part"
    table.to_csv(beside, index=False, float_format="%.5g")
    os.replace(beside, options.out / "results.csv")
    done = table[table["status"] == "finished"]
    if len(done):
        cost_picture(done, "flops", "floating-point operations a picture", options.out / "cost.png")
    print(done[["row", "seed", "epochs", "row_epochs", "accuracy", "accuracy_low", "accuracy_high"]].to_string(index=False))
    print(f"{done['row'].nunique()} of {len(rows())} rows have a finished cell")


def collected(results: Path) -> pd.DataFrame:
    """One line a finished cell in `results`, and one "not run" for a row without; raises ValueError for a cell of no row."""
    known = rows().rename(columns={"epochs": "row_epochs"})
    cells = [figures_of(path.parent) for path in sorted(results.glob("*/cell.json"))]
    if strange := {cell["row"] for cell in cells} - set(known.index):
        raise ValueError(f"{results}: cells of {', '.join(sorted(strange))}, which rows.csv does not have")
    done = pd.DataFrame(cells, columns=[name for name in COLUMNS if name not in known.columns])
    done["status"] = "finished"
    table = known.reset_index().merge(done, on="row", how="left")
    table["status"] = table["status"].fillna("not run")
    table[["seed", "epochs", "faces"]] = table[["seed", "epochs", "faces"]].astype("Int64")
    return table[COLUMNS]


def figures_of(folder: Path) -> dict[str, object]:
    """What a finished cell's folder tells, and its scores on PublicTest."""
    said = pd.read_parquet(folder / "predictions.parquet")
    labels, chances = said["label"].to_numpy(int), said[PROBABILITIES].to_numpy()
    right = int((chances.argmax(axis=1) == labels).sum())
    low, high = wilson(right, len(labels))
    own = np.maximum(chances[np.arange(len(labels)), labels], 1e-12)
    return json.loads((folder / "cell.json").read_text()) | {
        "faces": len(labels), "accuracy": right / len(labels), "accuracy_low": float(low), "accuracy_high": float(high),
        "log_loss": float(-np.log(own).mean()),
    }  # fmt: skip


if __name__ == "__main__":
    main()
