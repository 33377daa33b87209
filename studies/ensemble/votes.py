"""What FER-2013's labellers would say of a picture of which FER+'s ten voters say this.

FER-2013's labels are noisy and FER+'s are others: a network that learns the latter is worse at the former. But the votes
tell how likely each label of FER-2013 is, by a multinomial logistic regression on Training rows, and those chances are a
cleaner target than the one label that was drawn from them.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

COLUMNS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
FOLDS = 5


def as_labelled(path: Path, rows: pd.DataFrame) -> np.ndarray:
    """Chances (N, 7) float32 of each label for Training rows, of which `origin` is `file:line` of FER-2013's csv.

    Each row's chances come from a regression that has not seen its label. Raises ValueError where the table at `path` has
    no such row or other columns.
    """
    table = pd.read_csv(path)
    if missing := [name for name in (*COLUMNS, "Usage") if name not in table]:
        raise ValueError(f"{path}: column {', '.join(missing)} missing; expected FER+'s fer2013new.csv")
    places = rows["origin"].str.rpartition(":")[2].astype(int).to_numpy() - 2  # the header is line 1
    if places.max() >= len(table) or (table["Usage"].to_numpy()[places] != "Training").any():
        raise ValueError(f"{path}: its rows are not those of the face set; expected FER+'s fer2013new.csv, in its order")
    votes = table.loc[places, list(COLUMNS)].to_numpy(float) / 10
    seen = np.concatenate([votes, votes**2], axis=1)  # a majority says more than its share
    regression = LogisticRegression(max_iter=500)
    labels = rows["label"].to_numpy(int)
    return cross_val_predict(regression, seen, labels, cv=FOLDS, method="predict_proba").astype(np.float32)
