"""The FER-2013 reader gives every row as it is written, and names the line of a broken one."""

import gzip
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from data import sources
from data.sources import fer2013
from data.sources.source_error import SourceError

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 48, 48), np.uint8)
USAGES = ("Training", "Training", "PublicTest", "PrivateTest")
LABELS = (3, 0, 6, 1)
PIXELS = [" ".join(map(str, image.ravel())) for image in IMAGES]


def original(rows: int = 4) -> list[str]:
    return ["emotion,pixels,Usage"] + [f"{LABELS[i]},{PIXELS[i]},{USAGES[i]}" for i in range(rows)]


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def pack(csv: Path, suffix: str) -> Path:
    packed = csv.with_name(csv.name + suffix)
    if suffix == ".gz":
        packed.write_bytes(gzip.compress(csv.read_bytes()))
    elif suffix == ".zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(csv, "fer2013/fer2013.csv")
            archive.writestr("fer2013/README", "terms")
    else:
        packed = csv.with_name("fer2013.tar.gz")
        with tarfile.open(packed, "w:gz") as archive:
            archive.add(csv, "fer2013/fer2013.csv")
    return packed


@pytest.mark.parametrize("suffix", ["", ".gz", ".zip", ".tar.gz"])
def test_rows_come_as_written(tmp_path, suffix):
    path = write(tmp_path / "fer2013.csv", original())
    path = pack(path, suffix) if suffix else path
    images, rows = zip(*sources.read("fer2013", path))
    assert np.array_equal(images, IMAGES)
    assert [row["label"] for row in rows] == list(LABELS)
    assert [row["split"] for row in rows] == ["train", "train", "public_test", "private_test"]
    assert [row["origin"] for row in rows] == [f"{path.name}:{line}" for line in (2, 3, 4, 5)]


def test_the_later_header_and_column_order(tmp_path):
    lines = ["emotion, Usage, pixels"] + [f"{LABELS[i]},{USAGES[i]},{PIXELS[i]}" for i in range(4)]
    images, rows = zip(*fer2013.read(write(tmp_path / "icml_face_data.csv", lines)))
    assert np.array_equal(images, IMAGES) and [row["label"] for row in rows] == list(LABELS)


@pytest.mark.parametrize("broken, message", [
    ("3," + PIXELS[0].replace(" ", "\u00a0") + ",Training", "line 4: the numbers are set apart by other characters than blanks"),
    (f"3,{PIXELS[0][:-9]},Training", r"line 4: 230\d pixels, expected 2304"),
    (f"3,{PIXELS[0]} 7,Training", "line 4: 2305 pixels, expected 2304"),
    (f"3,{'256 ' + PIXELS[0].split(' ', 1)[1]},Training", "line 4: pixel 1 is '256', expected a whole number 0…255"),
    (f"3,{PIXELS[0].rsplit(' ', 1)[0]} -1,Training", "line 4: pixel 2304 is '-1'"),
    (f"3,{'x ' + PIXELS[0].split(' ', 1)[1]},Training", "line 4: pixel 1 is 'x'"),
    (f"3,{PIXELS[0].rsplit(' ', 1)[0]} 1.5,Training", "line 4: pixel 2304 is '1.5'"),
    (f"3,{PIXELS[0]} x,Training", "line 4: 2305 pixels"),
    (f"7,{PIXELS[0]},Training", "line 4: emotion is '7', expected one of 0, 1, 2, 3, 4, 5, 6"),
    (f"happy,{PIXELS[0]},Training", "line 4: emotion is 'happy'"),
    (f"3,{PIXELS[0]},Trainng", "line 4: Usage is 'Trainng', expected one of Training, PublicTest, PrivateTest"),
    (f"3,{PIXELS[0]}", "line 4: 2 fields, expected emotion, pixels, usage"),
])
def test_a_broken_row_is_named(tmp_path, broken, message):
    path = write(tmp_path / "fer2013.csv", [*original(2), broken, *original()[3:]])
    with pytest.raises(SourceError, match=f"fer2013.csv, {message}"):
        list(fer2013.read(path))


@pytest.mark.parametrize("lines, message", [
    (["emotion,pixels"], "line 1: column usage missing, found emotion, pixels"),
    (["emotion,pixels,Usage"], "no rows"),
    ([""], "column emotion, pixels, usage missing, found nothing"),
])
def test_a_file_without_its_columns_or_rows_is_named(tmp_path, lines, message):
    with pytest.raises(SourceError, match=message):
        list(fer2013.read(write(tmp_path / "fer2013.csv", lines)))


@pytest.mark.parametrize("suffix", [".gz", ".zip", ".tar.gz"])
@pytest.mark.parametrize("kept", [0.5, 0.05])
def test_a_truncated_archive_is_named(tmp_path, suffix, kept):
    path = pack(write(tmp_path / "fer2013.csv", original()), suffix)
    data = path.read_bytes()
    path.write_bytes(data[:int(len(data) * kept)])
    with pytest.raises(SourceError, match=f"{path.name}: damaged or cut short.*download it again"):
        list(fer2013.read(path))


def test_a_file_that_is_not_text_and_one_that_is_not_packed(tmp_path):
    path = tmp_path / "fer2013.csv"
    path.write_bytes(gzip.compress(b"emotion,pixels,Usage"))
    with pytest.raises(SourceError, match="fer2013.csv: damaged"):
        list(fer2013.read(path))
    path = write(tmp_path / "fer2013.csv.gz", original())
    with pytest.raises(SourceError, match="fer2013.csv.gz: damaged"):
        list(fer2013.read(path))


def test_an_archive_without_the_table_says_what_it_holds(tmp_path):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "")
        archive.writestr("b.csv", "")
    with pytest.raises(SourceError, match="expected one fer2013.csv in it, found a.csv, b.csv"):
        list(fer2013.read(path))


def test_missing_data_says_where_to_get_it_and_how_to_choose_it(tmp_path):
    with pytest.raises(SourceError, match=r"data.path is not set.*kaggle.*configure data=fer2013 data.path="):
        sources.read("fer2013")
    with pytest.raises(FileNotFoundError, match="fer2013.csv does not exist.*configure data=fer2013"):
        sources.read("fer2013", tmp_path / "fer2013.csv")
    with pytest.raises(SourceError, match="unknown source 'fer2031': did you mean 'fer2013'"):
        sources.read("fer2031", tmp_path)
