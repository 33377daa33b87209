"""What cleaning changes: accuracy of both arms on each test split, and their paired difference with its interval.

    python -m studies.cleaning.compare

The interval draws test pictures anew (Efron's bootstrap, BCa), the three networks' words on a picture together, so it
covers the choice of pictures; how far the seeds lie apart stands beside it.
"""

import json

import numpy as np
import pandas as pd

from flows.predictions import PROBABILITIES
from metrics.classification import compare
from studies.cleaning.train import ARMS, EPOCHS, RESULTS


def main() -> None:
    """Reads `results/<arm>-<seed>/predictions.parquet` and writes `results.json`, a table of which it prints."""
    found = {arm: [pd.read_parquet(each) for each in sorted(RESULTS.glob(f"{arm}-*/predictions.parquet"))]
             for arm in ARMS}
    seeds = {arm: len(tables) for arm, tables in found.items()}
    if len(set(seeds.values())) > 1 or 0 in seeds.values():
        raise ValueError(f"{RESULTS} has {seeds} finished trainings; both arms need the same seeds")
    verdicts = pd.read_csv("artifacts/faces/verdicts.csv")
    taken = verdicts[~verdicts["kept"]]
    results = {"epochs": EPOCHS, "seeds": seeds["all"], "rows": len(verdicts), "rows_taken_away": len(taken)}
    results |= {f"taken_away/{rule}": int(number) for rule, number in
                taken["rejected_by"].str.split(",").explode().value_counts().items()}
    for split, rows in found["all"][0].groupby("split"):
        results |= {f"{split}/{name}": value for name, value in differences(found, rows.index).items()}
    path = RESULTS.parent / "results.json"
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(pd.Series(results).to_string())


def differences(found: dict[str, list[pd.DataFrame]], rows: pd.Index) -> dict[str, object]:
    """Accuracy of each seed of each arm on `rows`, and what `cleaned` gains over `all` with a paired interval."""
    stacked = {arm: pd.concat([table.loc[rows] for table in tables]) for arm, tables in found.items()}
    labels = stacked["all"]["label"].to_numpy(int)
    chances = {arm: table[PROBABILITIES].to_numpy() for arm, table in stacked.items()}
    pictures = [str(row) for row in stacked["all"].index]
    gain = compare(labels, chances["all"], chances["cleaned"], pictures)
    accuracy = {f"accuracy_{arm}": [float(right.mean()) for right in
                                    np.split(values.argmax(axis=1) == labels, len(found[arm]))]
                for arm, values in chances.items()}
    return accuracy | {f"gain_{name}": value for name, value in gain.items()}


if __name__ == "__main__":
    main()
