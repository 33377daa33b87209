"""The study of few pictures: who learns from which rows, how often, and what is said of a wrong file."""

import json

import numpy as np
import pandas as pd
import pytest

from data.faceset import EXPRESSIONS, FaceSet, conform
from flows.predictions import PROBABILITIES
from studies.augmentation import compare, subset, train


def a_csv(folder, rows_each: int = 12, public: int = 10):
    """A file like fer2013.csv: of each class so many Training rows, twice as many of happy, and copies among them."""
    rng = np.random.default_rng(0)
    lines = ["emotion,pixels,Usage"]
    for label in [*range(7), 3]:
        lines += [f"{label},{' '.join(map(str, rng.integers(0, 256, 48 * 48)))},Training" for _ in range(rows_each)]
    lines += lines[1:4]  # the same pictures once more
    lines += [lines[5].replace("Training", "PublicTest")]  # and one that PublicTest has too
    lines += [f"{n % 7},{' '.join(map(str, rng.integers(0, 256, 48 * 48)))},PublicTest" for n in range(public)]
    file = folder / "few.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    for count, seed in ((16, 0), (32, 0), (16, 1)):
        subset.main(count, seed, a_csv(folder), folder, validation=24)
    return folder


def pictures(folder, name: str, split: str) -> list[str]:
    return FaceSet.open(folder / name / "faces" / "set").split(split).table["id"].tolist()


def test_no_picture_is_learnt_from_and_measured_on(sets):
    splits = [pictures(sets, "32-0", split) for split in ("train", "validation", "public_test")]
    assert [len(each) for each in splits] == [32, 24, 11]
    assert len(set().union(*splits)) == 32 + 24 + 11  # nor is one there twice


def test_classes_are_as_frequent_as_they_come(sets):
    faces = FaceSet.open(sets / "16-0" / "faces" / "set")
    counts = np.bincount(faces.split("train").table["label"].astype(int), minlength=7)
    assert counts.tolist() == [2, 2, 2, 4, 2, 2, 2]


def test_more_pictures_of_a_draw_include_its_fewer_and_other_draws_have_others(sets):
    few, more, others = (pictures(sets, name, "train") for name in ("16-0", "32-0", "16-1"))
    assert set(few) < set(more) and pictures(sets, "16-0", "validation") == pictures(sets, "32-0", "validation")
    assert set(few) != set(others)


def test_the_networks_that_edit_get_the_same_faces_in_colour(sets):
    grey, colour = (FaceSet.open(sets / "16-0" / "faces" / name) for name in ("set", "colour"))
    assert (np.asarray(colour.images) == np.asarray(grey.images)).all() and colour.images.shape[-1] == 3
    assert colour.table["parent"].tolist() == grey.table["parent"].tolist() == grey.table["id"].tolist()


@pytest.mark.parametrize(("count", "fault"), [(90, "90 training and 24 validation rows are wanted, 95 different"),
                                              (3, r"3 training rows have none of the labels \[")])  # fmt: skip
def test_a_file_with_too_little_is_named(tmp_path, count, fault):
    with pytest.raises(ValueError, match=rf"few\.csv: {fault}"):
        subset.main(count, 0, a_csv(tmp_path), tmp_path, validation=24)


def test_a_file_without_rows_to_measure_on_is_named(tmp_path):
    file = a_csv(tmp_path)
    file.write_text("".join(line for line in file.open() if "PublicTest" not in line))
    with pytest.raises(ValueError, match=r"few\.csv: there is no PublicTest row"):
        subset.main(16, 0, file, tmp_path, validation=24)


def rows_of(labels: list[int], maker: str | None = None) -> FaceSet:
    table = pd.DataFrame({"label": labels, "maker": maker, "split": "train"}, index=range(len(labels)))
    ids = [f"{maker}{n}" for n in range(len(labels))]
    return FaceSet(np.zeros((len(labels), 4, 4, 1), np.uint8), conform(table).assign(id=ids))


def test_all_arms_look_as_often_and_each_in_its_own_way():
    real, made = rows_of([3] * 9 + [1]), rows_of([0, 1, 1, 1], "ganimation")
    seen = {arm: train.learnt(real, None, arm, 40, seed=0).table for arm in ("none", "classical", "oversampled")}
    assert {len(table) for table in seen.values()} == {40}
    assert seen["classical"]["id"].value_counts().unique().tolist() == [4]
    assert seen["oversampled"]["label"].value_counts().to_dict() == {3: 20, 1: 20}
    table = train.learnt(real, made, "ganimation", 40, seed=0).table
    new = table[table["maker"].notna()]
    assert len(table) == 40 and len(new) == 12 and new["label"].value_counts().to_dict() == {0: 6, 1: 6}
    assert set(new["id"].value_counts()[["ganimation1", "ganimation2", "ganimation3"]]) == {2}


def test_an_arm_that_is_none_is_named(tmp_path):
    with pytest.raises(ValueError, match="'clasical'; there are none, classical"):
        train.main("clasical", 500, 0, 0, tmp_path)


def say(folder, arm: str, seed: int, right: int, count: int = 500) -> None:
    """An arm that knows the first `right` of 14 pictures, two of each class, having learnt from `count`."""
    labels = np.tile(np.arange(7), 2)
    words = np.eye(7)[np.where(np.arange(14) < right, labels, (labels + 1) % 7)]
    table = pd.DataFrame({"origin": [f"f:{n}" for n in range(14)], "split": "public_test", "label": labels})
    table[PROBABILITIES] = words
    (folder / f"{count}-0" / f"{arm}-{seed}").mkdir(parents=True)
    table.to_parquet(folder / f"{count}-0" / f"{arm}-{seed}" / "predictions.parquet")


def test_gains_are_paired_over_seeds_and_told_by_class(tmp_path):
    for seed, right in ((0, 10), (1, 12)):
        say(tmp_path, "classical", seed, 7)
        say(tmp_path, "singanimation", seed, right)
    found = compare.compared(compare.finished(tmp_path)[500])
    gain = found["gains"]["singanimation over classical"]
    assert found["arms"]["classical"]["accuracy"] == 0.5 and gain["accuracy"] == pytest.approx(4 / 14)
    assert gain["accuracy_low"] < gain["accuracy"] < gain["accuracy_high"]
    assert gain["balanced_accuracy_of_each"] == pytest.approx([3 / 14, 5 / 14])
    assert gain["recall"][EXPRESSIONS[0]][0] == 0.5 and gain["recall"][EXPRESSIONS[6]][0] == 0
    compare.main(tmp_path, tmp_path)
    assert (tmp_path / "gains.png").exists() and (tmp_path / "results.json").exists()


def test_what_was_measured_elsewhere_stays(tmp_path):
    for count in (500, 2000):
        say(tmp_path / str(count), "classical", 0, 7, count)
        say(tmp_path / str(count), "none", 0, 3, count)
        compare.main(tmp_path / str(count), tmp_path)
    found = json.loads((tmp_path / "results.json").read_text())
    assert list(found) == ["500", "2000"] and found["500"]["arms"]["none"]["accuracy"] == pytest.approx(3 / 14)


def test_arms_with_other_seeds_are_not_compared(tmp_path):
    say(tmp_path, "classical", 0, 7)
    with pytest.raises(ValueError, match="500 pictures only classical"):
        compare.finished(tmp_path)
    say(tmp_path, "none", 1, 7)
    with pytest.raises(ValueError, match="all need the same"):
        compare.finished(tmp_path)
