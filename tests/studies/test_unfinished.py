"""Only the very same training goes on from a study's checkpoint."""

import numpy as np
import pandas as pd

from data.faceset import FaceSet, conform
from studies.unfinished import hashed, unfinished, which


def faces(labels: list[int], ids: str = "ab") -> FaceSet:
    table = pd.DataFrame({"id": list(ids), "label": labels, "split": ["train", "test"]})
    return FaceSet(np.zeros((2, 8, 8, 1), np.uint8), conform(table))


def test_other_facts_are_another_training():
    assert unfinished("study/cell-0", {"rate": 0.1}, "x") == unfinished("study/cell-0", {"rate": 0.1}, "x")
    places = {unfinished("study/cell-0", {"rate": rate}, text) for rate in (0.1, 0.2) for text in ("x", "y")}
    assert len(places) == 4 and {each.parent.name for each in places} == {"cell-0"}


def test_other_labels_other_pictures_or_another_order_are_other_faces():
    assert which(faces([0, 1])) == which(faces([0, 1]))
    assert len({which(faces([0, 1])), which(faces([0, 2])), which(faces([0, 1], "ac")), which(faces([1, 0], "ba"))}) == 4
    assert hashed(np.zeros((2, 3), np.uint8)) != hashed(np.ones((2, 3), np.uint8))
