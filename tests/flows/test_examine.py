"""Of a picture in which no face is found the rules still say why, if something may be one; nothing is cut out of it."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from data.cleaning import no_face
from data.letterbox import letterbox
from data.synthetic import draw
from data.synthetic.raw.picture import find
from data.synthetic.raw.plan import plan
from flows.examine import prepare
from flows.sections import Cleaning, Faces, Portrait

RULES = replace(Cleaning(*[None] * len(fields(Cleaning))), no_face=0.8, small_face=24, covered=0.7)
SETTINGS = Faces(detect=True, size=48, channels=1, margin=0.25, min_face=20, align=True, features="none",
                 portrait=Portrait(32, 0.1), cleaning=RULES, curation="data/curation.csv", workers=1)


@pytest.fixture(scope="module")
def examined(tmp_path_factory) -> dict[str, np.ndarray]:
    """What a worker says of a face behind a mask, of an empty wall and of a face that nothing hides."""
    masked, plain = find(plan(7, 132)), next(draw(0, 1, 256))[0]
    assert plan(7, 132).flaws == ("covered",)
    images = np.stack([letterbox(masked.image, 256, 3), np.full((256, 256, 3), 128, np.uint8), plain])
    path = tmp_path_factory.mktemp("pictures") / "images.npy"
    np.save(path, images)
    return prepare(Path(path), SETTINGS)(0)


def test_only_what_is_surely_a_face_is_cut_out(examined):
    assert examined["found"].tolist() == [False, False, True]
    assert len(examined["set/faces"]) == 1 and examined["no_face"][:2].tolist() == [0, 0] and examined["no_face"][2] > 0.9


def test_a_face_too_well_hidden_to_be_found_is_told_to_be_covered(examined):
    masked, wall, plain = examined["covered"]
    assert masked > RULES.covered > plain and np.isnan(wall)


def test_a_rule_that_asks_what_was_found_is_not_told_what_may_be_there(examined):
    assert not hasattr(no_face, "FAINT") and np.isnan(examined["small_face"][1]) and examined["small_face"][2] > 24
