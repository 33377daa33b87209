"""The faces stage keeps one face a picture with all that was known of it, and lists the pictures that have none."""

import json
from dataclasses import dataclass
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest

from data.faceset import FaceSet, FaceSetWriter
from flows import faces
from flows.settings import Faces

DETECT = Faces(detect=True, size=48, channels=1, margin=0.25, min_face=40, align=True)
RESIZE = Faces(detect=False, size=48, channels=1, margin=0.25, min_face=40, align=True)


@dataclass
class Silent:
    """A watcher that only remembers its figures."""

    figures: dict | None = None

    def log(self, text): ...
    def progress(self, done, total, text=""): ...
    def picture(self, name, path): ...
    def metrics(self, values): self.figures = values


def run(tmp_path, images: np.ndarray, rows: list[dict], settings: Faces) -> tuple[FaceSet, FaceSet]:
    """Runs the stage on a set of `images`; the sets before and after."""
    with FaceSetWriter(tmp_path / "ingest" / "set", images.shape[1:]) as writer:
        writer.append(images, rows)
    out = tmp_path / "faces"
    out.mkdir()
    faces.run(SimpleNamespace(params=SimpleNamespace(faces=settings), inputs={"ingest": tmp_path / "ingest"}, out=out,
                              watch=Silent()))
    return FaceSet.open(tmp_path / "ingest" / "set"), FaceSet.open(out / "set")


def noise(count: int, size: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, channels), np.uint8)


def test_whole_pictures_are_resized_and_all_that_is_known_is_kept(tmp_path):
    known = {"split": "train", "label": 3, "subject": "s7", "au12": 0.5, "origin": "a.png", "box": [24, 12, 48, 60],
             "landmarks": [30, 30, 60, 30, 45, 45, 36, 60, 54, 60]}
    before, after = run(tmp_path, noise(3, 96), [known, {"split": "test"}, {"split": "train"}], RESIZE)
    assert after.images.shape == (3, 48, 48, 1)
    assert after.table["parent"].tolist() == before.table["id"].tolist()
    kept = [name for name in before.table if name not in ("id", "parent", "box", "landmarks")]
    pd.testing.assert_frame_equal(after.table[kept], before.table[kept])
    np.testing.assert_allclose(after.table["box"][0], [12, 6, 24, 30])
    np.testing.assert_allclose(after.table["landmarks"][0], np.array(known["landmarks"]) / 2)
    assert after.table["box"][1] is None
    assert len(pd.read_csv(tmp_path / "faces" / "rejected.csv")) == 0


def test_pictures_that_fit_keep_their_pixels(tmp_path):
    before, after = run(tmp_path, noise(2, 48, 1), [{"split": "train"}] * 2, RESIZE)
    np.testing.assert_array_equal(after.images, before.images)


def test_a_set_without_any_face_is_refused(tmp_path):
    with pytest.raises(ValueError, match="faces.detect"):
        run(tmp_path, np.full((2, 64, 64, 3), 128, np.uint8), [{"split": "train"}] * 2, DETECT)
    assert not list((tmp_path / "faces").iterdir())


@pytest.mark.parametrize("channels", [3, 1])
def test_photographs_are_cut_to_upright_faces_and_others_listed(shared, tmp_path, channels):
    files = sorted((shared / "parity" / "mtcnn_images").glob("lfw*.jpg"))
    flag = cv2.IMREAD_COLOR_RGB if channels == 3 else cv2.IMREAD_GRAYSCALE
    photographs = [cv2.imread(str(file), flag).reshape(250, 250, channels) for file in files]
    images = np.stack([*photographs, np.full_like(photographs[0], 128)])
    rows = [{"split": "train", "origin": file.name} for file in files] + [{"split": "test", "origin": "wall.jpg"}]
    before, after = run(tmp_path, images, rows, DETECT)
    assert after.images.shape == (3, 48, 48, 1)
    assert after.table["parent"].tolist() == before.table["id"].tolist()[:3]
    for landmarks in after.table["landmarks"]:
        left, right, nose, *_ = landmarks.reshape(5, 2)
        assert abs(left[1] - right[1]) < 2 and 8 < right[0] - left[0] < 16 and nose[1] > left[1]
    rejected = pd.read_csv(tmp_path / "faces" / "rejected.csv")
    assert rejected.to_dict("list") == {"id": [before.table["id"][3]], "origin": ["wall.jpg"], "reason": ["no face found"]}
    figures = json.loads((tmp_path / "faces" / "metrics.json").read_text())
    assert figures == {"pictures": 4, "faces": 3, "rejected": 1, "found": 0.75, "found/test": 0.0, "found/train": 1.0}


def test_the_main_face_is_large_and_near_the_middle():
    middle, corner, large = [40, 40, 60, 60], [0, 0, 24, 24], [10, 10, 95, 95]
    assert faces.main_face(np.array([corner, middle], float), (100, 100)) == 1
    assert faces.main_face(np.array([corner, middle, large], float), (100, 100)) == 2
    assert faces.main_face(np.empty((0, 4)), (100, 100)) is None
