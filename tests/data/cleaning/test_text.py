"""Writing is found by being read; faces, patterns and single letters are not writing; nothing is asked of the net."""

import socket

import cv2
import numpy as np
import pytest

from data.cleaning import text
from data.cleaning.look import Look
from data.synthetic import draw


def look(image: np.ndarray) -> Look:
    return Look(image, None, None, None, None, None)


@pytest.fixture(scope="module")
def faces() -> list[np.ndarray]:
    return [image for image, _ in draw(seed=3, count=6, size=256)]


def write(image: np.ndarray, words: str, place: tuple[int, int] = (20, 240), scale: float = 0.9) -> np.ndarray:
    image = image.copy()
    cv2.putText(image, words, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 6, cv2.LINE_AA)
    return cv2.putText(image, words, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 2, cv2.LINE_AA)


def test_writing_is_found_and_faces_are_not_taken_for_it(faces):
    assert [text.measure(look(image)) for image in faces] == [0] * len(faces)
    assert min(text.measure(look(write(image, "STOCK PHOTO"))) for image in faces) > 0.03


def test_more_writing_covers_more(faces):
    line = write(faces[0], "when you see")
    assert 0 < text.measure(look(line)) < text.measure(look(write(line, "the bill again", (20, 40)))) <= 1


def test_slanted_and_upright_writing_is_found(faces):
    page = write(np.full((256, 256, 3), 110, np.uint8), "SAMPLE", (60, 140), 1.2)
    for degrees in (25, 90):
        turned = cv2.warpAffine(page, cv2.getRotationMatrix2D((128, 128), degrees, 1), (256, 256),
                                borderMode=cv2.BORDER_REPLICATE)
        assert text.measure(look(turned)) > 0.02


@pytest.mark.parametrize("size", [128, 400])
def test_pictures_of_any_size_give_about_the_same_share(faces, size):
    image = write(faces[1], "BREAKING NEWS", (10, 230))
    resized = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if size < 256 else cv2.INTER_CUBIC)
    assert text.measure(look(resized)) == pytest.approx(text.measure(look(image)), rel=0.35)


def test_a_single_letter_and_a_pattern_are_not_writing():
    page = np.full((256, 256, 3), 128, np.uint8)
    assert text.measure(look(page)) == 0
    assert text.measure(look(write(page, "O", (90, 160), 3))) == 0
    assert text.measure(look(np.uint8(np.indices((256, 256)).sum(0)[..., None] // 16 % 2 * np.full(3, 255)))) == 0


def test_the_networks_come_from_the_package_and_not_from_the_net(monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("asked the net")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    text._reader.cache_clear()
    assert text.measure(look(write(np.full((256, 256, 3), 90, np.uint8), "COPYRIGHT"))) > 0


def test_the_reader_keeps_to_one_core():
    reader = text._reader()
    text.measure(look(write(np.full((256, 256, 3), 90, np.uint8), "SAMPLE")))
    for part in (reader.text_det, reader.text_rec):
        assert part.session.session.get_session_options().intra_op_num_threads == 1
