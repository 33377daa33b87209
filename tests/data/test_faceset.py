"""A face set keeps what is put into it, is never seen half-written, and says what is wrong with a damaged one."""

import errno
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data import faceset, pixels
from data.faceset import AU_COLUMNS, EXPRESSIONS, SCHEMA, FaceSet, FaceSetWriter, conform, content_id

SHAPE = (6, 5, 3)


def pictures(count: int, shape: tuple[int, ...] = SHAPE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


def write(folder: Path, count: int = 10, shape: tuple[int, ...] = SHAPE, seed: int = 0) -> FaceSet:
    images = pictures(count, shape, seed)
    with FaceSetWriter(folder, shape) as writer:
        for start in range(0, count, 4):
            batch = images[start:start + 4]
            split = "train" if start else "test"
            writer.append(batch, [{"label": i % 7, "split": split, "origin": str(i)}
                                  for i in range(start, start + len(batch))])
    return FaceSet.open(folder)


def test_what_is_written_in_batches_is_read_back(tmp_path):
    faces = write(tmp_path / "set")
    assert len(faces) == 10
    assert np.array_equal(faces.images, pictures(10))
    assert isinstance(faces.images, np.memmap)
    assert list(faces.table.columns) == SCHEMA.names
    assert faces.table["label"].tolist() == [i % 7 for i in range(10)]
    assert faces.table["origin"].tolist() == [str(i) for i in range(10)]
    assert np.array_equal(np.load(tmp_path / "set" / "images.npy"), pictures(10)), "plain NumPy reads the pixels too"


def test_every_column_keeps_its_values_and_nulls(tmp_path):
    known = dict(source="here", origin="a:1", split="train", subject="7", label=3, gender=1, parent="p", maker="m",
                 flaws="text,blur", box=[1, 2, 3, 4.5], landmarks=list(range(10)), votes=[0.5, 0, 0, 0.25, 0, 0, 0.25],
                 **dict.fromkeys(AU_COLUMNS, 0.25))
    with FaceSetWriter(tmp_path / "set", SHAPE) as writer:
        writer.append(pictures(2), [known, {}])
    first, second = (row for _, row in FaceSet.open(tmp_path / "set").table.iterrows())
    lists = ("box", "landmarks", "votes")
    assert {name: first[name] for name in known if name not in lists} == {
        name: value for name, value in known.items() if name not in lists}
    assert [first[name].tolist() for name in lists] == [known[name] for name in lists]
    assert second.drop("id").isna().all()


def test_nothing_wrong_is_not_the_same_as_nobody_knows(tmp_path):
    with FaceSetWriter(tmp_path / "set", SHAPE) as writer:
        writer.append(pictures(2), [{"flaws": ""}, {"flaws": None}])
    flaws = FaceSet.open(tmp_path / "set").table["flaws"]
    assert flaws.iloc[0] == "" and flaws.isna().tolist() == [False, True]


def test_ids_follow_the_pixels_and_nothing_else(tmp_path):
    images = pictures(3)
    images[2] = images[0]
    with FaceSetWriter(tmp_path / "set", SHAPE) as writer:
        writer.append(images, [{"id": "made up", "label": i} for i in range(3)])
    first, second, third = FaceSet.open(tmp_path / "set").table["id"]
    assert first == third == content_id(images[0]) != second
    assert content_id(np.zeros((2, 3, 1), np.uint8)) != content_id(np.zeros((3, 2, 1), np.uint8))


def test_same_faces_same_bytes(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b")
    for name in ("images.npy", "faces.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("rows", [[7, 0, -1], slice(2, 9, 3), np.arange(10) % 2 == 0, []])
def test_select_agrees_with_numpy(tmp_path, rows):
    chosen = write(tmp_path / "set").select(rows)
    expected = pictures(10)[np.asarray(rows, int) if isinstance(rows, list) else rows]
    assert np.array_equal(chosen.images, expected)
    assert chosen.table["id"].tolist() == [content_id(image) for image in expected]


def test_a_mask_with_nulls_does_not_choose_them(tmp_path):
    faces = write(tmp_path / "set")
    faces.table.loc[0, "label"] = pd.NA
    assert len(faces.select(faces.table["label"] == 0)) == 1  # face 7; face 0's label is not known
    with pytest.raises(ValueError, match="mask of 10"):
        faces.select(np.ones(9, bool))


def test_split_names_the_splits_there_are(tmp_path):
    faces = write(tmp_path / "set")
    assert len(faces.split("test")) == 4 and len(faces.split("train")) == 6
    with pytest.raises(ValueError, match="'validation'.*test, train"):
        faces.split("validation")


def test_join_of_selections_shows_the_right_pictures_without_copying(tmp_path, monkeypatch):
    a, b = write(tmp_path / "a"), write(tmp_path / "b", seed=1)
    reads = []
    read = pixels.RowView.__getitem__
    monkeypatch.setattr(pixels.RowView, "__getitem__", lambda view, key: reads.append(key) or read(view, key))
    joined = FaceSet.join([a.select([9, 1]), b, FaceSet.join([b, a]).select([10, 0])])
    assert not reads, "joining and selecting read no pixel"
    expected = np.concatenate([pictures(10)[[9, 1]], pictures(10, seed=1), pictures(10)[:1], pictures(10, seed=1)[:1]])
    assert np.array_equal(joined.images[:], expected)
    assert np.array_equal(joined.images[[12, -1, 0]], expected[[12, -1, 0]])
    assert np.array_equal(joined.images[-2], expected[-2])
    assert joined.table["id"].tolist() == [content_id(image) for image in expected]
    with pytest.raises(IndexError):
        joined.images[len(joined)]


def test_join_refuses_other_shapes(tmp_path):
    with pytest.raises(ValueError, match=r"\(6, 5, 3\), \(8, 8, 1\)"):
        FaceSet.join([write(tmp_path / "a"), write(tmp_path / "b", shape=(8, 8, 1))])


def test_a_joined_selection_saves_as_a_set_of_its_own(tmp_path):
    joined = FaceSet.join([write(tmp_path / "a").select([3, 5]), write(tmp_path / "b", seed=1)])
    joined.save(tmp_path / "c", batch=5)
    saved = FaceSet.open(tmp_path / "c")
    assert np.array_equal(saved.images, joined.images)
    pd.testing.assert_frame_equal(saved.table, joined.table)


def test_an_empty_set_is_a_set(tmp_path):
    with FaceSetWriter(tmp_path / "set", SHAPE):
        pass
    faces = FaceSet.open(tmp_path / "set")
    assert faces.images.shape == (0, *SHAPE) and len(faces.table) == 0


def test_nothing_is_seen_before_the_end_nor_left_after_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="stop"), FaceSetWriter(tmp_path / "set", SHAPE) as writer:
        writer.append(pictures(3), [{}] * 3)
        assert not (tmp_path / "set").exists()
        raise RuntimeError("stop")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("during", ["append", "publish"])
def test_a_full_disk_is_named_and_leaves_nothing(tmp_path, monkeypatch, during):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if during == "append":
        monkeypatch.setattr(faceset.NpyAppender, "append", full)
    else:
        monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left.*free some space") as caught:
        write(tmp_path / "set")
    assert caught.value.errno == errno.ENOSPC and str(tmp_path / "set") in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_set_is_not_overwritten(tmp_path):
    write(tmp_path / "set")
    with pytest.raises(FileExistsError, match="already exists"):
        FaceSetWriter(tmp_path / "set", SHAPE)


@pytest.mark.parametrize("row, message", [
    ({"lable": 3}, "unknown face set column 'lable': did you mean 'label'"),
    ({"label": 7}, "face 12: label is 7.*0 to 6"),
    ({"label": "happy"}, "face 12: label is happy"),
    ({"gender": 0.5}, "face 12: gender is 0.5, expected a whole number"),
    ({"au12": 1.5}, "face 12: au12 is 1.5, expected a number from 0 to 1"),
    ({"box": [1, 2, 3]}, "face 12: box is .*expected 4 numbers"),
    ({"landmarks": [1] * 9}, "face 12: landmarks is .*expected 10 numbers"),
    ({"votes": [0.5, 0.5]}, "face 12: votes is .*expected 7 numbers"),
    ({"votes": [0.5, 0.4, 0, 0, 0, 0, 0]}, "face 12: votes is .*sum to 1"),
    ({"votes": [1.5, -0.5, 0, 0, 0, 0, 0]}, "face 12: votes is .*0 or more"),
    ({"votes": [np.nan, 1, 0, 0, 0, 0, 0]}, "face 12: votes is .*sum to 1"),
])
def test_a_wrong_value_is_named(row, message):
    with pytest.raises(ValueError, match=message):
        conform([{}, {}, row], first_row=10)


def test_pictures_that_do_not_fit_are_refused(tmp_path):
    with FaceSetWriter(tmp_path / "set", SHAPE) as writer:
        with pytest.raises(ValueError, match=r"\(6, 5, 3\).*\(5, 6, 3\)"):
            writer.append(pictures(1, (5, 6, 3)), [{}])
        with pytest.raises(ValueError, match="float64"):
            writer.append(pictures(1) / 255, [{}])
        with pytest.raises(ValueError, match="3 pictures and 2 rows"):
            writer.append(pictures(3), [{}] * 2)


def test_damage_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is not a face set"):
        FaceSet.open(tmp_path / "nowhere")
    write(tmp_path / "set")
    images, table = tmp_path / "set" / "images.npy", tmp_path / "set" / "faces.parquet"
    whole = images.read_bytes()
    images.write_bytes(whole[:-1])
    with pytest.raises(ValueError, match="images.npy.*cut short"):
        FaceSet.open(tmp_path / "set")
    images.write_bytes(b"not pixels")
    with pytest.raises(ValueError, match="images.npy: not an .npy file"):
        FaceSet.open(tmp_path / "set")
    np.save(images, np.zeros((10, 2, 2, 1), np.float32))
    with pytest.raises(ValueError, match="expected uint8 pictures.*float32"):
        FaceSet.open(tmp_path / "set")
    np.save(images, pictures(9))
    with pytest.raises(ValueError, match="9 pictures in images.npy but 10 rows in faces.parquet"):
        FaceSet.open(tmp_path / "set")
    images.write_bytes(whole)
    table.write_bytes(table.read_bytes()[:100])
    with pytest.raises(ValueError, match="faces.parquet: not a readable parquet file"):
        FaceSet.open(tmp_path / "set")


def test_a_pickle_in_disguise_is_not_loaded(tmp_path):
    write(tmp_path / "set")
    np.save(tmp_path / "set" / "images.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="expected uint8"):
        FaceSet.open(tmp_path / "set")


def test_the_picture_has_a_row_for_each_expression_that_occurs(tmp_path):
    images = np.zeros((9, 48, 48, 1), np.uint8)
    images[:4], images[4:] = 60, 200
    with FaceSetWriter(tmp_path / "set", (48, 48, 1)) as writer:
        writer.append(images, [{"label": EXPRESSIONS.index("happy")}] * 4 + [{}] * 5)
    sheet = FaceSet.open(tmp_path / "set").picture(columns=3)
    half = sheet.shape[0] // 2
    assert sheet.dtype == np.uint8 and sheet.shape[2] == 3
    assert (sheet[:half] == 60).mean() > 0.6 and (sheet[:half] == 200).mean() < 0.01  # letters have every grey
    assert (sheet[half:] == 200).mean() > 0.6 and (sheet[half:] == 60).mean() < 0.01
