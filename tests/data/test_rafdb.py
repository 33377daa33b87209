"""The RAF-DB reader turns its order of labels into ours and refuses lists and pictures that do not belong together."""

import shutil

import pytest
from made_up import cut, pack, put, text

from data import sources
from data.faceset import EXPRESSIONS
from data.sources.source_error import SourceError

# As the publisher's read-me has it: 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral.
LABELS = {"train_00001": (5, "sad"), "train_00002": (1, "surprise"), "train_00003": (3, "disgust"),
          "train_00004": (7, "neutral"), "test_00001": (4, "happy"), "test_00002": (6, "angry"),
          "test_00003": (2, "fear")}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "basic"
    for seed, base in enumerate(LABELS):
        put(folder, f"Image/aligned/{base}_aligned.jpg", (100, 100, 3), seed)
        put(folder, f"Image/original/{base}.jpg", (60, 80, 3), seed)
    lines = [f"{base}.jpg {label}\n" for base, (label, _) in LABELS.items()]
    text(folder, "EmoLabel/list_patition_label.txt", "".join(lines))
    return folder


@pytest.mark.parametrize("which", ["aligned", "original"])
@pytest.mark.parametrize("packed", [False, True])
def test_labels_and_splits(folder, which, packed):
    if which == "original":
        shutil.rmtree(folder / "Image/aligned")
    if packed:
        pack(folder / "Image" / which, ".zip")
        shutil.rmtree(folder / "Image" / which)
    images, rows = zip(*sources.read("rafdb", folder))
    bases = [row["origin"].rpartition("/")[2].removesuffix(".jpg").removesuffix("_aligned") for row in rows]
    assert {base: EXPRESSIONS[row["label"]] for base, row in zip(bases, rows)} == {
        base: expression for base, (_, expression) in LABELS.items()}
    assert [row["split"] for row in rows] == [base.partition("_")[0] for base in bases]
    assert {image.shape for image in images} == {(100, 100, 3) if which == "aligned" else (60, 80, 3)}


@pytest.mark.parametrize("line, message", [
    ("train_00005.jpg 5", "line 8: there is no picture train_00005_aligned.jpg"),
    ("train_00005.jpg 8", "line 8: label is '8', expected one of 1, 2, 3, 4, 5, 6, 7"),
    ("train_00005.jpg", "line 8: 1 values, expected 2"),
])
def test_a_wrong_line_is_named(folder, line, message):
    with (folder / "EmoLabel/list_patition_label.txt").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(SourceError, match=f"list_patition_label.txt, {message}"):
        next(sources.read("rafdb", folder))


def test_wrong_pictures_and_a_missing_list_are_named(folder):
    put(folder, "Image/aligned/train_00009_aligned.jpg")
    with pytest.raises(SourceError, match="train_00009_aligned.jpg: not in .*list_patition_label.txt"):
        list(sources.read("rafdb", folder))
    cut(folder / "Image/aligned/train_00002_aligned.jpg")
    with pytest.raises(SourceError, match="train_00002_aligned.jpg: the picture is cut short"):
        list(sources.read("rafdb", folder))
    put(folder, "Image/aligned/happy.jpg")
    with pytest.raises(SourceError, match="happy.jpg: not named as train_00001_aligned.jpg or"):
        list(sources.read("rafdb", folder))
    (folder / "EmoLabel/list_patition_label.txt").unlink()
    with pytest.raises(SourceError, match="list_patition_label.txt is missing.*whdeng.cn"):
        list(sources.read("rafdb", folder))
