"""``python -m flows release NAME``: keeps the classifier of this run under ``models/released/``, with all that made it.

NAME.npz holds the weights and their card, with the figures of ``evaluate`` and the terms of the data; NAME.params.yaml
the exact settings; NAME.history.csv the whole learning curve. From the same settings and data they have the same bytes.
"""

import argparse
import json
import shutil
from pathlib import Path

from flows import graph, settings
from flows.card import RELEASED, terms_of

LARGEST = 1_000_000  # bytes; weights live in git, and are copied into every export


def main(argv: list[str]) -> int:
    """Copies the trained classifier; returns the exit status.

    Raises ValueError where its stages are not up to date, the data lies elsewhere, or the weights are too large.
    """
    parser = argparse.ArgumentParser(prog="python -m flows release", description=__doc__.splitlines()[0])
    parser.add_argument("name", metavar="NAME", help=f"{RELEASED.stem} is the one that exports take")
    name = parser.parse_args(argv).name
    stale = sorted(set(graph.status()) & set(graph.with_upstream(graph.load(), ["evaluate"])))
    if stale:
        raise ValueError(f"{' and '.join(stale)} would run anew: first `dvc repro evaluate`, or other weights are kept")
    data = settings.load().data.path
    if Path(data).is_absolute():
        raise ValueError(f"data.path is {data}, which only this machine has: put the data, or a link, into data/raw")

    from models.fer import weights

    made, path = Path("artifacts/fer/base"), RELEASED.with_name(f"{name}.npz")
    model, card = weights.load(made / "weights.npz")
    card["evaluation"] = json.loads(Path("artifacts/evaluate/metrics.json").read_text())
    card["terms"] = terms_of(card["sources"])
    if (made / "weights.npz").stat().st_size > LARGEST:
        raise ValueError(f"the weights take more than {LARGEST:,} bytes, too many to keep in git")
    path.parent.mkdir(parents=True, exist_ok=True)
    weights.save(path, model, card)
    shutil.copyfile("params.yaml", path.with_suffix(".params.yaml"))
    shutil.copyfile(made / "history.csv", path.with_suffix(".history.csv"))
    scores = [f"{figure} {value:.4f}" for figure, value in card["evaluation"].items() if figure.endswith("/accuracy")]
    print(f"{path}: {path.stat().st_size:,} bytes, {', '.join(scores)}")
    return 0
