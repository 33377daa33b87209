"""A contact sheet shows every picture once, in order, with captions where asked for."""

import numpy as np
import pytest

from data.contact_sheet import contact_sheet


def test_pictures_stand_in_reading_order():
    images = np.full((3, 96, 96, 3), 0, np.uint8)
    images[0, ..., 0], images[1, ..., 1], images[2, ..., 2] = 250, 250, 250
    sheet = contact_sheet(images, columns=2)
    height, width, _ = sheet.shape
    assert sheet[height // 4, width // 4].tolist() == [250, 0, 0]
    assert sheet[height // 4, 3 * width // 4].tolist() == [0, 250, 0]
    assert sheet[3 * height // 4, width // 4].tolist() == [0, 0, 250]
    assert sheet[3 * height // 4, 3 * width // 4].tolist() == [255, 255, 255]


def test_grey_and_transparent_pictures():
    assert contact_sheet(np.full((1, 96, 96, 1), 90, np.uint8))[50, 50].tolist() == [90] * 3
    emoji = np.zeros((1, 96, 96, 4), np.uint8)
    emoji[0, :48] = (10, 20, 30, 255)
    sheet = contact_sheet(emoji)
    assert sheet[20, 50].tolist() == [10, 20, 30] and sheet[80, 50].tolist() == [255] * 3


def test_captions_are_drawn_under_their_picture():
    images = np.full((2, 48, 48, 1), 255, np.uint8)
    sheet = contact_sheet(images, columns=2, labels=["happy", ""])
    assert (sheet[:, :sheet.shape[1] // 2] < 128).any() and (sheet[:, sheet.shape[1] // 2:] == 255).all()
    with pytest.raises(ValueError, match="2 pictures but 1 labels"):
        contact_sheet(images, labels=["happy"])
