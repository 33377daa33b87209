"""Detector, following and classifier on drawn faces; the detector against what `mtcnn` 0.1.1 is known to find."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_film import EMPTY

from realtime.bundle import Bundle
from realtime.cascade import Cascade
from realtime.recognition import Recogniser


def cascade(bundle: Bundle, min_face: float) -> Cascade:
    return Cascade(bundle.detector, min_face, (0.6, 0.7, 0.7), 0.709)


@pytest.mark.parametrize("case", ["lfw0_min20", "lfw1_min40", "lfw2_min20", "multi_min20", "multi_min40"])
def test_detections_are_those_of_mtcnn_0_1_1(shared, bundle: Bundle, case: str) -> None:
    name, min_face = case.split("_min")
    picture = cv2.imread(str(shared / "parity" / "mtcnn_images" / f"{name}.jpg"))
    expected = json.loads((shared / "parity" / "mtcnn_0.1.1_detections.json").read_text())["results"][case]
    found = cascade(bundle, float(min_face)).detect(picture)
    boxes = found.boxes.clip(0)  # as the package gives them
    assert len(found) == len(expected)
    for face in expected:
        eyes = np.array(face["keypoints"]["left_eye"])
        nearest = np.abs(found.landmarks[:, 0] - eyes).max(axis=1).argmin()
        assert found.landmarks[nearest, 0] == pytest.approx(eyes, abs=1.5)
        assert boxes[nearest, 2:] - boxes[nearest, :2] == pytest.approx(face["box"][2:], abs=1.5)
        assert found.scores[nearest] == pytest.approx(face["confidence"], abs=1e-2)


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_face_cut_by_the_border_is_found_followed_and_classified(shared, bundle: Bundle, side: str) -> None:
    picture = cv2.imread(str(shared / "parity" / "mtcnn_images" / "lfw0.jpg"))
    x1, y1, x2, y2 = cascade(bundle, 40).detect(picture).boxes[0].astype(int)
    across, down = (x2 - x1) // 4, (y2 - y1) // 4  # a quarter of the face is not in the frame
    part = {
        "left": np.s_[:, x1 + across :],
        "right": np.s_[:, : x2 - across],
        "top": np.s_[y1 + down :],
        "bottom": np.s_[: y2 - down],
    }
    frame = np.ascontiguousarray(picture[part[side]])
    recogniser = Recogniser(bundle, min_face=40, detect_every=100)
    for _ in range(3):
        (person,) = recogniser.see(frame)
        assert (person.box[2:] - person.box[:2]).min() > across * 2.5
        assert person.probabilities.sum() == pytest.approx(1)


def test_one_person_has_one_id_and_empty_frames_have_nobody(bundle: Bundle, frames: list[np.ndarray]) -> None:
    recogniser = Recogniser(bundle, min_face=40, detect_every=5)
    seen = [[person.id for person in recogniser.see(frame)] for frame in frames]
    assert seen[:EMPTY] == [[]] * EMPTY
    assert seen[EMPTY : EMPTY + 12] == [[1]] * 12


def test_following_stays_on_the_face_without_detections(bundle: Bundle, frames: list[np.ndarray]) -> None:
    recogniser = Recogniser(bundle, min_face=40, detect_every=1000)
    for number, frame in enumerate(frames[EMPTY : EMPTY + 12]):
        (person,) = recogniser.see(frame)
        if number == 0:
            start = person.box.copy()
        assert person.box[[0, 2]].mean() == pytest.approx(start[[0, 2]].mean() - 12 * number, abs=9)


def test_the_same_place_after_a_cut_is_another_person(bundle: Bundle, face: np.ndarray) -> None:
    scene = np.zeros((240, 320, 3), np.uint8) + np.linspace(0, 250, 320).astype(np.uint8)[:, None]
    scenes = [scene.copy(), scene.copy(), scene[:, ::-1].copy()]
    for frame in scenes:
        frame[60 : 60 + len(face), 100 : 100 + len(face)] = face
    recogniser = Recogniser(bundle, min_face=40, detect_every=5)
    assert [[person.id for person in recogniser.see(frame)] for frame in scenes] == [[1], [1], [2]]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 11])
def test_padded_batches_give_what_single_faces_give(bundle: Bundle, count: int) -> None:
    recogniser = Recogniser(bundle, min_face=40, detect_every=5)
    crops = list(np.random.default_rng(count).integers(0, 256, (count, 48, 48, 1), np.uint8))
    single = np.concatenate([recogniser.probabilities([crop]) for crop in crops])
    assert recogniser.probabilities(crops) == pytest.approx(single, abs=1e-5)


def test_a_temperature_makes_the_same_winner_less_sure(bundle: Bundle) -> None:
    crops = list(np.random.default_rng(0).integers(0, 256, (4, 48, 48, 1), np.uint8))
    plain = Recogniser(bundle, min_face=40, detect_every=5).probabilities(crops)
    calmer = replace(bundle, settings=replace(bundle.settings, temperature=3.0))
    found = Recogniser(calmer, min_face=40, detect_every=5).probabilities(crops)
    raised = plain ** (1 / 3)
    assert found == pytest.approx(raised / raised.sum(axis=1, keepdims=True))
    assert (found.argmax(axis=1) == plain.argmax(axis=1)).all() and (found.max(axis=1) < plain.max(axis=1)).all()


def test_nobody_is_no_row(bundle: Bundle) -> None:
    assert Recogniser(bundle, min_face=40, detect_every=5).probabilities([]).shape == (0, 7)
