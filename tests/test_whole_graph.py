"""The graph itself, from nothing to the realtime runner, at scale `smoke`, in a copy of the tree."""

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import pytest

from data.faceset import EXPRESSIONS
from models.fer import weights
from models.stylegan2 import snapshot

ROOT = Path(__file__).resolve().parents[1]
# Nearly all that the graph does at this scale is compiling.
QUICKLY_COMPILED = "--xla_llvm_disable_expensive_passes=true --xla_backend_optimization_level=1"
PROGRAM = [sys.executable, "-m"]
pytestmark = pytest.mark.timeout(1800)  # seven minutes where nothing else runs; three times as long beside other work


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The tree as git has it or would have it, in a repository of its own, after one `dvc repro`."""
    folder = tmp_path_factory.mktemp("copy")
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    for name in listed.splitlines():
        if (ROOT / name).is_file():  # not those that git still lists and someone has just removed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    call(folder, "git", "init", "-q")
    call(folder, *PROGRAM, "flows", "configure", "scale=smoke")
    call(folder, *PROGRAM, "dvc", "repro")
    return folder


def call(folder: Path, *command: str, status: int = 0) -> str:
    process = start(folder, *command)
    said, _ = process.communicate()
    assert process.returncode == status, f"{' '.join(command)} ended with {process.returncode}:\n{said[-4000:]}"
    return said


def start(folder: Path, *command: str) -> subprocess.Popen:
    environment = dict(os.environ, XLA_FLAGS=QUICKLY_COMPILED)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["PREFECT_API_URL"] = "http://127.0.0.1:9/api"  # nobody answers there
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment, **pipes)


def test_every_stage_leaves_figures_and_finds_faces(copy):
    root = copy / "artifacts"
    figures = {path.parent.relative_to(root).as_posix(): json.loads(path.read_text()) for path in root.rglob("metrics.json")}
    assert figures.keys() == {
        "ingest", "faces", "fer/base", "fer/augmented", "evaluate", "matcher/common", "matcher/unseen", "emoji", "stylegan/faces",
        "stylegan/emoji", "blend", "personal_emoji", "action_units", "ganimation", "singan", "augment", "gender/paper", "gender/port",
        "gender/mini_xception", "gender/kept", "san", "evaluate_san", "export",
    }  # fmt: skip
    assert figures["ingest"]["pictures"] == 350
    assert figures["faces"]["found"] > 0.95
    assert figures["fer/base"]["epoch"] >= 1 and figures["export"]["difference_classifier"] < 1e-4


def test_the_exported_runner_shows_the_personal_emoji(copy):
    carried = zipfile.Path(copy / "artifacts/export/emoji_cam.pyz") / "realtime" / "assets" / "emoji"
    for expression in EXPRESSIONS:
        own = copy / "artifacts/personal_emoji/set" / f"{expression}.png"
        assert (carried / own.name).read_bytes() == own.read_bytes()
        assert cv2.imread(str(own), cv2.IMREAD_UNCHANGED).shape == (256, 256, 4)


def test_the_emoji_descend_from_the_faces(copy):
    cards = [snapshot.load(copy / "artifacts/stylegan" / item / "snapshot.npz")[1] for item in ("faces", "emoji")]
    assert snapshot.related(*cards) and len(cards[1]["lineage"]) == 2


def test_it_is_up_to_date_afterwards(copy):
    assert "up to date" in call(copy, *PROGRAM, "dvc", "repro")
    assert "up to date" in call(copy, *PROGRAM, "dvc", "status", "dvc.yaml")  # a study is no part of the product


def test_what_comes_out_sees_a_drawn_face(copy, tmp_path):
    from data.synthetic import draw

    image, _ = next(draw(seed=5, count=1, size=256))
    cv2.imwrite(str(tmp_path / "face.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    runner = [sys.executable, "artifacts/export/emoji_cam.pyz", "--no-window"]
    events, out = tmp_path / "events.jsonl", tmp_path / "out.png"
    call(copy, *runner, "--input", str(tmp_path / "face.png"), "--output", str(out), "--events", str(events))
    (line,) = map(json.loads, events.read_text().splitlines())
    (face,) = line["faces"]
    assert abs(sum(face["probabilities"].values()) - 1) < 0.01 and face["label"] in face["probabilities"]
    assert cv2.imread(str(out)).shape == (256, 256, 3)


def test_a_trained_classifier_scores_a_source(copy, tmp_path):
    report = tmp_path / "score.json"
    call(copy, *PROGRAM, "flows", "score", "synthetic", "--faces", "crop", "--json", str(report))
    assert 0 < json.loads(report.read_text())["accuracy"] <= 1


def test_kill_9_in_the_training_and_repro_again_give_the_same_bytes(copy):
    weights_file = copy / "artifacts/fer/base/weights.npz"
    uninterrupted = weights_file.read_bytes()
    shutil.rmtree(copy / ".checkpoints")
    weights_file.unlink()
    stage = start(copy, *PROGRAM, "flows", "fer@base")
    for line in stage.stdout:
        if "validation_accuracy" in line:  # the first epoch is over
            break
    os.kill(stage.pid, signal.SIGKILL)
    assert stage.wait() == -signal.SIGKILL and not weights_file.exists()
    call(copy, *PROGRAM, "dvc", "--wait-for-lock", "repro", "fer@base")
    assert weights_file.read_bytes() == uninterrupted
    call(copy, *PROGRAM, "flows", "fer@base")  # once more, from the checkpoint of the finished run
    assert weights_file.read_bytes() == uninterrupted


def test_the_classifier_can_be_released_but_only_as_it_is(copy):
    assert "test/accuracy" in call(copy, *PROGRAM, "flows", "release", "drawn")
    model, card = weights.load(copy / "models/released/drawn.npz")
    assert card["sources"] == ["synthetic"] and "drawn by this project" in card["terms"]["synthetic"]
    assert (copy / "models/released/drawn.params.yaml").read_text() == (copy / "params.yaml").read_text()
    call(copy, *PROGRAM, "flows", "configure", "scale=smoke", "data.count=351")  # of these settings there is no run
    assert "ingest would run anew" in call(copy, *PROGRAM, "flows", "release", "other", status=1)
    assert not (copy / "models/released/other.npz").exists()
