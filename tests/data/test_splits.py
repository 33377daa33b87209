"""What is carved off is stratified, of the share asked for, and shares no picture and no subject with the rest."""

import numpy as np
import pandas as pd
import pytest

from data.splits import carve


def faces(count: int, subjects: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Rows of which some are copies, labels of unequal frequency, and, if asked for, subjects."""
    draw = np.random.default_rng(seed)
    return pd.DataFrame({
        "id": [f"{number:05d}" for number in draw.integers(0, int(count * 0.8), count)],
        "label": draw.choice(7, count, p=[0.14, 0.02, 0.14, 0.25, 0.17, 0.11, 0.17]),
        "subject": [f"person {number}" for number in draw.integers(0, subjects, count)] if subjects else [None] * count,
    })


def test_share_is_met_for_every_label_and_no_copy_is_on_both_sides():
    table = faces(3000)
    carved = carve(table["id"], table["label"], table["subject"], 0.1, seed=0)
    assert not set(table["id"][carved]) & set(table["id"][~carved])
    assert table["id"][carved].duplicated().any(), "copies are carved together"
    shares = pd.Series(carved).groupby(table["label"]).mean()
    counts = table["label"].value_counts()
    assert (abs(shares - 0.1) * counts <= 2).all()


def test_no_subject_and_no_copy_is_on_both_sides():
    table = faces(4000, subjects=1000).drop_duplicates("id")
    table = pd.concat([table, table.iloc[:20].assign(subject=None)], ignore_index=True)  # copies of unknown person
    carved = carve(table["id"], table["label"], table["subject"], 0.2, seed=3)
    for name in ("id", "subject"):
        values = table[name].dropna()
        assert not set(values[carved[values.index]]) & set(values[~carved[values.index]])
    assert abs(carved.mean() - 0.2) < 0.01


def test_links_over_several_steps_stay_together():
    ids = ["a", "b", "b", "c", "c", "d"] + [f"x{number}" for number in range(30)]
    subjects = ["1", "1", "2", "2", "3", "3"] + [None] * 30
    for seed in range(20):
        chain = carve(ids, [0] * 36, subjects, 0.5, seed)[:6]
        assert chain.all() or not chain.any()


def test_the_choice_follows_the_seed_and_not_the_order_of_rows():
    table = faces(500).drop_duplicates("id")
    def carved_ids(rows: pd.DataFrame, seed: int) -> set[str]:
        return set(rows["id"][carve(rows["id"], rows["label"], rows["subject"], 0.3, seed)])

    assert carved_ids(table, 0) == carved_ids(table.sample(frac=1, random_state=1), 0)
    assert carved_ids(table, 0) != carved_ids(table, 1)


def test_the_choice_does_not_follow_the_pixels_of_known_people():
    table = faces(500, subjects=100).drop_duplicates("id")
    again = [f"as another processor has it: {each}" for each in table["id"]]
    first, second = (carve(ids, table["label"], table["subject"], 0.3, seed=0) for ids in (table["id"], again))
    assert first.tolist() == second.tolist()


def test_unlabelled_faces_are_a_stratum_of_their_own():
    labels = pd.array([0] * 100 + [None] * 50, "Int8")
    carved = carve([str(number) for number in range(150)], labels, [None] * 150, 0.2, seed=0)
    assert carved[:100].sum() == 20 and carved[100:].sum() == 10


@pytest.mark.parametrize("ids, share, message", [
    (["a", "a", "a"], 0.5, "too few"), (["a", "b"], 0.1, "too few"), ([], 0.5, "too few"),
    (["a", "b"], 1.0, "between 0 and 1"),
])
def test_what_cannot_be_divided_is_refused(ids, share, message):
    with pytest.raises(ValueError, match=message):
        carve(ids, [0] * len(ids), [None] * len(ids), share, seed=0)
