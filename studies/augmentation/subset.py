"""Few pictures of FER-2013: N Training rows to learn from, others to choose by, and all of PublicTest.

    python -m studies.augmentation.subset N DRAW

Reads `data/raw/fer2013.csv` and writes `results/N-DRAW/faces`, as the stage `faces` would: `set` in grey, `colour` for
the networks that edit faces. Classes are as frequent as they come. FER-2013 repeats itself, so no picture is taken
twice and none that PublicTest has too. Two draws have other rows, and of one draw the 500 are among the 2,000.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from data import sources
from data.faceset import FaceSetWriter, content_id

CSV = Path("data/raw/fer2013.csv")
RESULTS = Path("studies/augmentation/results")
VALIDATION = 1000  # rows by which settings are chosen, and nothing else is


def main(count: int, draw: int, csv: Path = CSV, results: Path = RESULTS, validation: int = VALIDATION) -> None:
    """Writes the two sets; raises what `sources.read` and `choose` raise, with the name of `csv`."""
    pictures, rows = zip(*sources.read("fer2013", csv))
    images, table = np.stack(pictures)[..., None], pd.DataFrame(rows)
    table["parent"] = [content_id(image) for image in images]
    try:
        split = choose(table, count, validation, draw)
    except ValueError as error:
        raise ValueError(f"{csv}: {error}") from None
    chosen = np.flatnonzero(split != "")
    few = table.iloc[chosen].assign(split=split[chosen])
    for name, channels in (("set", 1), ("colour", 3)):
        with FaceSetWriter(results / f"{count}-{draw}" / "faces" / name, (*images.shape[1:3], channels)) as writer:
            writer.append(np.repeat(images[chosen], channels, axis=3), few)


def choose(table: pd.DataFrame, count: int, validation: int, seed: int) -> np.ndarray:
    """(N,) "train", "validation", "public_test", or "" for rows that are left out.

    Args:
        table: N rows with `split` ("train", "public_test" or others), `label`, and `parent`, one for equal pictures.

    Raises ValueError where there are not so many different Training rows, or a class would have none of the `count`.
    """
    split = table["split"].to_numpy(str)
    public = np.flatnonzero(split == "public_test")
    if not len(public):
        raise ValueError("there is no PublicTest row to measure on")
    training = np.flatnonzero(split == "train")
    distinct = training[~table["parent"].iloc[training].duplicated().to_numpy()]
    pool = distinct[~table["parent"].iloc[distinct].isin(table["parent"].iloc[public]).to_numpy()]
    if len(pool) < count + validation:
        raise ValueError(f"{count} training and {validation} validation rows are wanted, {len(pool)} different "
                         "Training rows that PublicTest does not have are there")
    pool = np.random.default_rng(seed).permutation(pool)
    labels = table["label"].to_numpy(int)
    watched = as_they_come(labels[pool], validation)
    rest = np.setdiff1d(np.arange(len(pool)), watched)
    learnt = as_they_come(labels[pool[rest]], count)
    if missing := set(labels[pool]) - set(labels[pool[rest[learnt]]]):
        raise ValueError(f"{count} training rows have none of the labels {sorted(map(int, missing))}: take more")
    chosen = np.full(len(table), "", object)
    for name, rows in (("validation", pool[watched]), ("train", pool[rest[learnt]]), ("public_test", public)):
        chosen[rows] = name
    return chosen


def as_they_come(labels: np.ndarray, count: int) -> np.ndarray:
    """Places of the first `count` of `labels`, each class as frequent as it is in all of them (largest remainders)."""
    classes, place, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    exact = count * sizes / len(labels)
    quota = exact.astype(int)
    quota[np.argsort(quota - exact, kind="stable")[: count - quota.sum()]] += 1
    turn = pd.Series(place).groupby(place).cumcount().to_numpy()
    return np.flatnonzero(turn < quota[place])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
