"""The ORL reader knows the forty people by their folders and refuses pictures of other names and sizes."""

import itertools

import numpy as np
import pytest
from made_up import PACKINGS, cut, pack, put, text

from data import sources
from data.sources.source_error import SourceError


@pytest.mark.parametrize("packing", PACKINGS)
def test_people_and_pixels(tmp_path, packing):
    names = ["s1/1.pgm", "s1/10.pgm", "s40/2.pgm"]
    whole = {name: put(tmp_path / "att_faces", name, (112, 92), seed) for seed, name in enumerate(names)}
    text(tmp_path / "att_faces", "README", "The ORL face database")
    images, rows = zip(*sources.read("orl", pack(tmp_path / "att_faces", packing)))
    assert [row["origin"].removeprefix("att_faces/") for row in rows] == names
    assert [row["subject"] for row in rows] == ["s1", "s1", "s40"]
    for image, pixels in zip(images, whole.values()):
        assert np.array_equal(image, np.repeat(pixels[..., None], 3, axis=2))


@pytest.mark.parametrize("name, message", [
    ("s1/11.pgm", "not named by person and number"), ("person/1.pgm", "not named"), ("1.pgm", "not named"),
    ("s1/1.png", "not named"), ("s0/1.pgm", "not named"),
])
def test_another_name_is_refused(tmp_path, name, message):
    put(tmp_path, name, (112, 92))
    with pytest.raises(SourceError, match=f"{name}: {message}"):
        list(sources.read("orl", tmp_path))


@pytest.mark.parametrize("kept", [0.999, 0.5, 0.001])
def test_a_picture_cut_short_is_named(tmp_path, kept):
    put(tmp_path, "s1/1.pgm", (112, 92))
    cut(tmp_path / "s1/1.pgm", kept)
    with pytest.raises(SourceError, match="s1/1.pgm: the picture is cut short"):
        list(sources.read("orl", tmp_path))


def test_another_size_is_named(tmp_path):
    put(tmp_path, "s1/1.pgm", (92, 112))
    with pytest.raises(SourceError, match="s1/1.pgm: 112×92 pixels, expected 92×112"):
        list(sources.read("orl", tmp_path))


def test_the_real_pictures(shared):
    images, rows = zip(*itertools.islice(sources.read("orl", shared / "data/orl"), 20))
    assert [row["subject"] for row in rows] == ["s1"] * 10 + ["s10"] * 10
    assert images[0][0, :4, 0].tolist() == list((shared / "data/orl/s1/1.pgm").read_bytes()[14:18])
