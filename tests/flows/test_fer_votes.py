"""Soft labels in the stage `fer`: labels and votes mixed by the wanted share; faces without votes are refused."""

import numpy as np
import pandas as pd
import pytest

from data.faceset import FaceSet, conform
from flows.fer import labels_of

IMAGES = np.zeros((2, 48, 48, 1), np.uint8)
VOTES = [0.5, 0, 0, 0.25, 0, 0, 0.25]


def test_votes_are_a_share_of_what_is_learnt():
    faces = FaceSet(IMAGES, conform(pd.DataFrame({"label": [3, 0], "votes": [VOTES, VOTES]})))
    assert labels_of(faces).labels.tolist() == [3, 0]
    found = labels_of(faces, 0.4).labels
    np.testing.assert_allclose(found[0], [0.2, 0, 0, 0.6 + 0.1, 0, 0, 0.1], atol=1e-6)
    assert found.dtype == np.float32


def test_faces_without_votes_are_refused_by_name():
    faces = FaceSet(IMAGES, conform(pd.DataFrame({"label": [3, 0], "votes": [VOTES, None]})))
    with pytest.raises(ValueError, match="fer.votes is 0.4, but 1 of 2 faces"):
        labels_of(faces, 0.4)
