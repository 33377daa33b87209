"""The command line: events, videos and pictures out, clear messages, and the archive in a bare interpreter."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_film import EMPTY, HEIGHT, LENGTH, RATE, WIDTH

from data.faceset import EXPRESSIONS
from flows.archive import archive
from realtime.program import main


def events(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_events_have_a_line_for_every_frame_and_exactly_these_keys(folder: Path, film: Path, tmp_path: Path) -> None:
    assert main(["--input", str(film), "--events", str(tmp_path / "e.jsonl"), "--no-window"], folder) == 0
    lines = events(tmp_path / "e.jsonl")
    assert [line["frame"] for line in lines] == list(range(LENGTH))
    assert [line["time"] for line in lines] == pytest.approx([number / RATE for number in range(LENGTH)], abs=1e-3)
    assert all(not line["faces"] for line in lines[:EMPTY]) and all(line["faces"] for line in lines[EMPTY : EMPTY + 12])
    for line in lines:
        assert set(line) == {"frame", "time", "faces"}
        for face in line["faces"]:
            assert set(face) == {"id", "box", "score", "label", "probabilities", "latency_ms"}
            assert set(face["probabilities"]) == set(EXPRESSIONS)
            assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
            assert face["probabilities"][face["label"]] == max(face["probabilities"].values())
            x, y, width, height = face["box"]
            assert 0 <= x < x + width <= WIDTH and 0 <= y < y + height <= HEIGHT
            assert face["latency_ms"] > 0 and 0 <= face["score"] <= 1


def test_the_output_film_has_all_frames_and_the_emoji_in_its_colour(folder: Path, film: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    assert main(["--input", str(film), "--output", str(path), "--no-window"], folder) == 0
    capture = cv2.VideoCapture(str(path))
    frames = [picture for read, picture in iter(capture.read, (False, None)) if read]
    assert len(frames) == LENGTH and capture.get(cv2.CAP_PROP_FPS) == pytest.approx(RATE)
    blue, green, red = frames[EMPTY + 2][90, 180]  # the emoji of the fixture are red to purple
    assert red > 200 and green < 60
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


def test_a_picture_in_gives_a_picture_out(folder: Path, frames: list[np.ndarray], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), frames[EMPTY])
    assert (
        main(["--input", str(tmp_path / "in.png"), "--output", str(tmp_path / "out.png"), "--no-window"], folder) == 0
    )
    drawn = cv2.imread(str(tmp_path / "out.png"))
    assert drawn.shape == frames[0].shape and (drawn != frames[EMPTY]).any()


def test_benchmark_runs_a_short_film_again_until_it_has_its_frames(folder: Path, film: Path, capsys) -> None:
    assert main(["--input", str(film), "--benchmark", "30"], folder) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["frames"] == 30 and 0 < figures["frame_ms_p50"] <= figures["frame_ms_p95"]


def test_about_prints_the_card(folder: Path, capsys) -> None:
    assert main(["--about"], folder) == 0
    assert capsys.readouterr().out == "# a card\n\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--camera", "97"], "camera 97 gives no picture"),
        (["--input", "nowhere.mp4"], "nowhere.mp4: there is no such file"),
        (["--input", "nowhere.png"], "nowhere.png: there is no such file"),
        (["--input", "broken.mp4"], "broken.mp4: no frame can be read"),
        (["--input", "broken.jpg"], "broken.jpg: is not a whole picture"),
        (["--input", "empty.png"], "empty.png: is not a whole picture"),
        (["--input", "FILM", "--output", "out.xyz"], "out.xyz: a video is written to a file that ends in"),
        (["--input", "FILM", "--output", "out.png"], "out.png: a video is written to a file that ends in .avi"),
        (["--input", "FILM", "--output", "no/where.mp4"], "its folder does not exist"),
        (["--input", "FILM", "--events", "no/where.jsonl"], "where.jsonl"),
    ],
)
def test_what_cannot_be_used_is_named_with_status_2(
    arguments, told, folder, film, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("broken.mp4", "broken.jpg"):
        Path(name).write_bytes(b"not a video at all" * 40)
    Path("empty.png").write_bytes(b"")
    arguments = [str(film) if argument == "FILM" else argument for argument in arguments]
    assert main([*arguments, "--no-window"], folder) == 2
    message = capsys.readouterr().err
    assert told in message and "Traceback" not in message
    assert not list(tmp_path.glob(".*part*"))


def test_without_a_screen_no_window_is_suggested(folder: Path, film: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["--input", str(film)], folder) == 2
    assert "--no-window" in capsys.readouterr().err


def test_a_negative_option_is_refused(folder: Path, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["--detect-every", "0"], folder)
    assert "the least is 1" in capsys.readouterr().err


BARE = """
import runpy, sys
sys.path.insert(0, {packages!r})
sys.argv = ["emoji_cam.pyz", *{arguments!r}]
try:
    runpy.run_path({archive!r}, run_name="__main__")
except SystemExit as end:
    foreign = set(sys.modules) & {{"jax", "flax", "prefect", "dvc", "pandas", "data", "models", "flows", "metrics"}}
    sys.exit(f"imported {{foreign}}" if foreign else end.code)
"""


def bare(folder: Path, packages: tuple[str, ...], archive: Path, arguments: list[str]) -> subprocess.CompletedProcess:
    """Runs the archive where nothing but the standard library and the given packages can be imported."""
    visible = folder / "packages"
    visible.mkdir()
    for package in packages:
        place = Path(find_spec(package).origin).parent
        for source in (place, *place.parent.glob(f"{package}.libs"), *place.parent.glob("opencv*.libs")):
            if not (visible / source.name).exists():
                (visible / source.name).symlink_to(source)
    program = BARE.format(packages=str(visible), arguments=arguments, archive=str(archive))
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, cwd=folder, timeout=120
    )


@pytest.fixture(scope="module")
def pyz(assets: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "emoji_cam.pyz"
    path.write_bytes(archive(assets))
    return path


def test_the_archive_runs_with_numpy_opencv_and_onnxruntime_alone(pyz: Path, film: Path, tmp_path: Path) -> None:
    arguments = ["--input", str(film), "--events", "e.jsonl", "--output", "out.mp4", "--no-window"]
    done = bare(tmp_path, ("numpy", "cv2", "onnxruntime"), pyz, arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(events(tmp_path / "e.jsonl")) == LENGTH and (tmp_path / "out.mp4").stat().st_size > 1000


def test_the_archive_says_which_package_it_misses(pyz: Path, tmp_path: Path) -> None:
    done = bare(tmp_path, ("numpy", "onnxruntime"), pyz, ["--about"])
    assert done.returncode != 0 and "cv2 is not installed" in done.stderr and "pip install" in done.stderr
