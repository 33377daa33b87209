"""Folders of pictures are read by the names of their folders; a bad name or a bad file is an error that names it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from made_up import PACKINGS, pack

from data.faceset import EXPRESSIONS
from data.picture_file import decode_picture
from data.sources import folder
from data.sources.source_error import SourceError


def save(path: Path, colour: tuple[int, int, int] = (200, 100, 50), side: int = 32) -> Path:
    """A picture of one RGB colour, a little noise added so that it has a body to cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(side).integers(0, 5, (side, side + 3, 3))
    cv2.imwrite(str(path), (np.array(colour) + noise).astype(np.uint8)[..., ::-1])
    return path


def test_splits_and_classes_come_from_the_folders(tmp_path):
    names = ["train/Happy/1.png", "train/suprise/2.jpg", "test/anger/3.bmp", "val/Disgusted/4.webp",
             "PublicTest/scared/5.png", "Private Test/sadness/6.png", "Training/neutral/7.png"]
    for number, name in enumerate(names):
        save(tmp_path / name, side=20 + number)
    save(tmp_path / "train/Happy/.hidden.png")
    (tmp_path / "train/Happy/Thumbs.db").write_bytes(b"x")
    (tmp_path / "README").write_text("terms")
    found = {row["origin"]: (row["split"], EXPRESSIONS[row["label"]]) for _, row in folder.read(tmp_path)}
    assert found == {
        "train/Happy/1.png": ("train", "happy"), "train/suprise/2.jpg": ("train", "surprise"),
        "test/anger/3.bmp": ("test", "angry"), "val/Disgusted/4.webp": ("validation", "disgust"),
        "PublicTest/scared/5.png": ("public_test", "fear"), "Private Test/sadness/6.png": ("private_test", "sad"),
        "Training/neutral/7.png": ("train", "neutral"),
    }


def test_classes_alone_leave_the_split_open_and_pictures_keep_size_and_colour(tmp_path):
    save(tmp_path / "happy/1.png", side=20)
    save(tmp_path / "sad/2.jpg", side=40)
    (small, first), (large, second) = folder.read(tmp_path)
    assert first["split"] is None and second["split"] is None
    assert small.shape == (20, 23, 3) and large.shape == (40, 43, 3)
    assert np.abs(small.mean(axis=(0, 1)) - [202, 102, 52]).max() < 1, "RGB, not BGR"


@pytest.mark.parametrize("packing", PACKINGS[1:])
def test_an_archive_is_read_in_place(tmp_path, packing):
    for side, name in enumerate(["test/sad/1.png", "train/happy/2.png", "train/happy/3.png"], 20):
        save(tmp_path / "faces" / name, side=side)

    def read(path: Path) -> list[tuple[str, str]]:
        return [(row["split"], EXPRESSIONS[row["label"]]) for _, row in folder.read(pack(path, packing))]

    found = read(tmp_path / "faces")
    assert found == [("test", "sad"), ("train", "happy"), ("train", "happy")], "the folder around all says nothing"
    found = read(tmp_path / "faces/train")
    assert found == [("train", "happy"), ("train", "happy")], "here it names the split"


@pytest.mark.parametrize("name, message", [
    ("hapy/1.png", "'hapy' is not a known class or split: did you mean 'happy'"),
    ("train/nuetral/1.png", "'nuetral' is not a known class or split: did you mean 'neutral'"),
    ("trian/happy/1.png", "did you mean 'train'"),
    ("contempt/1.png", "'contempt'.*expected one of angry, disgust"),
    ("happy/person/1.png", "a folder inside a class folder"),
])
def test_an_unknown_folder_is_named_with_the_nearest(tmp_path, name, message):
    save(tmp_path / name)
    with pytest.raises(SourceError, match=message):
        list(folder.read(tmp_path))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
@pytest.mark.parametrize("kept", [0.99, 0.5, 0.02])
def test_a_truncated_picture_is_named(tmp_path, suffix, kept):
    path = save(tmp_path / f"happy/1{suffix}", side=64)
    data = path.read_bytes()
    path.write_bytes(data[:int(len(data) * kept)])
    with pytest.raises(SourceError, match=f"1{suffix}: .*(cut short|not a picture)"):
        list(folder.read(tmp_path))


def test_a_truncated_jpeg_with_a_whole_thumbnail_is_still_cut_short(tmp_path):
    data = save(tmp_path / "a.jpg", side=64).read_bytes()
    thumbnail = save(tmp_path / "b.jpg", side=8).read_bytes()
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    path = tmp_path / "c.jpg"
    path.write_bytes(data[:2] + segment + data[2:])
    assert decode_picture(path.read_bytes(), str(path)).shape == (64, 67, 3)
    path.write_bytes(data[:2] + segment + data[2:-200])
    with pytest.raises(ValueError, match="c.jpg: the picture is cut short"):
        decode_picture(path.read_bytes(), str(path))


@pytest.mark.parametrize("content", [b"", b"these are no pixels", b"\xff\xd8\xff\xd9"])
def test_a_file_that_is_no_picture_is_named(tmp_path, content):
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / "notes.png").write_bytes(content)
    with pytest.raises(SourceError, match="notes.png: .*picture"):
        list(folder.read(tmp_path))


def test_no_picture_at_all_says_how_to_lay_them_out(tmp_path):
    (tmp_path / "happy").mkdir()
    with pytest.raises(SourceError, match="no pictures found.*<split>/<class>.*configure data=folder"):
        list(folder.read(tmp_path))
