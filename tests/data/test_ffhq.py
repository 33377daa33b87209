"""The FFHQ reader divides by number as the publisher does."""

import numpy as np
import pytest
from made_up import PACKINGS, cut, pack, put

from data import sources
from data.sources.source_error import SourceError


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("form", [
    "{folder:05d}/{number:05d}.png", "{folder:05d}/img{number:08d}.png", "{number:05d}.png",
])
def test_splits_follow_the_number(tmp_path, packing, form):
    numbers = (0, 59_999, 60_000, 69_999)
    names = [form.format(folder=number // 1000 * 1000, number=number) for number in numbers]
    whole = [put(tmp_path / "thumbnails128x128", name, (20, 20, 3), seed) for seed, name in enumerate(names)]
    images, rows = zip(*sources.read("ffhq", pack(tmp_path / "thumbnails128x128", packing)))
    assert np.array_equal(images, whole)
    assert [row["split"] for row in rows] == ["train", "train", "validation", "validation"]


@pytest.mark.parametrize("name, message", [
    ("70000.png", "number 70000, but FFHQ has 70,000"), ("1.png", "not named by its number"),
    ("00001.jpg", "not named by its number"),
])
def test_another_name_is_refused(tmp_path, name, message):
    put(tmp_path, name)
    with pytest.raises(SourceError, match=f"{name}: {message}"):
        list(sources.read("ffhq", tmp_path))


def test_two_sizes_at_once_and_a_broken_picture_are_named(tmp_path):
    put(tmp_path, "thumbnails128x128/00000/00007.png")
    cut(tmp_path / "thumbnails128x128/00000/00007.png")
    with pytest.raises(SourceError, match="00007.png: the picture is cut short"):
        list(sources.read("ffhq", tmp_path))
    put(tmp_path, "images1024x1024/00000/00007.png")
    with pytest.raises(SourceError, match="the same as images1024x1024/00000/00007.png"):
        list(sources.read("ffhq", tmp_path))
