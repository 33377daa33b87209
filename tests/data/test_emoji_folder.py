"""Emoji pictures are laid over white by their alpha."""

import itertools

import cv2
import numpy as np
import pytest
from made_up import cut, put

from data import sources
from data.sources.source_error import SourceError


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def test_alpha_lies_over_white(tmp_path):
    image = np.zeros((2, 3, 4), np.uint8)
    image[:, 0] = (10, 20, 30, 255)  # BGRA, as OpenCV writes it
    image[:, 1] = (10, 20, 30, 0)
    image[:, 2] = (10, 20, 30, 51)
    save(tmp_path / "emoji_u1f600.png", image)
    save(tmp_path / "emoji_u1f601.png", np.uint16(image) * 257)
    save(tmp_path / "emoji_u1f602.png", image[..., :3])
    save(tmp_path / "emoji_u1f603.png", image[..., 0])
    (first, row), (deep, _), (opaque, _), (grey, _) = sources.read("emoji_folder", tmp_path)
    assert row == {"source": "emoji_folder", "origin": "emoji_u1f600.png"}
    assert first[0].tolist() == [[30, 20, 10], [255, 255, 255], [210, 208, 206]]
    assert np.array_equal(deep, first)
    assert np.array_equal(opaque[0], [[30, 20, 10]] * 3) and np.array_equal(grey[0], [[10, 10, 10]] * 3)


def test_what_is_no_whole_png_is_named(tmp_path):
    put(tmp_path, "emoji.jpg")
    with pytest.raises(SourceError, match="emoji.jpg: not a PNG"):
        list(sources.read("emoji_folder", tmp_path))
    put(tmp_path, "a.png")
    cut(tmp_path / "a.png")
    with pytest.raises(SourceError, match="a.png: the picture is cut short"):
        list(sources.read("emoji_folder", tmp_path))


def test_the_real_emoji(shared):
    images = [image for image, _ in itertools.islice(sources.read("emoji_folder", shared / "data/noto_emoji"), 20)]
    assert {image.shape for image in images} == {(128, 128, 3)}
    assert all((image[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all() for image in images), "corners are white"
    assert all(image[64, 64].min() < 250 for image in images)
