"""The CelebA reader joins four lists to the aligned pictures and refuses what does not belong together."""

import shutil

import cv2
import numpy as np
import pytest
from made_up import cut, pack, put, text

from data import sources
from data.sources.source_error import SourceError

NAMES = [f"{number:06d}.jpg" for number in range(1, 6)]
MALE = (1, -1, -1, 1, 1)
PEOPLE = (2880, 2937, 8692, 2880, 2880)
PARTS = (0, 0, 1, 2, 0)
ATTRIBUTES = ["Male" if number == 20 else f"Attribute_{number}" for number in range(40)]


def attributes(names=NAMES, count=None):
    rows = [f"{name} {'-1 ' * 20}{male:2d} {' 1' * 19}" for name, male in zip(names, MALE)]
    return "\n".join([str(count or len(names)), " ".join(ATTRIBUTES) + " ", *rows]) + "\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "celeba"
    for seed, name in enumerate(NAMES):
        put(folder, f"Img/img_align_celeba/{name}", (218, 178, 3), seed)
    text(folder, "Anno/list_attr_celeba.txt", attributes())
    text(folder, "Anno/identity_CelebA.txt", "".join(f"{name} {who}\n" for name, who in zip(NAMES, PEOPLE)))
    text(folder, "Eval/list_eval_partition.txt", "".join(f"{name} {part}\n" for name, part in zip(NAMES, PARTS)))
    parts = ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")
    points = [f"{part}_{axis}" for part in parts for axis in "xy"]
    rows = [f"{name} {seed}  109  106  113   77  142   73  152  108  154" for seed, name in enumerate(NAMES)]
    text(folder, "Anno/list_landmarks_align_celeba.txt", "\n".join(["5", " ".join(points), *rows]) + "\n")
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_what_the_lists_say_comes_with_each_picture(folder, packed):
    whole = [cv2.imread(str(folder / "Img/img_align_celeba" / name))[..., ::-1] for name in NAMES]
    if packed:
        pack(folder / "Img/img_align_celeba", ".zip")
        shutil.rmtree(folder / "Img/img_align_celeba")
    images, rows = zip(*sources.read("celeba", folder))
    assert np.array_equal(images, whole)
    assert [row["gender"] for row in rows] == [1, 0, 0, 1, 1], "-1 is a woman, 0 here; 1 a man, 1 here"
    assert [row["subject"] for row in rows] == [str(who) for who in PEOPLE]
    assert [row["split"] for row in rows] == ["train", "train", "validation", "test", "train"]
    assert rows[3]["landmarks"] == [3, 109, 106, 113, 77, 142, 73, 152, 108, 154]
    assert rows[0]["origin"].endswith("img_align_celeba/000001.jpg")


def test_landmarks_may_be_absent_and_other_lists_may_not(folder):
    (folder / "Anno/list_landmarks_align_celeba.txt").unlink()
    assert next(sources.read("celeba", folder))[1]["landmarks"] is None
    for name in ("Anno/list_attr_celeba.txt", "Anno/identity_CelebA.txt", "Eval/list_eval_partition.txt"):
        (folder / name).rename(folder / "away")
        with pytest.raises(SourceError, match=f"{name[5:]} is missing.*mmlab.ie.cuhk.edu.hk"):
            next(sources.read("celeba", folder))
        (folder / "away").rename(folder / name)


@pytest.mark.parametrize("name, content, message", [
    ("Anno/list_attr_celeba.txt", attributes(count=202599), "5 pictures listed, but line 1 says 202599"),
    ("Anno/list_attr_celeba.txt", attributes(NAMES[:4]), "000005.jpg and 0 more"),
    ("Anno/list_attr_celeba.txt", attributes().replace("Male", "Man"), "line 2: expected 40 names of attributes, with"),
    ("Anno/list_attr_celeba.txt", attributes()[:-9], "line 7: 37 values, expected 41"),
    ("Anno/list_attr_celeba.txt", attributes().replace("000002.jpg" + " -1" * 21, "000002.jpg" + " -1" * 20 + " 0"),
     "line 4: Male is '0', expected one of -1, 1"),
    ("Eval/list_eval_partition.txt", "000001.jpg 3\n", "line 1: partition is '3', expected one of 0, 1, 2"),
    ("Eval/list_eval_partition.txt", "000001.jpg 0\n", "000002.jpg and 3 more"),
    ("Anno/identity_CelebA.txt", "000001.jpg\n", "line 1: 1 values, expected 2"),
    ("Anno/identity_CelebA.txt", "000001.jpg Anna\n", "line 1: Anna, expected whole numbers"),
])
def test_a_wrong_list_is_named_before_a_picture_is_read(folder, name, content, message):
    text(folder, name, content)
    with pytest.raises(SourceError, match=message):
        next(sources.read("celeba", folder))


def test_wrong_pictures_are_named(folder):
    pictures = folder / "Img/img_align_celeba"
    put(pictures, "000005.jpg", (400, 300, 3))
    with pytest.raises(SourceError, match="000005.jpg: 300×400 pixels, expected 178×218"):
        list(sources.read("celeba", folder))
    cut(pictures / "000002.jpg")
    with pytest.raises(SourceError, match="000002.jpg: the picture is cut short"):
        list(sources.read("celeba", folder))
    (pictures / "000003.jpg").rename(pictures / "3.jpg")
    with pytest.raises(SourceError, match="3.jpg: not named as 000001.jpg"):
        next(sources.read("celeba", folder))
    (pictures / "3.jpg").unlink()
    with pytest.raises(SourceError, match="000003.jpg and 0 more"):
        next(sources.read("celeba", folder))
