"""FER+ (Barsoum et al. 2016, "Training deep networks for facial expression recognition with crowd-sourced label
distribution", ICMI, arXiv:1608.01041): ten people's votes for every row of FER-2013, joined to it by position.

The rule is that of the authors' code in its majority mode: an emotion with a single vote counts as having none; the
label is the emotion with more than half of the votes that are left. A row where that is no emotion, or `unknown` or
`NF` (no face), is left out; so is `contempt`, which is none of our seven. `votes` are the shares of the seven among
the votes left for them. The names of pictures in the table drift away from the rows and are not used.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.faceset import EXPRESSIONS
from data.sources import fer2013
from data.sources.archive import open_files
from data.sources.source_error import SourceError, known

WHERE = ("FER+ is Microsoft's, at github.com/microsoft/FERPlus. Put its fer2013new.csv beside fer2013.csv (or the "
         "archive of that) of FER-2013 (www.kaggle.com/c/"
         "challenges-in-representation-learning-facial-expression-recognition-challenge) into data/raw/ferplus and "
         "run: ./run configure data=ferplus data.path=data/raw/ferplus")
TERMS = "FER+ labels: MIT; the pictures are FER-2013's: Kaggle competition data of 2013, for research"
VOTES = "fer2013new.csv"
EMOTIONS = {"angry": "anger", "disgust": "disgust", "fear": "fear", "happy": "happiness", "sad": "sadness",
            "surprise": "surprise", "neutral": "neutral"}
CHOICES = (*(EMOTIONS[name] for name in EXPRESSIONS), "contempt", "unknown", "NF")
COUNTS = {str(count): count for count in range(11)}  # ten people voted


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields the rows that have a majority: what `fer2013.read` gives, with FER+'s `label` and `votes`.

    Args:
        path: folder with FER-2013's csv, or an archive of it, and `fer2013new.csv`.

    Raises:
        SourceError: a file is missing or broken, or the two differ in their rows.
    """
    with open_files(path) as files:
        name = files.require(VOTES, WHERE)
        place = files.place(name)
        voted = [(line, row["Usage"], np.array([known(place, line, choice, row[choice], COUNTS) for choice in CHOICES]))
                 for line, row in files.table(name, ("Usage", *CHOICES))]
    number = 0
    for number, (image, row) in enumerate(fer2013.read(path), 1):
        if number > len(voted):
            raise SourceError(f"{place}: only {len(voted):,} rows, but FER-2013 goes on at {row['origin']}; the two "
                              "tables must have the same rows in the same order")
        line, usage, counts = voted[number - 1]
        if known(place, line, "Usage", usage, fer2013.SPLITS) != row["split"]:
            raise SourceError(f"{place}, line {line}: Usage is {usage}, but {row['origin']} is of {row['split']}; the "
                              "two tables must have the same rows in the same order")
        counts = np.where(counts > 1, counts, 0)
        best = int(counts.argmax())
        if best < len(EXPRESSIONS) and 2 * counts[best] > counts.sum():
            ours = counts[:len(EXPRESSIONS)]
            yield image, row | {"source": "ferplus", "label": best, "votes": ours / ours.sum()}
    if number != len(voted):
        raise SourceError(f"{place}: {len(voted):,} rows, but FER-2013 has {number:,}; the two tables must have the "
                          "same rows in the same order")
