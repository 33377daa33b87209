"""Soft labels in the stage `fer`: labels and votes mixed by the wanted share; faces without votes are refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.faceset import FaceSet, conform
from flows import settings
from flows.fer import labels_of, shortened
from models.fer.recipe import FineTune

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


def test_made_faces_are_surely_what_they_were_made_to_show():
    faces = FaceSet(IMAGES, conform(pd.DataFrame({"label": [3, 0], "votes": [VOTES, None], "maker": [None, "ganimation"]})))
    np.testing.assert_allclose(labels_of(faces, 0.4).labels[1], np.eye(7)[0])


@pytest.mark.parametrize("epochs, head, share, wanted", [(10, 8, 0.7, (7, 6)), (4, 2, 0.1, (2, 1)), (60, 10, 0.5, (30, 5))])
def test_fewer_epochs_are_shared_out_alike_between_the_two_phases(epochs, head, share, wanted):
    recipe = settings.load().fer
    tuned = replace(recipe, network="mobilenet_v2", epochs=epochs, finetune=FineTune("keras.h5", head, 2, 1e-4))
    found = shortened(tuned, share)
    assert (found.epochs, found.finetune.head_epochs) == wanted
    assert shortened(replace(recipe, epochs=epochs), share).epochs == max(1, round(epochs * share))
