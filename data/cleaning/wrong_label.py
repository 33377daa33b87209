"""Rule `wrong_label`: how sure a classifier that never saw a face is of the label it came with, against every other.

Out-of-fold probabilities and their margin as in confident learning (Northcutt et al. 2021, "Confident learning:
estimating uncertainty in dataset labels", section 3), of a logistic regression on histograms of oriented gradients
(Dalal & Triggs 2005). Faces are taken to be as good as symmetric: on drawn ones with a tenth of wrong labels that
raises the average precision from 0.54 to 0.61.
"""

import cv2
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from data.cleaning.look import Look

WORSE = "lower"
MEASURE = "probability of the label less that of the likeliest other, out of fold"
FOLDS = 5
MOST = 20_000  # rows that a fold learns from; more take memory and time, and hardly change a linear classifier
BLOCK = 4096  # rows that are predicted at once
COMPONENTS = 256  # principal components that a fold learns on, each made to vary by 1: ten times as fast as all
# Of the data against the prior, whatever their number, so that a margin means the same in small and large sets. Weak,
# because a tenth of the labels may be wrong: at ten times this a classifier begins to believe them.
STRENGTH = 5.0
HOG = cv2.HOGDescriptor((64, 64), (16, 16), (8, 8), (8, 8), 9)  # window, block, step, cell in pixels; directions
HALF = 4 * 7 * 36  # of 7×7 blocks, which are listed column by column from the left, those up to the middle


def describe(look: Look) -> np.ndarray:
    """Oriented gradients of the upright face's left half, averaged with those of its right half mirrored.

    (1008,) float16; nan without a face.
    """
    if look.face is None:
        return np.full(HALF, np.nan, np.float16)
    both = HOG.compute(look.face) + HOG.compute(np.ascontiguousarray(look.face[:, ::-1]))
    return (both[:HALF] / 2).astype(np.float16)


def measure(descriptions: np.ndarray, table: pd.DataFrame, seed: int) -> np.ndarray:
    """The margin of every label, from classifiers that learnt from `train` without that picture's person and copies.

    Args:
        descriptions: (N, d), of `describe`; may be memory-mapped.
        table: N rows with `id`, `split`, `label` (index or null) and `subject` (text or null).
        seed: what the folds, and the rows that a fold learns from, are drawn from.

    Returns:
        (N,) in [-1, 1]; nan without a label, without a face, or where there is too little to learn from.
    """
    label = table["label"].to_numpy(np.float64, na_value=np.nan)
    told = np.isfinite(label)
    for start in range(0, len(label), BLOCK):
        told[start:start + BLOCK] &= np.isfinite(descriptions[start:start + BLOCK, 0])
    rng = np.random.default_rng(seed)
    together = _together(table["id"], table["subject"])
    fold = rng.permutation(together.max(initial=-1) + 1)[together] % FOLDS
    learnable = told & (table["split"] == "train").to_numpy(bool)
    margin = np.full(len(label), np.nan)
    for number in range(FOLDS):
        rows, asked = np.flatnonzero(learnable & (fold != number)), np.flatnonzero(told & (fold == number))
        rows = np.sort(rng.permutation(rows)[:MOST])
        if len(asked) and len(np.unique(label[rows])) > 1:
            classifier = _learnt(descriptions[rows], label[rows], seed)
            for start in range(0, len(asked), BLOCK):
                block = asked[start:start + BLOCK]
                probability = classifier.predict_proba(np.asarray(descriptions[block], np.float32))
                margin[block] = _margin(probability, classifier.classes_, label[block])
    return margin


def _together(ids: pd.Series, subjects: pd.Series) -> np.ndarray:
    """(N,) a number for each row, the same for rows that equal pictures or people link, over any number of links."""
    count = len(ids)
    picture = pd.factorize(ids)[0]
    person = pd.factorize(subjects)[0]  # -1 for an unknown one, who links nothing
    known = np.flatnonzero(person >= 0)
    links = (np.concatenate([np.arange(count), known]),
             np.concatenate([count + picture, 2 * count + person[known]]))
    graph = coo_array((np.ones(len(links[0]), bool), links), shape=(3 * count, 3 * count))
    return pd.factorize(connected_components(graph, directed=False)[1][:count])[0]


def _learnt(descriptions: np.ndarray, label: np.ndarray, seed: int):
    """A multinomial logistic regression on whitened components, in which every class weighs the same."""
    from sklearn.decomposition import PCA  # here, because workers that only describe need not wait for it
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    components = PCA(min(COMPONENTS, len(descriptions) - 1, descriptions.shape[1]), whiten=True,
                     svd_solver="randomized", random_state=seed)
    regression = LogisticRegression(C=STRENGTH / len(label), class_weight="balanced", max_iter=300)
    return make_pipeline(components, regression).fit(np.asarray(descriptions, np.float32), label)


def _margin(probability: np.ndarray, classes: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Probability (n, k) of the label less that of the likeliest other class, (n,); 0 for a class never learnt."""
    own = classes == label[:, None]
    return (probability * own).sum(axis=1) - np.where(own, 0, probability).max(axis=1)
