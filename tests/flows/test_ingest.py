"""The stage `ingest` makes one whole face set of any source, with shares carved where the source has none."""

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest

from data.faceset import EXPRESSIONS, FaceSet, conform
from data.sources.source_error import SourceError
from flows import ingest


class Watch:
    """Keeps what the stage said."""

    def __init__(self):
        self.said = []

    def log(self, text: str) -> None:
        self.said.append(text)

    def table(self, name: str, rows: list[dict]) -> None:
        self.said.append((name, rows))

    def progress(self, done: int, total: int, text: str = "") -> None:
        self.said.append((done, total))


def run(out: Path, source: str, path: Path, size: int = 48, channels: int = 1) -> FaceSet:
    out.mkdir()
    data = SimpleNamespace(source=source, path=str(path), size=size, channels=channels, validation=0.2, test=0.2, count=42)
    stage = SimpleNamespace(params=SimpleNamespace(seed=0, data=data), out=out, watch=Watch())
    ingest.run(stage)
    return FaceSet.open(out / "set")


def fer2013(path: Path, usages: dict[str, int]) -> np.ndarray:
    """Writes a csv with so many rows of each usage, and returns its pictures."""
    count = sum(usages.values())
    images = np.random.default_rng(0).integers(0, 256, (count, 48, 48), np.uint8)
    usage = [name for name, number in usages.items() for _ in range(number)]
    lines = [f"{i % 7},{' '.join(map(str, image.ravel()))},{usage[i]}" for i, image in enumerate(images)]
    path.write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    return images


def test_fer2013_keeps_pixels_and_splits_and_carves_validation_by_content(tmp_path):
    images = fer2013(tmp_path / "fer2013.csv", {"PublicTest": 14, "Training": 140})
    csv = (tmp_path / "fer2013.csv").read_text().splitlines()
    (tmp_path / "fer2013.csv").write_text("\n".join([*csv, *csv[-35:]]) + "\n")  # every fourth training row twice
    faces = run(tmp_path / "out", "fer2013", tmp_path / "fer2013.csv")
    assert np.array_equal(faces.images[:154, ..., 0], images)
    table = faces.table
    assert table["split"].value_counts().to_dict() == {"train": 140, "validation": 35, "public_test": 14}
    train, validation = (set(table["id"][table["split"] == name]) for name in ("train", "validation"))
    assert not train & validation
    figures = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert figures["pictures"] == 189 and figures["distinct_pictures"] == 154
    splits = ("train", "validation", "public_test")
    assert sum(figures[f"{split}/{name}"] for split in splits for name in EXPRESSIONS) == 189
    assert cv2.imread(str(tmp_path / "out" / "contact_sheet.png")) is not None


def test_a_folder_of_any_sizes_becomes_three_splits(tmp_path):
    draw = np.random.default_rng(0)
    for number in range(70):
        path = tmp_path / "faces" / EXPRESSIONS[number % 7] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (int(draw.integers(20, 80)), int(draw.integers(20, 80)), 3)
        cv2.imwrite(str(path), draw.integers(0, 256, shape, np.uint8))
    faces = run(tmp_path / "out", "folder", tmp_path / "faces", size=32, channels=3)
    assert faces.images.shape == (70, 32, 32, 3)
    assert pd.crosstab(faces.table["split"], faces.table["label"]).T.drop_duplicates().to_dict("records") == [
        {"test": 2, "train": 6, "validation": 2}]


def test_drawn_faces_need_no_path_and_keep_their_people_on_one_side(tmp_path):
    table = run(tmp_path / "out", "synthetic", Path("data/sources/synthetic.py"), size=32, channels=3).table
    assert len(table) == 42 and set(table["split"]) == {"train", "validation", "test"}
    assert table["subject"].notna().all() and table["split"].groupby(table["subject"]).nunique().max() == 1


def test_a_source_that_brings_its_splits_keeps_them():
    table = conform([{"id": str(i), "split": ("train", "validation", "test")[i % 3], "label": 0} for i in range(30)])
    assert ingest.complete_splits(table, 0.2, 0.2, seed=0).tolist() == table["split"].tolist()
    with pytest.raises(SourceError, match="no pictures for training, only test"):
        ingest.complete_splits(table[table["split"] == "test"], 0.2, 0.2, seed=0)


def test_no_subject_is_on_two_sides():
    table = conform([{"id": str(i), "subject": str(i // 7), "label": i % 7} for i in range(700)])
    split = ingest.complete_splits(table, 0.2, 0.2, seed=0)
    assert split.groupby(table["subject"]).nunique().max() == 1
    assert split.value_counts().to_dict() == {"train": 448, "test": 140, "validation": 112}


def test_a_broken_row_leaves_no_set(tmp_path):
    fer2013(tmp_path / "fer2013.csv", {"Training": 20})
    with (tmp_path / "fer2013.csv").open("a") as file:
        file.write("3,1 2 3,Training\n")
    with pytest.raises(SourceError, match="fer2013.csv, line 22: 3 pixels, expected 2304"):
        run(tmp_path / "out", "fer2013", tmp_path / "fer2013.csv")
    assert list((tmp_path / "out").iterdir()) == []


def test_missing_data_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="data/raw/nothing.csv does not exist.*kaggle.*configure data=fer2013"):
        run(tmp_path / "out", "fer2013", Path("data/raw/nothing.csv"))


def test_box_and_landmarks_move_with_the_picture():
    image = np.zeros((100, 50, 3), np.uint8)
    row = {"box": np.array([10, 20, 20, 40], np.float32), "landmarks": np.arange(10, dtype=np.float32), "label": 1}
    square, moved = ingest.fit(image, row, 50, 3)
    assert square.shape == (50, 50, 3)
    assert moved["box"].tolist() == [12 + 5, 10, 10, 20]  # 25 wide, the bar beside it 12
    assert moved["landmarks"].tolist() == [value for i in range(5) for value in (12 + i, i + 0.5)]
    assert row["box"].tolist() == [10, 20, 20, 40], "the source's row is left alone"
