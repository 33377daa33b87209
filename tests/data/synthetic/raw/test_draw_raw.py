"""The raw drawn world: rows that are true, flaws that are on the pictures, the same bytes every time."""

from collections import Counter
from itertools import islice

import cv2
import numpy as np
import pytest

from data.faceset import AU_COLUMNS, EXPRESSIONS, SCHEMA
from data.letterbox import letterbox, letterbox_points
from data.synthetic import person
from data.synthetic.raw import draw_raw
from data.synthetic.raw.plan import FLAWS, plan

COUNT = 160


@pytest.fixture(scope="module")
def drawn() -> list[tuple[np.ndarray, dict]]:
    return list(draw_raw(seed=3, count=COUNT))


def having(drawn: list[tuple[np.ndarray, dict]], flaw: str) -> list[tuple[np.ndarray, dict]]:
    chosen = [(image, row) for image, row in drawn if flaw in row["flaws"].split(",")]
    assert len(chosen) >= 4, f"too few pictures with {flaw!r} to say anything"
    return chosen


def test_same_seed_same_bytes_whatever_the_count_and_the_workers(drawn):
    again = [*islice(draw_raw(seed=3, count=75, workers=2), 75)]  # the last five from a worker
    for (image, row), (image_again, row_again) in zip(drawn, again):
        np.testing.assert_array_equal(image, image_again)
        assert row == row_again


def test_rows_hold_what_a_face_set_holds(drawn):
    for index, (image, row) in enumerate(drawn):
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
        assert set(row) <= set(SCHEMA.names)
        assert (row["source"], row["origin"], row["maker"]) == ("synthetic_raw", f"3:{index}", "drawn")
        assert set(filter(None, row["flaws"].split(","))) <= set(FLAWS)
        assert 0 <= row["label"] < len(EXPRESSIONS)


def test_sizes_and_shapes_are_mixed(drawn):
    shapes = np.array([image.shape[:2] for image, _ in drawn])
    assert np.unique(shapes, axis=0).shape[0] > 0.8 * COUNT
    longer, aspect = shapes.max(axis=1), shapes[:, 1] / shapes[:, 0]
    assert 60 < longer.min() < 180 and 500 < longer.max() < 1200
    assert aspect.min() < 0.75 and aspect.max() > 1.4


def test_every_flaw_is_there_and_nearly_half_of_the_pictures_have_none():
    flaws = [plan(0, index).flaws for index in range(4000)]
    assert 0.42 < np.mean([not each for each in flaws]) < 0.49
    counts = Counter(flaw for each in flaws for flaw in each)
    assert set(counts) == set(FLAWS) and min(counts.values()) > 120
    assert 0.01 < np.mean([len(each) == 2 for each in flaws]) < 0.10 and max(map(len, flaws)) == 2


def test_people_are_in_one_split_but_for_the_copies(drawn):
    splits: dict[str, set[str]] = {}
    for _, row in drawn:
        if "subject" in row and "duplicate" not in row["flaws"]:
            splits.setdefault(row["subject"], set()).add(row["split"])
    assert all(len(each) == 1 for each in splits.values())
    assert np.mean([row["split"] == "test" for _, row in drawn]) == 0.2


def test_a_face_is_known_wherever_there_is_one(drawn):
    for image, row in drawn:
        if {"no_face", "blank"} & set(row["flaws"].split(",")):
            assert not {"box", "landmarks", "subject", "gender", *AU_COLUMNS} & set(row)
            continue
        assert row["gender"] == person(3, int(row["subject"][1:])).gender
        middle = np.mean(np.reshape(row["landmarks"], (5, 2)), axis=0)
        x, y, width, height = row["box"]
        assert x < middle[0] < x + width and y < middle[1] < y + height
        assert (0 < middle).all() and (middle < image.shape[1::-1]).all()


def test_clean_pictures_show_one_large_face_with_light_on_it(drawn):
    for image, row in drawn:
        if row["flaws"]:
            continue
        corner, size = np.reshape(row["box"], (2, 2))
        corners = letterbox_points([corner, corner + size], image.shape[:2], 256)
        assert (corners[1] - corners[0]).min() >= 60
        (x, y), (end_x, end_y) = np.rint(corners).astype(int)
        face = letterbox(image, 256, 1)[max(y, 0):end_y, max(x, 0):end_x]
        assert 25 < face.mean() < 240 and face.std() > 12
        nose = (row["landmarks"][4] - row["box"][0]) / row["box"][2]
        assert 0.2 < nose < 0.8, "the head is turned only a little"


def test_small_faces_are_small_and_several_are_not(drawn):
    for flaw, low, high in (("small_face", 12, 24), ("several_faces", 30, 256)):
        for image, row in having(drawn, flaw):
            size = np.max(row["box"][2:]) * 256 / max(image.shape[:2])
            assert low < size < high, row["origin"]


def test_blank_pictures_have_no_contrast_but_differ(drawn):
    blank = having(drawn, "blank")
    assert max(image.std(axis=(0, 1)).max() for image, _ in blank) < 4
    assert len({image.tobytes() for image, _ in blank}) == len(blank)


def test_blurred_faces_have_lost_their_detail(drawn):
    def detail(image: np.ndarray, row: dict) -> float:
        x, y, width, height = np.rint(row["box"]).astype(int)
        face = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[max(y, 0):y + height, max(x, 0):x + width]
        face = cv2.resize(face, (96, 96), interpolation=cv2.INTER_AREA).astype(np.float32)
        return float((face - cv2.GaussianBlur(face, (0, 0), 2.5)).std() / face.std())

    blurred = [detail(*each) for each in having(drawn, "blur")]
    clean = [detail(image, row) for image, row in drawn if row["flaws"] == ""]
    assert np.median(blurred) < 0.4 * np.median(clean)
    assert np.quantile(blurred, 0.9) < np.quantile(clean, 0.1)


def test_copies_look_like_a_clean_picture_drawn_before(drawn):
    others = {row["origin"]: cv2.resize(image, (24, 24), interpolation=cv2.INTER_AREA).astype(float)
              for image, row in drawn if row["flaws"] == ""}
    across = 0
    for image, row in having(drawn, "duplicate"):
        original = f"3:{plan(3, int(row['origin'][2:])).original}"
        assert int(original[2:]) < int(row["origin"][2:]) and row["split"] == "train"
        small = cv2.resize(image, (24, 24), interpolation=cv2.INTER_AREA).astype(float)
        nearest = min(others, key=lambda origin: np.abs(others[origin] - small).mean())
        assert nearest == original
        across += dict((row["origin"], row["split"]) for _, row in drawn)[original] == "test"
    assert across


def test_wrong_labels_are_wrong_and_action_units_stay_true(drawn):
    for _, row in having(drawn, "wrong_label"):
        index = int(row["origin"][2:])
        assert row["label"] != index % 7
        assert [row[name] for name in AU_COLUMNS] == plan(3, index).action_units.tolist()
