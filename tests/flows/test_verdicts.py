"""What becomes of a picture follows from marks, split and a person's word; rules are scored where truth is known."""

import numpy as np
import pandas as pd
import pytest

from data.cleaning import RULES, curation
from flows.verdicts import judge, marked, score

OFF = dict.fromkeys(RULES)


def table(splits: list[str]) -> pd.DataFrame:
    ids = [f"{i:032x}" for i in range(len(splits))]
    return pd.DataFrame({"id": ids, "origin": ids, "split": splits, "label": pd.array([1] * len(ids), "Int8")})


def said(rows: pd.DataFrame, **verdicts: int) -> curation.Curated:
    """A person's verdicts, each on the row of that number."""
    words = [(rows["id"][row], verdict, 3 if verdict == "relabel" else None) for verdict, row in verdicts.items()]
    return curation.apply(rows, pd.DataFrame(words, columns=curation.COLUMNS).astype({"label": "Int8"}))


def test_each_rule_marks_on_its_worse_side_and_what_has_no_face_is_marked_always():
    found = np.array([True, True, True, False])
    measures = {"blank": np.array([0.0, 0.1, 0.2, np.nan]), "several_faces": np.array([0.9, np.nan, 0.1, np.nan])}
    marks = marked(found, measures, OFF | {"blank": 0.1, "several_faces": 0.5})
    assert marks.to_dict("list") == {
        "no_face": [False, False, False, True],
        "several_faces": [True, False, False, False],
        "blank": [True, False, False, False],
    }
    assert marked(found[:3], {}, OFF).empty


def test_test_rows_stay_and_a_person_stands_above_the_rules():
    rows = table(["train", "validation", "test", "train", "train", "train", "test", "test"])
    found = np.array([True] * 7 + [False])
    marks = pd.DataFrame({"no_face": ~found, "blank": [True] * 4 + [False] * 4, "blur": [True] + [False] * 7})
    verdicts = judge(rows, found, marks, said(rows, keep=3, reject=4, relabel=1), {"blank": np.arange(8.0)})
    assert verdicts["kept"].tolist() == [False, True, True, True, False, True, True, False]
    assert verdicts["rejected_by"].tolist() == ["blank,blur", "blank", "blank", "blank", "curation", "", "", "no_face"]
    assert verdicts.columns.tolist() == ["id", "origin", "split", "label", "kept", "rejected_by", *RULES]
    assert verdicts["blank"].tolist() == list(range(8)) and verdicts["text"].isna().all()


def test_a_person_cannot_keep_what_has_no_face_nor_take_from_a_test():
    rows = table(["train", "test"])
    found = np.array([False, True])
    marks = marked(found, {}, OFF)
    verdicts = judge(rows, found, marks, said(rows, keep=0, reject=1), {})
    assert verdicts["kept"].tolist() == [False, True]
    assert verdicts["rejected_by"].tolist() == ["no_face", "curation"]


def test_precision_and_recall_are_counted_where_the_truth_is_known():
    flaws = pd.Series(["text", "text,blur", "blur", "", "", None, "text_too"], dtype="str")
    marks = pd.DataFrame({"text": [True, False, True, False, False, True, False], "blur": [False] * 7})
    text, blur = score(marks, np.array([False, True, True, True, True, True, True]), flaws)
    assert (text["rule"], text["marked"], text["removed"]) == ("text", 3, 1)
    assert (text["precision"], text["recall"]) == (0.5, 0.5)
    assert text["precision_low"] == pytest.approx(0.0945, abs=1e-4)  # Wilson's interval of 1 in 2
    assert text["precision_high"] == pytest.approx(0.9055, abs=1e-4)
    assert blur["recall"] == 0 and "precision" not in blur
    assert score(marks, np.ones(7, bool), pd.Series([None] * 7, dtype="str")) == [
        {"rule": "text", "marked": 3, "removed": 0}, {"rule": "blur", "marked": 0, "removed": 0}
    ]


def test_a_mark_that_another_flaw_accounts_for_counts_neither_way():
    flaws = pd.Series(["blank", "no_face,blank", "no_face", ""], dtype="str")
    (row,) = score(pd.DataFrame({"no_face": [True, True, True, True]}), np.ones(4, bool), flaws)
    assert (row["precision"], row["recall"]) == (pytest.approx(2 / 3), 1)
