"""What made faces gain where pictures are few: every arm on PublicTest, and its paired differences from the plain ones.

    python -m studies.augmentation.compare

The interval draws test pictures anew (Efron's bootstrap, BCa), the words of all trainings on a picture together. It
covers the choice of test pictures, not that of training pictures; how far trainings lie apart stands beside it.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from data.faceset import EXPRESSIONS
from flows.predictions import PROBABILITIES
from metrics.classification import compare, scores
from metrics.plots import COLOURS, STYLE
from studies.augmentation.subset import RESULTS
from studies.augmentation.train import ARMS, MADE

FIGURES = ("accuracy", "balanced_accuracy", "macro_f1")
PLAIN = ("classical", "oversampled")  # what the others are compared with
PICTURE = RESULTS.parent / "gains.png"

Predictions = Mapping[str, Mapping[str, pd.DataFrame]]  # arm -> "DRAW-SEED" -> a row of words for each PublicTest row


def main(results: Path = RESULTS, out: Path = RESULTS.parent) -> None:
    """Reads all `results/N-DRAW/ARM-SEED/predictions.parquet`, writes `results.json` and `gains.png`, prints gains.

    Of numbers of pictures whose trainings are not here, what `results.json` says stays.
    """
    file = out / "results.json"
    found = {int(count): part for count, part in json.loads(file.read_text()).items()} if file.exists() else {}
    found |= {count: compared(predictions) for count, predictions in finished(results).items()}
    found = dict(sorted(found.items()))
    file.write_text(json.dumps(found, indent=2) + "\n")
    picture(found, out / PICTURE.name)
    for count, part in found.items():
        print(pd.DataFrame(part["arms"]).T[list(FIGURES)].to_string(float_format="{:.4f}".format))
        for name, gain in part["gains"].items():
            points = [[100 * gain[f"{figure}{end}"] for end in ("", "_low", "_high")] for figure in FIGURES]
            print(f"{count} {name}:", *(f"{figure} {value:+.1f} ({low:+.1f} to {high:+.1f})"
                                        for figure, (value, low, high) in zip(FIGURES, points)))  # fmt: skip


def finished(results: Path) -> dict[int, Predictions]:
    """By number of training pictures, what is there; raises ValueError where that is nothing to compare, or arms of one
    number have different draws or seeds."""
    found: dict[int, dict[str, dict[str, pd.DataFrame]]] = {}
    for file in sorted(results.glob("*-*/*-*/predictions.parquet")):
        (count, draw), (arm, seed) = (part.split("-") for part in file.parts[-3:-1])
        table = pd.read_parquet(file)
        table = table[table["split"] == "public_test"].reset_index(drop=True)
        found.setdefault(int(count), {}).setdefault(arm, {})[f"{draw}-{seed}"] = table
    if not found:
        raise ValueError(f"{results} has no finished training: run studies.augmentation.train")
    for count, arms in found.items():
        if PLAIN[0] not in arms or len(arms) < 2:
            there_is = ", ".join(arms)
            raise ValueError(f"{results} has of {count} pictures only {there_is}: train {PLAIN[0]} and another arm")
        seeds = {arm: tuple(by_seed) for arm, by_seed in arms.items()}
        if len(set(seeds.values())) > 1:
            raise ValueError(f"{results}: arms of {count} pictures have the draws and seeds {seeds}; all need the same")
    return found


def compared(predictions: Predictions) -> dict[str, object]:
    """Each arm's scores, mean over trainings and of each, and the gains of each arm over the plain ones."""
    arms = [arm for arm in ARMS if arm in predictions]
    pairs = [(arm, PLAIN[0]) for arm in arms if arm != PLAIN[0]]
    if PLAIN[1] in arms:
        pairs += [(arm, PLAIN[1]) for arm in MADE if arm in arms]
    return {
        "draws_and_seeds": list(predictions[arms[0]]),
        "arms": {arm: scored(predictions[arm]) for arm in arms},
        "gains": {f"{arm} over {plain}": gain(predictions[plain], predictions[arm]) for arm, plain in pairs},
    }


def scored(by_seed: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """Mean over trainings of each figure and of the recall of each class, and the figures of each training."""
    each = [scores(table["label"].to_numpy(int), table[PROBABILITIES].to_numpy()) for table in by_seed.values()]
    found = {name: [float(getattr(one, name)) for one in each] for name in FIGURES}
    return {name: float(np.mean(values)) for name, values in found.items()} | {
        "recall": dict(zip(EXPRESSIONS, np.mean([one.recall for one in each], axis=0).tolist())),
        "of_each": found,
    }


def gain(before: Mapping[str, pd.DataFrame], after: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """Paired differences over all trainings with intervals, also of each class's recall; and those of each training."""
    first, second = pd.concat(before.values()), pd.concat(after.values())
    labels, pictures = first["label"].to_numpy(int), first["origin"].to_numpy(str)
    words = first[PROBABILITIES].to_numpy(), second[PROBABILITIES].to_numpy()
    found = compare(labels, *words, pictures)
    by_class = {}
    for label, name in enumerate(EXPRESSIONS):
        here = labels == label
        recall = compare(labels[here], words[0][here], words[1][here], pictures[here])
        by_class[name] = [recall[key] for key in ("accuracy", "accuracy_low", "accuracy_high")]
    each = np.subtract(*(scored(by_seed)["of_each"]["balanced_accuracy"] for by_seed in (after, before)))
    return found | {"recall": by_class, "balanced_accuracy_of_each": each.tolist()}


def picture(found: Mapping[int, Mapping], path: Path) -> None:
    """One panel for each number of pictures: gains over `classical` in points, with their intervals."""
    with rc_context(STYLE):
        figure = Figure(figsize=(4.8 * len(found), 3), layout="constrained")
        FigureCanvasAgg(figure)
        for axes, (count, part) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items()):
            arms = [arm for arm in ARMS if f"{arm} over {PLAIN[0]}" in part["gains"]]
            for shift, name, colour in zip((-0.2, 0, 0.2), FIGURES, COLOURS):
                gains = [part["gains"][f"{arm} over {PLAIN[0]}"] for arm in arms]
                values = 100 * np.array([[each[f"{name}{end}"] for end in ("", "_low", "_high")] for each in gains])
                reach, places = np.abs(values[:, 1:] - values[:, :1]).T, np.arange(len(arms)) + shift
                label = name.replace("_", " ")
                axes.errorbar(values[:, 0], places, xerr=reach, fmt="o", markersize=4, color=colour, label=label)
            axes.axvline(0, color="#999999", linewidth=0.8)
            axes.set_yticks(range(len(arms)), arms)
            axes.invert_yaxis()
            axes.set_title(f"{count:,} training pictures, {len(part['draws_and_seeds'])} trainings")
            axes.set_xlabel("points gained over classical (95 %)")
        axes.legend(loc="best", fontsize=8)
        figure.savefig(path, format="png", metadata={"Software": None})


if __name__ == "__main__":
    main()
