"""Scores against scikit-learn's, on tables with absent and never-predicted classes; wrong input is named."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from metrics.classification import compare, report, scores, scores_of

NAMES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def answers(rng: np.random.Generator, labels: np.ndarray, share_right: float, classes: int = 7) -> np.ndarray:
    """Probabilities (N, classes) whose highest is the label in about `share_right` of the rows."""
    called = np.where(rng.random(len(labels)) < share_right, labels, rng.integers(0, classes, len(labels)))
    logits = rng.random((len(labels), classes)) + 3 * np.eye(classes)[called]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("present", [range(7), (0, 3), (5,)])
def test_scores_agree_with_scikit_learn(present):
    rng = np.random.default_rng(1)
    labels = rng.choice(list(present), 200)
    probabilities = answers(rng, labels, 0.6)
    predicted = probabilities.argmax(axis=1)
    ours = scores(labels, probabilities)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of absent classes
        recall = reference.recall_score(labels, predicted, labels=range(7), average=None, zero_division=np.nan)
        precision = reference.precision_score(labels, predicted, labels=range(7), average=None, zero_division=np.nan)
        balanced = reference.balanced_accuracy_score(labels, predicted)
        macro_f1 = reference.f1_score(labels, predicted, average="macro")
    np.testing.assert_array_equal(ours.confusion, reference.confusion_matrix(labels, predicted, labels=range(7)))
    np.testing.assert_allclose(ours.recall, recall)
    np.testing.assert_allclose(ours.precision, precision)
    np.testing.assert_allclose(
        [ours.accuracy, ours.balanced_accuracy, ours.macro_f1],
        [reference.accuracy_score(labels, predicted), balanced, macro_f1],
    )


def test_a_stack_of_tables_is_scored_as_each_alone():
    tables = np.random.default_rng(2).integers(0, 9, (5, 3, 3))
    tables[:, 1] = 0
    together = scores_of(tables)
    for i, table in enumerate(tables):
        alone = scores_of(table)
        np.testing.assert_array_equal(together.overall()[i], alone.overall())
        np.testing.assert_array_equal(together.recall[i], alone.recall)


def test_recorded_table_gives_the_recorded_accuracy(shared):
    recorded = json.loads((shared / "parity" / "mini_xception_baseline.json").read_text())["public_m11"]
    assert float(scores_of(np.array(recorded["cm"])).accuracy) == pytest.approx(recorded["acc"])


def test_an_absent_class_is_unknown_and_not_zero():
    labels = np.array([0, 0, 2, 2])
    probabilities = np.eye(3)[[0, 2, 2, 2]]
    result = report(labels, probabilities, ("a", "b", "c"))
    assert result["recall"] == {"a": 0.5, "b": None, "c": 1.0}
    assert result["recall_low"]["b"] is None and result["recall_high"]["b"] is None
    assert result["precision"]["b"] is None  # never predicted either
    assert result["balanced_accuracy"] == 0.75  # over the two classes that occur
    assert result["support"] == {"a": 2, "b": 0, "c": 2}
    json.dumps(result, allow_nan=False)


def test_intervals_hold_their_scores_and_repeat_with_the_seed():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 7, 400)
    probabilities = answers(rng, labels, 0.5)
    first = report(labels, probabilities, NAMES, seed=4)
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert first[f"{name}_low"] < first[name] < first[f"{name}_high"]
        assert 0.06 < first[f"{name}_high"] - first[f"{name}_low"] < 0.14  # 400 rows at about 0.57: ± 0.049
    assert report(labels, probabilities, NAMES, seed=4) == first
    assert report(labels, probabilities, NAMES, seed=5) != first


def test_pictures_of_the_same_people_say_less():
    rng = np.random.default_rng(5)
    labels = np.repeat(rng.integers(0, 7, 40), 10)  # 40 people, each shown ten times with one expression
    probabilities = np.repeat(answers(rng, labels[::10], 0.5), 10, axis=0)  # and ten times the same answer
    people = pd.Series([f"p{i // 10}" for i in range(400)], dtype="string")
    apart, together = report(labels, probabilities, NAMES), report(labels, probabilities, NAMES, people)
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert together[name] == apart[name]
        wide, narrow = (r[f"{name}_high"] - r[f"{name}_low"] for r in (together, apart))
        assert 2 < wide / narrow < 5  # sqrt(10) = 3.2 fewer independent trials
    once = report(labels[::10], probabilities[::10], NAMES)
    assert together["accuracy_low"] == pytest.approx(once["accuracy_low"], abs=0.01)


def test_pictures_of_unknown_people_stand_alone():
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 7, 50)
    probabilities = answers(rng, labels, 0.5)
    nobody = pd.Series([pd.NA] * 50, dtype="string")
    assert report(labels, probabilities, NAMES, nobody) == report(labels, probabilities, NAMES)
    everybody = report(labels, probabilities, NAMES, [f"p{i}" for i in range(50)])
    some = report(labels, probabilities, NAMES, [f"p{i}" if i else None for i in range(50)])
    assert some["accuracy_low"] == pytest.approx(everybody["accuracy_low"])


def test_compare_sees_a_gain_that_separate_intervals_hide():
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 7, 600)
    before = answers(rng, labels, 0.5)
    after = before.copy()
    mended = np.flatnonzero(before.argmax(axis=1) != labels)[:18]  # 3 % of all rows
    after[mended] = np.eye(7)[labels[mended]]
    gain = compare(labels, before, after)
    assert gain["accuracy"] == pytest.approx(0.03)
    assert 0.015 < gain["accuracy_low"] < 0.03 < gain["accuracy_high"] < 0.05
    assert gain["macro_f1_low"] > 0
    assert report(labels, before, NAMES)["accuracy_high"] > report(labels, after, NAMES)["accuracy_low"]
    back = compare(labels, after, before)
    assert back["balanced_accuracy"] == pytest.approx(-gain["balanced_accuracy"])
    assert back["balanced_accuracy_low"] == pytest.approx(-gain["balanced_accuracy_high"], abs=0.003)


def test_compare_of_equals_claims_nothing():
    labels = np.array([0, 1, 1, 0])
    same = np.eye(2)[[0, 1, 0, 0]]
    assert compare(labels, same, same)["accuracy"] == 0
    assert compare(labels, same, same)["accuracy_low"] is None


def test_compare_draws_people_where_they_are_known():
    rng = np.random.default_rng(8)
    labels = np.repeat(rng.integers(0, 3, 30), 8)
    before, after = (np.repeat(answers(rng, labels[::8], p, 3), 8, axis=0) for p in (0.4, 0.9))
    apart = compare(labels, before, after)
    together = compare(labels, before, after, [f"p{i // 8}" for i in range(240)])
    wide, narrow = (c["accuracy_high"] - c["accuracy_low"] for c in (together, apart))
    assert wide > 2 * narrow


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [[0.5, 0.5], [np.nan, 0.5]], "NaN or infinite; first row 1"),
        ([0, 1], [[0.5, 0.5], [2.0, -1.0]], "no probabilities.*first row 1"),
        ([0, 2], [[0.5, 0.5], [1.0, 0.0]], "not in 0…1; first row 1: 2"),
        ([0, np.nan], [[0.5, 0.5], [1.0, 0.0]], "not in 0…1; first row 1: nan"),
        ([0, 1, 1], [[0.5, 0.5], [1.0, 0.0]], r"\(3,\) and \(2, 2\)"),
        ([], np.zeros((0, 2)), "no rows"),
    ],
)
def test_wrong_input_is_named(labels, probabilities, message):
    with pytest.raises(ValueError, match=message):
        scores(np.array(labels), np.array(probabilities))


def test_wrong_names_and_subjects_are_named():
    with pytest.raises(ValueError, match="2 probabilities a row but 3 class names"):
        report(np.array([0]), np.eye(2)[[0]], ("a", "b", "c"))
    with pytest.raises(ValueError, match="1 rows but 2 subjects"):
        report(np.array([0]), np.eye(2)[[0]], ("a", "b"), ["x", "y"])
