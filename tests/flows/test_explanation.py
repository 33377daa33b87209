"""The pictures that explain a classifier: each face in its class's row, those that belong there and no other, worst first."""

import cv2
import numpy as np
import pandas as pd
import pytest
from flax import nnx

from data.contact_sheet import CAPTION, GAP, TILE
from data.faceset import EXPRESSIONS, FaceSet, conform
from flows.explanation import EXPLAINED, MISTAKES, heated, write_grad_cam, write_mistakes
from models.fer.mini_xception import MiniXception

HAPPY, SAD, FEAR = (EXPRESSIONS.index(name) for name in ("happy", "sad", "fear"))


def tile(path, row, column):
    """A picture on the sheet, (96, 96, 3); column 0 is the one with the class's name."""
    top, left = GAP + row * (TILE + GAP + CAPTION), GAP + column * (TILE + GAP)
    return cv2.imread(str(path))[top : top + TILE, left : left + TILE]


def faces_of(labels):
    """Plain grey faces, number i of shade 10 + 5 i."""
    shades = 10 + 5 * np.arange(len(labels), dtype=np.uint8)
    images = np.broadcast_to(shades[:, None, None, None], (len(labels), 48, 48, 1))
    return FaceSet(images, conform(pd.DataFrame({"label": labels})))


def saying(called, sure):
    """Probabilities (N, 7) with `sure` for the class `called`."""
    said = np.full((len(called), len(EXPRESSIONS)), 0.0)
    said += ((1 - np.array(sure)) / (len(EXPRESSIONS) - 1))[:, None]
    said[np.arange(len(called)), called] = sure
    return said


def test_mistakes_stand_in_the_row_of_the_truth_the_surest_first(tmp_path):
    truth = [HAPPY, HAPPY, HAPPY, SAD, FEAR]
    said = saying([SAD, HAPPY, FEAR, HAPPY, FEAR], [0.5, 0.99, 0.9, 0.7, 0.8])
    write_mistakes(faces_of(truth), said, tmp_path / "mistakes.png")
    shown = {(row, column): np.median(tile(tmp_path / "mistakes.png", row, column))
             for row in range(len(EXPRESSIONS)) for column in range(1 + MISTAKES)}  # fmt: skip
    assert {place: shade for place, shade in shown.items() if shade < 255} == {(HAPPY, 1): 20, (HAPPY, 2): 10, (SAD, 1): 25}


def test_no_more_mistakes_are_shown_than_there_is_room_for(tmp_path):
    truth = [HAPPY] * 20
    write_mistakes(faces_of(truth), saying([SAD] * 20, np.linspace(0.3, 0.9, 20)), tmp_path / "mistakes.png")
    shown = [np.median(tile(tmp_path / "mistakes.png", HAPPY, 1 + column)) for column in range(MISTAKES)]
    assert shown == [10 + 5 * number for number in range(19, 19 - MISTAKES, -1)]


@pytest.fixture(scope="module")
def network():
    return MiniXception(rngs=nnx.Rngs(1))  # to which each picture of noise has something happy


def test_faces_that_were_read_rightly_stand_beside_themselves_under_heat(tmp_path, network):
    images = np.random.default_rng(0).integers(0, 128, (6, 48, 48, 1), np.uint8)
    faces = FaceSet(images, conform(pd.DataFrame({"label": [HAPPY] * 5 + [SAD]})))
    said = saying([HAPPY] * 4 + [SAD, HAPPY], [0.9] * 6)  # one happy face and the sad one are read wrongly
    write_grad_cam(network, faces, said, 0, tmp_path / "grad_cam.png")
    path, found = tmp_path / "grad_cam.png", []
    for column in range(EXPLAINED):
        plain, hot = tile(path, HAPPY, 1 + 2 * column), tile(path, HAPPY, 2 + 2 * column)
        assert (plain[..., 0] == plain[..., 2]).all() and (hot[..., 0] != hot[..., 2]).any()
        enlarged = [cv2.resize(each, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for each in images]
        found.append(int(np.argmin([np.abs(plain[..., 0].astype(int) - each).mean() for each in enlarged])))
    assert sorted(found) == [0, 1, 2, 3]
    assert all((tile(path, row, column) == 255).all() for row in range(len(EXPRESSIONS)) if row != HAPPY
               for column in range(1 + 2 * EXPLAINED))  # fmt: skip


def test_a_classifier_that_is_always_wrong_has_nothing_to_explain(tmp_path, network):
    write_grad_cam(network, faces_of([HAPPY, SAD]), saying([SAD, HAPPY], [0.5, 0.5]), 0, tmp_path / "grad_cam.png")
    assert (tile(tmp_path / "grad_cam.png", HAPPY, 1) == 255).all()
    under = cv2.imread(str(tmp_path / "grad_cam.png"))[GAP + TILE : GAP + TILE + CAPTION, 2 * GAP + TILE :]
    assert under.min() < 128  # "none", so that it does not look as if the row had got lost


def test_heat_colours_what_is_hot_and_leaves_what_is_cold():
    pictures = np.full((1, 4, 4, 3), 100, np.uint8)
    heat = np.zeros((1, 4, 4))
    heat[0, 0, 0] = 1
    found = heated(pictures, heat)
    assert (found[0, 1:] == 100).all() and found[0, 0, 0, 0] > found[0, 0, 0, 2]
    assert found[0, 0, 0, 0] > 150
