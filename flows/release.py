"""``python -m flows release NAME``: keeps the classifier of this run under ``models/released/``, with all that made it.

NAME.npz holds the weights and their card, with the figures of ``evaluate`` and the terms of the data; NAME.params.yaml the
exact settings; NAME.history.csv the whole learning curve. Made again from the same settings and data, they have the same bytes.
"""

import argparse
import json
import shutil
from pathlib import Path

from flows import graph

RELEASED = Path("models/released")
LARGEST = 12_000_000  # bytes; weights live in git, and are copied into every export
STAGES = ("fer@base", "evaluate")


def main(argv: list[str]) -> int:
    """Copies the trained classifier; returns the exit status. Raises ValueError where its stages are not up to date."""
    parser = argparse.ArgumentParser(prog="python -m flows release", description=__doc__.splitlines()[0])
    parser.add_argument("name", metavar="NAME", help="mini_xception_fer2013 is the one that exports take")
    name = parser.parse_args(argv).name
    stale = sorted(set(graph.status()) & set(STAGES))
    if stale:
        raise ValueError(f"{' and '.join(stale)} would run anew: first run `dvc repro evaluate`, or other weights are kept")

    from data.sources import SOURCES
    from models.fer import weights

    made = Path("artifacts/fer/base")
    model, card = weights.load(made / "weights.npz")
    card["evaluation"] = json.loads(Path("artifacts/evaluate/metrics.json").read_text())
    card["terms"] = {source: SOURCES[source].TERMS for source in card["sources"]}
    RELEASED.mkdir(parents=True, exist_ok=True)
    path = RELEASED / f"{name}.npz"
    weights.save(path, model, card)
    if path.stat().st_size > LARGEST:
        path.unlink()
        raise ValueError(f"the weights take more than {LARGEST:,} bytes, too many to keep in git")
    shutil.copyfile("params.yaml", path.with_suffix(".params.yaml"))
    shutil.copyfile(made / "history.csv", path.with_suffix(".history.csv"))
    scores = [f"{figure} {value:.4f}" for figure, value in card["evaluation"].items() if figure.endswith("/accuracy")]
    print(f"{path}: {path.stat().st_size:,} bytes, {', '.join(scores)}")
    return 0
