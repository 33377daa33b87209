"""The faces stage keeps one face a picture with all that was known of it, and says why others are left out."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from data.cleaning import RULES
from data.faceset import EXPRESSIONS, FaceSet, FaceSetWriter
from data.features import FEATURES
from data.letterbox import letterbox
from data.synthetic import draw
from flows import cutting, faces
from flows.sections import Cleaning, Faces, Portrait
from flows.settings import keys
from watchers import Silent

ROOT = Path(__file__).resolve().parents[2]
UNCLEANED = Cleaning(*[None] * len(fields(Cleaning)))
DETECT = Faces(detect=True, size=48, channels=1, margin=0.25, min_face=40, align=True, features="none",
               portrait=Portrait(32, 0.1), cleaning=UNCLEANED, curation="data/curation.csv", workers=2)
RESIZE = replace(DETECT, detect=False)
GREY = np.full((64, 64, 3), 128, np.uint8)


def ingest(folder: Path, images: np.ndarray, rows: list[dict]) -> FaceSet:
    """Writes a set as the stage `ingest` leaves it."""
    with FaceSetWriter(folder / "ingest" / "set", images.shape[1:]) as writer:
        writer.append(images, rows)
    return FaceSet.open(folder / "ingest" / "set")


class Deadly(Silent):
    """A watcher that kills the process when some pictures are done."""

    def progress(self, done: int, total: int, text: str = "") -> None:
        if done:
            os.kill(os.getpid(), signal.SIGKILL)


def run(folder: Path, settings: Faces, out: str = "faces", watch: Silent = Silent()) -> FaceSet:
    """Runs the stage on what lies in `folder`; what comes out in the folder `out`."""
    (folder / out).mkdir()
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir(exist_ok=True)
    faces.run(SimpleNamespace(params=SimpleNamespace(faces=settings, seed=0), inputs={"ingest": folder / "ingest"},
                              out=folder / out, checkpoints=checkpoints, watch=watch))
    assert not list(checkpoints.iterdir())
    return FaceSet.open(folder / out / "set")


def verdicts(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "faces" / "verdicts.csv", dtype={"rejected_by": "str"}, keep_default_na=False,
                       na_values={name: [""] for name in ("label", *RULES)})


def figures(folder: Path) -> dict:
    return json.loads((folder / "faces" / "metrics.json").read_text())


def noise(count: int, size: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, channels), np.uint8)


def test_whole_pictures_are_resized_and_all_that_is_known_is_kept(tmp_path):
    known = {"split": "train", "label": 3, "subject": "s7", "au12": 0.5, "origin": "a.png", "box": [24, 12, 48, 60],
             "landmarks": [30, 30, 60, 30, 45, 45, 36, 60, 54, 60]}
    before = ingest(tmp_path, noise(3, 96), [known, {"split": "test"}, {"split": "train"}])
    after = run(tmp_path, RESIZE)
    assert after.images.shape == (3, 48, 48, 1)
    assert after.table["parent"].tolist() == before.table["id"].tolist()
    kept = [name for name in before.table if name not in ("id", "parent", "box", "landmarks")]
    pd.testing.assert_frame_equal(after.table[kept], before.table[kept])
    np.testing.assert_allclose(after.table["box"][0], [12, 6, 24, 30])
    np.testing.assert_allclose(after.table["landmarks"][0], np.array(known["landmarks"]) / 2)
    assert after.table["box"][1] is None
    assert verdicts(tmp_path)["kept"].all()


def test_without_rules_a_set_of_faces_is_what_a_plain_loop_makes_of_it(tmp_path):
    rows = [{"split": ("train", "test")[i % 2], "label": i % 7, "box": [i % 9, 5, 30, 40]} for i in range(300)]
    before = ingest(tmp_path, noise(300, 96), rows)
    run(tmp_path, RESIZE)
    with FaceSetWriter(tmp_path / "plain", (48, 48, 1)) as writer:
        boxes = [np.array(row["box"], np.float32) / 2 for row in rows]
        writer.append(np.stack([letterbox(image, 48, 1) for image in before.images]),
                      before.table.assign(parent=before.table["id"], box=boxes))
    for name in ("images.npy", "faces.parquet"):
        assert (tmp_path / "faces" / "set" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    assert figures(tmp_path) == {"pictures": 300, "faces": 300, "rejected": 0, "found": 1.0, "found/test": 1.0,
                                 "found/train": 1.0}


def test_portraits_show_the_same_faces_in_colour_with_more_around_them(tmp_path):
    drawn(tmp_path)
    faces = run(tmp_path, replace(DETECT, portrait=Portrait(64, 0.6)))
    portraits = FaceSet.open(tmp_path / "faces" / "portraits")
    assert portraits.images.shape == (len(faces), 64, 64, 3)
    for name in ("parent", "label", "split"):
        assert portraits.table[name].tolist() == faces.table[name].tolist()
    apart = np.stack([np.stack(each["landmarks"]).reshape(-1, 5, 2) for each in (faces.table, portraits.table)])
    eyes = apart[:, :, 1, 0] - apart[:, :, 0, 0]  # shares of the side: 1 / (1 + margin)
    np.testing.assert_allclose(eyes[0] / 48 * 1.25, eyes[1] / 64 * 1.6, rtol=1e-4)
    assert portraits.images[:].std(axis=3).mean() > 3


def test_pictures_that_fit_keep_their_pixels(tmp_path):
    before = ingest(tmp_path, noise(2, 48, 1), [{"split": "train"}] * 2)
    np.testing.assert_array_equal(run(tmp_path, RESIZE).images, before.images)


def test_a_set_without_any_face_is_refused(tmp_path):
    ingest(tmp_path, np.stack([GREY, GREY]), [{"split": "train"}] * 2)
    with pytest.raises(ValueError, match="faces.detect"):
        run(tmp_path, DETECT)
    assert not list((tmp_path / "faces").iterdir())


@pytest.mark.parametrize("channels", [3, 1])
def test_photographs_are_cut_to_upright_faces_and_others_listed(shared, tmp_path, channels):
    files = sorted((shared / "parity" / "mtcnn_images").glob("lfw*.jpg"))
    flag = cv2.IMREAD_COLOR_RGB if channels == 3 else cv2.IMREAD_GRAYSCALE
    photographs = [cv2.imread(str(file), flag).reshape(250, 250, channels) for file in files]
    images = np.stack([*photographs, np.full_like(photographs[0], 128)])
    rows = [{"split": "train", "origin": file.name} for file in files] + [{"split": "test", "origin": "wall.jpg"}]
    before = ingest(tmp_path, images, rows)
    after = run(tmp_path, DETECT)
    assert after.images.shape == (3, 48, 48, 1)
    assert after.table["parent"].tolist() == before.table["id"].tolist()[:3]
    for landmarks in after.table["landmarks"]:
        left, right, nose, *_ = landmarks.reshape(5, 2)
        assert abs(left[1] - right[1]) < 2 and 8 < right[0] - left[0] < 16 and nose[1] > left[1]
    judged = verdicts(tmp_path)
    assert judged["id"].tolist() == before.table["id"].tolist()
    assert judged["kept"].tolist() == [True, True, True, False]
    assert judged["rejected_by"].tolist() == ["", "", "", "no_face"]
    assert figures(tmp_path) == {"pictures": 4, "faces": 3, "rejected": 1, "found": 0.75, "found/test": 0.0,
                                 "found/train": 1.0, "marked/no_face": 1, "removed/no_face": 1}


def test_rules_take_rows_from_training_and_validation_but_never_from_a_test(tmp_path):
    images = np.concatenate([noise(3, 64), np.stack([GREY + 1, GREY + 2, GREY + 3])])
    rows = [{"split": split, "flaws": flaws} for flaws in ("", "blank") for split in ("train", "validation", "test")]
    ingest(tmp_path, images, rows)
    after = run(tmp_path, replace(RESIZE, cleaning=replace(UNCLEANED, blank=0.1)))
    assert after.table["split"].tolist() == ["train", "validation", "test", "test"]
    judged = verdicts(tmp_path)
    assert judged["rejected_by"].tolist() == [""] * 3 + ["blank"] * 3
    assert judged["kept"].tolist() == [True, True, True, False, False, True]
    assert (judged["blank"][:3] > 0.5).all() and (judged["blank"][3:] == 0).all() and judged["blur"].isna().all()
    found = figures(tmp_path)
    assert (found["marked/blank"], found["removed/blank"], found["rejected"], found["faces"]) == (3, 2, 2, 4)
    assert (found["precision/blank"], found["recall/blank"]) == (1, 1) and 0.4 < found["recall_low/blank"] < 0.5
    assert "blank" in (tmp_path / "faces" / "review.html").read_text()


def test_rules_that_leave_nothing_are_refused(tmp_path):
    ingest(tmp_path, np.stack([GREY, GREY]), [{"split": "train"}] * 2)
    with pytest.raises(ValueError, match="faces.cleaning"):
        run(tmp_path, replace(RESIZE, cleaning=replace(UNCLEANED, blank=0.1)))


def test_a_person_has_the_last_word(tmp_path):
    images = np.concatenate([noise(3, 64), np.stack([GREY + 1, GREY + 2])])
    before = ingest(tmp_path, images, [{"split": "train", "label": 0}] * 5)
    ids = before.table["id"]
    words = ["id,verdict,label", f"{ids[0]},reject,", f"{ids[1]},relabel,happy", f"{ids[3]},keep,"]
    (tmp_path / "curation.csv").write_text("\n".join(words) + "\n")
    settings = replace(RESIZE, cleaning=replace(UNCLEANED, blank=0.1), curation=str(tmp_path / "curation.csv"))
    after = run(tmp_path, settings)
    assert after.table["parent"].tolist() == [ids[1], ids[2], ids[3]]
    assert after.table["label"].tolist() == [EXPRESSIONS.index("happy"), 0, 0]
    judged = verdicts(tmp_path)
    assert judged["kept"].tolist() == [False, True, True, True, False]
    assert judged["rejected_by"][[0, 2, 4]].tolist() == ["curation", "", "blank"]


@pytest.mark.parametrize("name", ["equalise", "lbp_ror"])
def test_features_take_the_place_of_pixels(tmp_path, name):
    before = ingest(tmp_path, noise(3, 48, 1), [{"split": "train"}] * 3)
    after = run(tmp_path, replace(RESIZE, features=name))
    np.testing.assert_array_equal(after.images[..., 0], FEATURES[name](before.images[:][..., 0]))
    with pytest.raises(ValueError, match="faces.channels to 1"):
        run(tmp_path, replace(RESIZE, features=name, channels=3), "colour")


def test_the_settings_name_every_rule_and_feature():
    assert [field.name for field in fields(Cleaning)] == list(RULES)
    assert Faces.__annotations__["features"].__args__ == tuple(FEATURES)


def test_all_settings_but_the_number_of_workers_make_the_stage_run_anew():
    declared = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]["faces"]["params"]
    wanted = {name for name in keys() if name.startswith("faces.")} - {"faces.workers"}
    assert {name for name in wanted if not name.startswith("faces.cleaning.")} | {"seed", "faces.cleaning"} == set(declared)


def drawn(folder: Path) -> None:
    """400 pictures in four chunks: drawn faces, most of them copies, and every fifteenth without a face."""
    pictures = [image for image, _ in draw(3, 40, 64)]
    images = np.stack([GREY if i % 15 == 0 else pictures[i * 7 % 40] + np.uint8(i % 6 and i % 9) for i in range(400)])
    ingest(folder, images, [{"split": ("train", "train", "test")[i % 3], "label": i % 7} for i in range(400)])


def outputs(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*.*"))}


def test_neither_workers_nor_a_kill_change_a_byte(tmp_path):
    settings = replace(DETECT, cleaning=replace(UNCLEANED, no_face=0.8, blank=0.1, duplicate=1e-7))
    drawn(tmp_path)
    program = f"""
import sys
sys.path[:0] = {[str(ROOT), str(ROOT / 'tests'), str(Path(__file__).parent)]!r}
from pathlib import Path
from flows.sections import Cleaning, Faces, Portrait
from test_faces import Deadly, run

if __name__ == "__main__":
    run(Path({str(tmp_path)!r}), {replace(settings, workers=1)!r}, "killed", Deadly())
"""
    (tmp_path / "program.py").write_text(program)
    assert subprocess.run([sys.executable, str(tmp_path / "program.py")]).returncode == -signal.SIGKILL
    saved = {file: file.stat().st_mtime_ns for file in (tmp_path / "checkpoints" / "chunks").glob("*.npz")}
    assert 0 < len(saved) < 4 and not list((tmp_path / "killed").iterdir())

    class Listening(Silent):
        def progress(self, done: int, total: int, text: str = "") -> None:
            assert done >= len(saved) * 128 or "faces" in text
            assert saved == {file: file.stat().st_mtime_ns for file in saved}  # they are not made again

    resumed = run(tmp_path, settings, "resumed", Listening())
    assert 50 < len(resumed) < 350
    run(tmp_path, replace(settings, workers=1), "anew")
    assert outputs(tmp_path / "resumed") == outputs(tmp_path / "anew")


def test_the_main_face_is_large_and_near_the_middle():
    middle, corner, large = [40, 40, 60, 60], [0, 0, 24, 24], [10, 10, 95, 95]
    assert cutting.main_face(np.array([corner, middle], float), (100, 100)) == 1
    assert cutting.main_face(np.array([corner, middle, large], float), (100, 100)) == 2
    assert cutting.main_face(np.empty((0, 4)), (100, 100)) is None
