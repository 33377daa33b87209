"""Drawn faces: every column true, every action unit moving what FACS says, pictures that detectors take for faces."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from data.faceset import ACTION_UNITS, AU_COLUMNS, EXPRESSIONS, SCHEMA
from data.sources import SourceError, read
from data.synthetic import Identity, Light, Pose, Scene, draw, draw_face, person
from data.synthetic.action_units import MIXTURES, motion, vector
from data.synthetic.head import lay_out
from data.synthetic.identity import CUTS

ROOT = Path(__file__).parents[3]
AVERAGE = Identity(cut=CUTS["bald"])


@pytest.fixture(scope="module")
def drawn() -> list[tuple[np.ndarray, dict]]:
    return list(draw(seed=3, count=140, size=96))


def test_same_seed_same_bytes_whatever_the_count(drawn):
    again = list(draw(seed=3, count=21, size=96))
    for (image, row), (image_again, row_again) in zip(drawn, again):
        np.testing.assert_array_equal(image, image_again)
        assert row == row_again


def test_same_bytes_on_any_number_of_threads():
    program = ("from hashlib import sha256; from data.synthetic import draw\n"
               "print(sha256(b''.join(image.tobytes() for image, _ in draw(0, 30, 64))).hexdigest())")
    hashes = set()
    for threads in ("1", "2"):
        environment = os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        hashes.add(subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, env=environment))
    assert len(hashes) == 1


def test_another_seed_draws_other_people(drawn):
    other, _ = next(draw(seed=4, count=1, size=96))
    assert np.abs(other.astype(int) - drawn[0][0]).mean() > 5


def test_labels_are_balanced_and_people_keep_who_they_are(drawn):
    rows = [row for _, row in drawn]
    assert np.bincount([row["label"] for row in rows]).tolist() == [20] * len(EXPRESSIONS)
    genders = {}
    for row in rows:
        genders.setdefault(row["subject"], set()).add(row["gender"])
    assert len(genders) == 14 and all(len(gender) == 1 for gender in genders.values())
    assert {gender for gender, in genders.values()} == {0, 1}


def test_rows_hold_what_a_face_set_holds(drawn):
    for index, (image, row) in enumerate(drawn):
        assert image.shape == (96, 96, 3) and image.dtype == np.uint8
        assert set(row) <= set(SCHEMA.names)
        assert (row["source"], row["origin"], row["maker"]) == ("synthetic", f"3:{index}", "drawn")
        assert all(0 <= row[column] <= 1 for column in AU_COLUMNS)


def test_neutral_is_near_zero_and_the_others_are_not(drawn):
    for _, row in drawn:
        strongest = max(row[column] for column in AU_COLUMNS)
        assert strongest < 0.15 if EXPRESSIONS[row["label"]] == "neutral" else strongest > 0.4


def test_landmarks_lie_in_the_box_and_the_box_in_the_picture(drawn):
    for image, row in drawn:
        x, y, width, height = row["box"]
        assert x >= 0 and y >= 0 and x + width <= 95 and y + height <= 95
        assert 0.45 * 96 < height < 0.9 * 96
        points = np.reshape(row["landmarks"], (5, 2))
        assert ((points > (x, y)) & (points < (x + width, y + height))).all()
        left_eye, right_eye, nose, left_mouth, right_mouth = points
        assert left_eye[0] < right_eye[0] and left_mouth[0] < right_mouth[0]
        assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


POSES = (Pose(), Pose(yaw=22), Pose(yaw=-22), Pose(pitch=12), Pose(roll=13), Pose(-15, -10, 8))


@pytest.mark.parametrize("pose", POSES)
def test_landmarks_turn_with_the_head(pose):
    """The pupil, the darkest thing for some pixels around, is where the landmark says."""
    fair = replace(AVERAGE, skin=(0.95, 0.85, 0.78), lashes=0.0, hair=(0.8, 0.7, 0.5), eye_size=1.1)
    face = draw_face(fair, vector({5: 1.0}), Scene(pose=pose, light=Light(azimuth=0, ambient=0.7)), 256)
    grey = cv2.GaussianBlur(cv2.cvtColor(face.image, cv2.COLOR_RGB2GRAY), (0, 0), 2)
    for x, y in face.landmarks[:2]:
        left, top = int(round(x)) - 10, int(round(y)) - 10
        row, column = np.unravel_index(grey[top:top + 21, left:left + 21].argmin(), (21, 21))
        assert np.hypot(row - 10, column - 10) <= 4
    between = face.landmarks[:2].mean(axis=0)
    upright = (face.landmarks[2] - between) @ np.array([np.cos(np.radians(pose.roll)), np.sin(np.radians(pose.roll))])
    assert np.sign(np.round(upright / 4)) == np.sign(pose.yaw)


def _shape(**units: float):
    return lay_out(AVERAGE, motion(vector({int(name[2:]): value for name, value in units.items()})))


REST = _shape()


def _opening(face) -> float:
    return float((face.eyes[1].lower[:, 1] - face.eyes[1].upper[:, 1]).max())


def _gap(face) -> float:
    return float((face.mouth.inner_lower[:, 1] - face.mouth.inner_upper[:, 1]).max())


def _brow(face) -> np.ndarray:
    """How far up from rest: inner end, outer end."""
    return (REST.brows[1] - face.brows[1])[[0, -1], 1]


def _corner(face) -> np.ndarray:
    """How far from rest the right mouth corner is: outwards, upwards."""
    return (face.mouth.upper[-1] - REST.mouth.upper[-1]) * (1, -1)


def _lips(face) -> float:
    return float((face.mouth.inner_upper[:, 1] - face.mouth.upper[:, 1]).max())


def test_units_move_what_facs_says():
    inner, outer = _brow(_shape(au1=1))
    assert inner > 0.1 and inner > 3 * outer
    inner, outer = _brow(_shape(au2=1))
    assert outer > 0.1 and outer > 3 * inner
    assert _brow(_shape(au4=1))[0] < -0.08 and _shape(au4=1).brows[1][0, 0] < REST.brows[1][0, 0]  # down and together
    assert _opening(_shape(au5=1)) > 1.2 * _opening(REST)
    assert _opening(_shape(au7=1)) < 0.7 * _opening(REST)
    assert _opening(_shape(au45=1)) < 0.1 * _opening(REST)
    assert (_shape(au6=1).eyes[1].lower[8, 1]) < REST.eyes[1].lower[8, 1]
    assert _shape(au9=1).wings[1][1] < REST.wings[1][1]
    assert _shape(au10=1).mouth.upper[16, 1] < REST.mouth.upper[16, 1] - 0.03
    assert (_corner(_shape(au12=1)) > 0.1).all()
    assert _corner(_shape(au15=1))[1] < -0.1
    assert _shape(au17=1).mouth.lower[16, 1] < REST.mouth.lower[16, 1] - 0.03
    assert _corner(_shape(au20=1))[0] > 0.1 > _corner(_shape(au20=1))[1]
    assert _lips(_shape(au23=1)) < 0.6 * _lips(REST)
    assert _gap(REST) < 0.01 < 0.05 < _gap(_shape(au25=1))
    assert _shape(au26=1).chin > REST.chin + 0.15 and _gap(_shape(au26=1)) > 0.1


@pytest.mark.parametrize("unit", ACTION_UNITS)
def test_every_unit_shows_and_grows(unit):
    pictures = [draw_face(AVERAGE, vector({unit: value}), Scene(), 128).image.astype(int) for value in (0, 0.5, 1)]
    half, full = (np.abs(picture - pictures[0]).mean() for picture in pictures[1:])
    assert full > half > 0.05


def test_units_that_only_fold_the_skin_fold_it_in_their_place():
    scene = Scene()
    rest = draw_face(AVERAGE, vector({}), scene, 128)
    nose, corner = rest.landmarks[2], rest.landmarks[4]
    for unit, place in ((9, nose - (0, 10)), (14, corner + (3, 0)), (6, rest.landmarks[1] + (3, 12))):
        change = np.abs(draw_face(AVERAGE, vector({unit: 1}), scene, 128).image.astype(float) - rest.image).mean(axis=2)
        x, y = np.rint(place).astype(int)
        assert change[y - 6:y + 7, x - 6:x + 7].mean() > 4 * change.mean()


def test_a_detector_takes_them_for_faces(drawn):
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    greys = [cv2.cvtColor(cv2.resize(image, None, fx=2, fy=2), cv2.COLOR_RGB2GRAY) for image, _ in drawn[:70]]
    assert np.mean([len(cascade.detectMultiScale(grey, 1.1, 3)) > 0 for grey in greys]) >= 0.9


def test_expressions_of_unseen_people_can_be_told_apart():
    """A linear classifier on gradients of 48×48 grey crops, where chance is 14 %."""
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    gradients = cv2.HOGDescriptor((48, 48), (16, 16), (8, 8), (8, 8), 9)
    features, labels = [], []
    for image, row in draw(seed=8, count=560, size=64):
        x, y, width, height = row["box"]
        crop = cv2.getRectSubPix(image, (round(height), round(height)), (x + width / 2, y + height / 2))
        features.append(gradients.compute(cv2.cvtColor(cv2.resize(crop, (48, 48)), cv2.COLOR_RGB2GRAY)).ravel())
        labels.append(row["label"])
    model = make_pipeline(StandardScaler(), RidgeClassifier(alpha=3000)).fit(features[:420], labels[:420])
    assert model.score(features[420:], labels[420:]) > 0.7


def test_gender_goes_with_traits_but_is_not_given_away_by_one():
    people = [person(0, number) for number in range(300)]
    for trait in ("lipstick", "brow_thickness", "jaw", "lashes"):
        women, men = (np.array([getattr(one, trait) for one in people if one.gender == gender]) for gender in (0, 1))
        assert abs(women.mean() - men.mean()) > 0.2 * max(women.std(), men.std())
        assert min(women.max(), men.max()) > max(women.min(), men.min())
    assert {one.cut for one in people if one.gender == 0} & {one.cut for one in people if one.gender == 1}


def test_bad_requests_are_named():
    with pytest.raises(ValueError, match="action unit 3 "):
        vector({3: 0.5})
    with pytest.raises(ValueError, match="action unit 12: intensity 1.5"):
        vector({12: 1.5})
    with pytest.raises(ValueError, match="action unit 2: intensity nan"):
        draw_face(AVERAGE, np.where(np.arange(17) == 1, np.nan, 0), Scene(), 64)
    with pytest.raises(ValueError, match="17 action units"):
        draw_face(AVERAGE, np.zeros(16), Scene(), 64)
    with pytest.raises(ValueError, match="at least 32 pixels, got 16"):
        draw_face(AVERAGE, np.zeros(17), Scene(), 16)


def test_every_expression_has_mixtures_of_known_units():
    assert tuple(MIXTURES) == EXPRESSIONS
    assert all(vector(mixture).max() > 0.8 for name in EXPRESSIONS[:-1] for mixture in MIXTURES[name])


def test_source_streams_and_refuses_what_cannot_be_drawn():
    pictures = read("synthetic", seed=1, count=10**9, size=48, workers=1)
    assert [image.shape for image, _ in islice(pictures, 2)] == [(48, 48, 3)] * 2
    for option, value in (("data.count", 0), ("data.size", 8), ("seed", -1)):
        with pytest.raises(SourceError, match=f"{option} is {value}"):
            read("synthetic", **{option.removeprefix("data."): value})
