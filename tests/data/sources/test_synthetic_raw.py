"""Raw drawn pictures as a source: read by name, refused by name."""

import numpy as np
import pytest

from data.faceset import conform
from data.sources import SOURCES, SourceError, read
from data.synthetic.raw import draw_raw


def test_it_is_read_without_a_path():
    assert SOURCES["synthetic_raw"].WHERE is None and SOURCES["synthetic_raw"].TERMS
    pictures = list(read("synthetic_raw", seed=1, count=12))
    assert len(pictures) == 12
    for (image, row), (drawn, known) in zip(pictures, draw_raw(1, 12)):
        np.testing.assert_array_equal(image, drawn)
        assert row == known
    flaws = conform([row for _, row in pictures])["flaws"]
    assert flaws.notna().all() and (flaws == "").any() and (flaws != "").any()


@pytest.mark.parametrize(("wrong", "says"), [({"seed": -1}, "seed is -1"), ({"count": 0}, "data.count is 0")])
def test_nothing_to_draw_is_refused(wrong, says):
    with pytest.raises(SourceError, match=says):
        read("synthetic_raw", **wrong)
