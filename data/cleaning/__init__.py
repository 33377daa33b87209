"""Cleaning: the rules that mark pictures unfit to learn from. A rule only measures; thresholds are in `params.yaml`.

A rule of single pictures has `measure(look: Look) -> float`, nan where it cannot tell. A rule of a whole set has
`describe(look: Look) -> (d,)` and `measure(descriptions (N, d), table, seed) -> (N,)`. Each has `MEASURE`, what the
number is, and `WORSE`, "higher" or "lower", the side of the threshold that it marks. One with `FAINT` says why a face
is not found: where there is none it sees what may be one.
"""

from types import ModuleType

import numpy as np

from data.cleaning import (
    blank, blur, covered, duplicate, no_face, several_faces, side_view, small_face, text, wrong_label,
)

RULES: dict[str, ModuleType] = {
    "no_face": no_face, "several_faces": several_faces, "small_face": small_face, "blank": blank, "blur": blur,
    "text": text, "side_view": side_view, "covered": covered, "duplicate": duplicate, "wrong_label": wrong_label,
}

# The flaws that leave undefined whether a picture has another: what has one of them counts neither for nor against the
# rule, unless the rule's own flaw was planted too.
IMPLIED = {
    "no_face": ("small_face", "blank", "blur", "side_view", "covered"),  # of some of these the detector finds none
    "blur": ("small_face", "blank"),  # nothing that could be sharp
    "covered": ("small_face", "blur", "text", "side_view"),  # writing covers, a turned head hides an eye
}


def beyond(name: str, measures: np.ndarray, threshold: float | None) -> np.ndarray:
    """Which of the `measures` (N,) the rule `name` marks: (N,) bool, those strictly on the worse side of `threshold`.

    What could not be told (nan) and a rule that is off (None) mark nothing.
    """
    measures = np.asarray(measures, np.float64)
    if threshold is None:
        return np.zeros(measures.shape, bool)
    return measures > threshold if RULES[name].WORSE == "higher" else measures < threshold
