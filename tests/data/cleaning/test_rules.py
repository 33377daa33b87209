"""Every rule says what it measures and on which side of its threshold it marks; it marks strictly beyond it."""

import math

import numpy as np
import pytest

from data.cleaning import IMPLIED, RULES, beyond
from data.cleaning.look import Look

UNSEEN = Look(np.full((64, 64, 3), 90, np.uint8), None, None, None, None, np.full((64, 64), 90, np.uint8))


def test_the_rules_are_these_in_this_order():
    assert list(RULES) == ["no_face", "several_faces", "small_face", "blank", "blur", "text", "side_view", "covered",
                           "duplicate", "wrong_label"]
    assert all(module.__name__ == f"data.cleaning.{name}" for name, module in RULES.items())


@pytest.mark.parametrize("name", list(RULES))
def test_each_rule_says_what_it_measures(name):
    assert RULES[name].WORSE in ("higher", "lower") and RULES[name].MEASURE


@pytest.mark.parametrize("name", ["no_face", "several_faces", "small_face", "side_view", "covered"])
def test_rules_of_found_faces_know_nothing_where_none_were_looked_for(name):
    assert math.isnan(RULES[name].measure(UNSEEN))


@pytest.mark.parametrize(("name", "marks"), [("blank", [True, False, False]), ("side_view", [False, False, True])])
def test_marks_lie_strictly_beyond_the_threshold_on_the_worse_side(name, marks):
    assert beyond(name, np.array([1.0, 2.0, 3.0]), 2.0).tolist() == marks


def test_what_is_not_known_and_what_is_off_marks_nothing():
    assert not beyond("blank", np.array([np.nan, np.nan]), 2.0).any()
    assert beyond("blank", np.array([0.0, 1.0]), None).tolist() == [False, False]


def test_what_leaves_a_rule_undefined_is_another_rules_flaw():
    for name, flaws in IMPLIED.items():
        assert name in RULES and set(flaws) <= set(RULES) - {name}
