"""--privacy: what is shown and written has another face in the place of every one that is followed; nothing else changes."""

import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_film import EMPTY, LENGTH
from test_program import events

from data.alignment import moved
from realtime.bundle import Bundle
from realtime.cascade import Faces
from realtime.crop import crop_matrix, face_crop
from realtime.privacy import Hider, Privacy, _lay
from realtime.program import main
from realtime.tracking import Track, Tracker

SIZE = 16
LANDMARKS = np.array([[100.0, 90], [140, 92], [121, 115], [104, 138], [137, 139]])
BOX = np.array([80.0, 60, 160, 160])
CANONICAL = np.array([[5.0, 7], [11, 7], [8, 10], [6, 13], [10, 13]])
PROTOTYPES = np.random.default_rng(3).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)


def privacy(san, own: int = 0, canonical: np.ndarray | None = None, margin: float = 0.25) -> Privacy:
    """Stand-ins for the networks: `san` for the autoencoder, and a reader that always says `own`."""

    def reader(faces: np.ndarray) -> list[np.ndarray]:
        return [np.tile(np.eye(3, dtype=np.float32)[own], (len(faces), 1))]

    names, neutral = ("a", "b", "c"), PROTOTYPES[0] // 2
    return Privacy("gender", names, SIZE, margin, True, lambda x: [san(x)], reader, PROTOTYPES, neutral, canonical)


def person(number: int = 1, shift: float = 0.0) -> Track:
    return Track(number, BOX + shift, LANDMARKS + shift, 0.9)


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)


def test_every_pixel_of_the_cut_face_is_replaced_and_no_other():
    frame = noise()
    before = frame.copy()
    Hider(privacy(lambda x: np.full((len(x), SIZE, SIZE, 1), 0.5, np.float32)), "op").hide(frame, [person()])
    changed = (frame != before).any(axis=2)
    y, x = np.mgrid[:240, :320] + 0.5
    places = moved(np.stack([x.ravel(), y.ravel()], axis=1), crop_matrix(BOX, LANDMARKS, SIZE, 0.25, True))
    inside = ((places > 0.2) & (places < SIZE - 0.2)).all(axis=1).reshape(240, 320)
    outside = ((places < -0.2) | (places > SIZE + 0.2)).any(axis=1).reshape(240, 320)
    assert inside.sum() > 5000 and (frame[inside] == 127).all() and not changed[outside].any()


def test_a_face_laid_back_is_the_face_that_was_cut():
    smooth = cv2.GaussianBlur(noise(), (0, 0), 12)
    smooth = np.repeat(cv2.cvtColor(smooth, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)
    frame = smooth.copy()
    matrix = crop_matrix(BOX, LANDMARKS, 48, 0.25, True)
    _lay(frame, face_crop(frame, BOX, LANDMARKS, 48, 1, 0.25, True), matrix)
    assert (frame != smooth).any() and np.abs(frame.astype(int) - smooth).max() <= 4


@pytest.mark.parametrize(("shown", "expected"), [("op", PROTOTYPES[0]), ("nt", PROTOTYPES[0] // 2)])
def test_it_is_shown_another_class_or_none(shown, expected):
    seen = []
    Hider(privacy(lambda x: seen.append(x) or x[..., :1], own=2), shown).hide(noise(), [person()])
    (packed,) = seen[0]
    np.testing.assert_allclose(packed[..., 1:4], PROTOTYPES[2] / 255, atol=1e-6)  # its own
    np.testing.assert_allclose(packed[..., 4:], expected / 255, atol=1e-6)


def test_prototypes_lie_over_the_landmarks_as_they_did_in_training():
    from models.san.prototypes import laid_over

    seen = []
    Hider(privacy(lambda x: seen.append(x) or x[..., :1], canonical=CANONICAL), "op").hide(noise(), [person()])
    landmarks = moved(LANDMARKS, crop_matrix(BOX, LANDMARKS, SIZE, 0.25, True))
    expected = laid_over(PROTOTYPES[:2], CANONICAL, np.stack([landmarks] * 2))
    assert np.abs(seen[0][0][..., 1:4] * 255 - expected[0])[1:-1, 1:-1].max() < 8  # OpenCV's weights are 32nds


def test_one_doubtful_frame_does_not_change_what_a_person_is_taken_for():
    said = iter([0, 0, 0, 1, 0])
    hiding, seen = privacy(lambda x: seen.append(x) or x[..., :1]), []
    reader = lambda x: [np.eye(3, dtype=np.float32)[[next(said)]]]  # noqa: E731
    hider = Hider(Privacy(**{**vars(hiding), "reader": reader}), "op")
    for _ in range(5):
        hider.hide(noise(), [person()])
    assert all((packed[0][..., 1:4] == seen[0][0][..., 1:4]).all() for packed in seen)


def test_a_face_partly_or_wholly_outside_the_frame_does_no_harm():
    frame = noise()
    hider = Hider(privacy(lambda x: x[..., :1]), "op")
    hider.hide(frame, [person(1, -110), person(2, 180), person(3, 1000)])
    hider.hide(frame, [])


def test_who_is_out_of_sight_for_a_moment_is_still_followed(bundle: Bundle):
    from realtime.recognition import Recogniser

    recogniser = Recogniser(bundle, min_face=40, detect_every=5)
    tracker: Tracker = recogniser._tracker
    tracker.detect(Faces(BOX[None], np.ones(1), LANDMARKS[None]))
    for _ in range(5):
        tracker.advance(320, 240)
    assert not tracker.visible and len(recogniser.followed) == 1


@pytest.fixture(scope="module")
def private(assets: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's folder with networks that paint faces white."""
    from models.onnx_export import export

    folder = tmp_path_factory.mktemp("private")
    (folder / "emoji").mkdir()
    arrays = io.BytesIO()
    np.savez(arrays, classes=PROTOTYPES[:2], neutral=PROTOTYPES[2])
    clear = cv2.imencode(".png", np.zeros((64, 64, 4), np.uint8))[1].tobytes()  # emoji that hide nothing
    parts = {
        "san.onnx": export(lambda x: 1.0 + 0.0 * x[..., :1], ("N", SIZE, SIZE, 7), ["face"], "san"),
        "reader.onnx": export(lambda x: x[:, 0, :2, 0], ("N", SIZE, SIZE, 1), ["logits"], "reader"),
        "privacy.json": json.dumps(
            {"attribute": "gender", "classes": ["a", "b"], "size": SIZE, "margin": 0.25, "align": True}
        ).encode(),
        "prototypes.npz": arrays.getvalue(),
    }
    for name, content in (assets | parts).items():
        (folder / name).write_bytes(clear if name.startswith("emoji/") else content)
    return folder


def test_a_film_written_shows_no_face_and_the_events_are_what_they_were(private: Path, film: Path, tmp_path: Path):
    arguments = ["--input", str(film), "--no-window"]
    hide = ["--output", str(tmp_path / "out.mp4"), "--events", str(tmp_path / "e.jsonl"), "--privacy", "op"]
    assert main([*arguments, *hide], private) == 0
    assert main([*arguments, "--events", str(tmp_path / "plain.jsonl")], private) == 0
    capture = cv2.VideoCapture(str(tmp_path / "out.mp4"))
    frames = [picture for read, picture in iter(capture.read, (False, None)) if read]
    hidden, plain = events(tmp_path / "e.jsonl"), events(tmp_path / "plain.jsonl")
    assert len(frames) == len(hidden) == LENGTH
    for number in range(EMPTY, EMPTY + 8):
        (face,), (same,) = hidden[number]["faces"], plain[number]["faces"]
        assert face["probabilities"] == same["probabilities"] and face["box"] == same["box"]
        x, y, width, height = face["box"]
        middle = frames[number][int(y + 0.3 * height) : int(y + 0.7 * height), int(x + 0.3 * width) : int(x + 0.7 * width)]
        assert middle.mean() > 240


def test_a_file_that_cannot_hide_says_so_before_it_opens_anything(folder: Path, film: Path, tmp_path: Path, capsys):
    arguments = ["--input", str(film), "--output", str(tmp_path / "out.mp4"), "--no-window", "--privacy", "nt"]
    assert main(arguments, folder) == 2
    told = capsys.readouterr().err
    assert "no network that hides faces" in told and "Traceback" not in told and not list(tmp_path.iterdir())


def test_the_help_says_what_stays_visible(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "cannot be hidden" in " ".join(capsys.readouterr().out.split())
