"""Labels that faces speak against have the lowest margins, learnt without the face, its copies and its person."""

import numpy as np
import pandas as pd

from data.cleaning import wrong_label
from data.cleaning.look import Look

CLASSES, EACH = 3, 60
CENTRES = np.random.default_rng(9).normal(0, 1, (CLASSES, 20))


def world(seed: int = 0) -> tuple[np.ndarray, pd.DataFrame]:
    """Descriptions around one centre a class, and their true labels."""
    rng = np.random.default_rng(seed)
    label = np.tile(np.arange(CLASSES), EACH)
    descriptions = (CENTRES[label] + rng.normal(0, 0.3, (len(label), 20))).astype(np.float16)
    return descriptions, pd.DataFrame({
        "id": [f"{row:032x}" for row in range(len(label))], "split": "train", "label": pd.array(label, "Int8"),
        "subject": [f"s{row // 6}" for row in range(len(label))],
    })


def look(face: np.ndarray | None) -> Look:
    return Look(np.zeros((8, 8, 3), np.uint8), None, None, None, None, face)


def test_wrong_labels_are_found():
    descriptions, table = world()
    wrong = np.arange(5, len(table), 17)
    table.loc[wrong, "label"] = (table["label"][wrong] + 1) % CLASSES
    margin = wrong_label.measure(descriptions, table, 0)
    assert set(np.argsort(margin)[:len(wrong)]) == set(wrong)
    assert margin[wrong].max() < 0 and margin.min() >= -1 and margin.max() <= 1


def test_the_same_seed_gives_the_same_margins():
    descriptions, table = world()
    one = wrong_label.measure(descriptions, table, 4)
    assert np.array_equal(one, wrong_label.measure(descriptions, table, 4))
    assert not np.array_equal(one, wrong_label.measure(descriptions, table, 5))


def test_without_a_label_or_a_face_nothing_is_told():
    descriptions, table = world()
    table.loc[[0, 7], "label"] = pd.NA
    descriptions[3] = np.nan
    margin = wrong_label.measure(descriptions, table, 0)
    assert np.flatnonzero(np.isnan(margin)).tolist() == [0, 3, 7]


def test_neither_a_copy_nor_the_same_person_speaks_for_a_label():
    descriptions, table = world()
    before = wrong_label.measure(descriptions, table, 0)
    for column in ("id", "subject"):
        again = pd.concat([table, *[table.iloc[[0]]] * 30], ignore_index=True)
        again["label"] = again["label"].mask(again.index.isin([0, *range(len(table), len(again))]), 1)
        if column == "subject":  # other pictures, each alone, but for the person
            again.loc[len(table):, "id"] = [f"new{row}" for row in range(30)]
        else:
            again.loc[len(table):, "subject"] = None
        margin = wrong_label.measure(np.concatenate([descriptions, np.repeat(descriptions[:1], 30, 0)]), again, 0)
        assert before[0] > 0 and margin[0] < 0
        assert (margin[len(table):] < 0).all()


def test_test_rows_are_judged_but_teach_nothing():
    descriptions, table = world()
    table.loc[:59, "split"] = "test"
    margin = wrong_label.measure(descriptions, table, 0)
    turned = table.copy()
    turned.loc[:59, "label"] = (turned["label"][:60] + 1) % CLASSES
    other = wrong_label.measure(descriptions, turned, 0)
    assert np.array_equal(margin[60:], other[60:])
    assert (margin[:60] > 0).mean() > 0.9 and (other[:60] < 0).mean() > 0.9


def test_too_little_to_learn_from_tells_nothing():
    descriptions, table = world()
    assert np.isnan(wrong_label.measure(descriptions, table.assign(label=2), 0)).all()
    assert wrong_label.measure(descriptions[:0], table[:0], 0).shape == (0,)


def test_memory_mapped_descriptions_in_blocks_give_the_same(tmp_path, monkeypatch):
    descriptions, table = world()
    np.save(tmp_path / "d.npy", descriptions)
    whole = wrong_label.measure(descriptions, table, 0)
    monkeypatch.setattr(wrong_label, "BLOCK", 13)
    mapped = np.load(tmp_path / "d.npy", mmap_mode="r")
    np.testing.assert_allclose(wrong_label.measure(mapped, table, 0), whole, atol=1e-6)


def test_a_description_is_of_one_length_and_of_the_face():
    face = np.tile(np.arange(64, dtype=np.uint8) * 3, (64, 1))
    lines, none = (wrong_label.describe(look(each)) for each in (face, None))
    assert lines.shape == none.shape and lines.dtype == none.dtype == np.float16
    assert np.isnan(none).all() and np.isfinite(lines).all()
    directions = lines.reshape(-1, 9).sum(axis=0, dtype=np.float32)
    assert directions[[0, 8]].sum() > 0.99 * directions.sum()  # all gradients point one way, between these two


def test_a_face_and_its_mirror_image_are_described_alike_and_nothing_is_left_out():
    left, right = np.zeros((2, 64, 64), np.uint8)
    left[8:20, 4:9], right[40:60, 52:60] = 200, 200
    one, other, both = (wrong_label.describe(look(face)) for face in (left, right, left | right))
    assert np.array_equal(one, wrong_label.describe(look(left[:, ::-1].copy())))
    assert np.abs(one - other).max() > 0.1
    np.testing.assert_allclose(both, one + other, atol=1e-3)  # far apart, so no block sees two of them
