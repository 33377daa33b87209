"""Milliseconds a 640×480 picture in face detection: ours beside the `mtcnn` package, releases 1.0.0 and 0.1.1.

    python benchmarks/detection.py PICTURE_OR_FILM… [--pictures 16] [--rounds 3] [--cores 2]

All look for faces of at least 20 pixels in the same pictures on the same cores, in turns, round by round. Ours is timed
as the stage `faces` runs it, a worker process a core, and in one process. The package is given one picture at a time, as
its users do, and release 1.0.0 also eight at once. It runs in throw-away environments with TensorFlow (some minutes to
install), or in those given. CPU time is that of all threads and workers: on a machine that does other work as well, look
at that. Printed too is how many of the package's faces we find.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from detection_faces import compare
from flows.environment import VARIABLES
from throw_away import install

WIDTH, HEIGHT = 640, 480
RIVALS = {release: [f"mtcnn=={release}", "tensorflow==2.21.0"] for release in ("1.0.0", "0.1.1")}
BATCHED = {"1.0.0"}  # releases that take several pictures at once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path, help="picture, folder of pictures, or film")
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2)
    for release, packages in RIVALS.items():
        parser.add_argument(f"--python-{release}", type=Path, help=f"a Python that has {', '.join(packages)}")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # the programs inherit it
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pictures.npy"
        np.save(file, np.stack([covering(picture) for picture in pictures(options.paths, options.pictures)]))
        ours, theirs = HERE / "detection_ours.py", HERE / "detection_mtcnn.py"
        programs = {f"ours, {options.cores} workers": [sys.executable, ours, file, options.cores],
                    "ours, one process": [sys.executable, ours, file, 1]}
        for release, packages in RIVALS.items():
            python = getattr(options, f"python_{release}") or install(Path(folder) / release, packages)
            programs[f"mtcnn {release}"] = [python, theirs, file, 1]
            if release in BATCHED:
                programs[f"mtcnn {release}, 8 at once"] = [python, theirs, file, 8]
        rounds = [{name: result(program) for name, program in programs.items()} for _ in range(options.rounds)]

    first = next(iter(programs))
    print(f"{'':24} {'ms':>7} {'this / ours':>11} {'CPU ms':>8} {'this / ours':>11}   ms of each round")
    medians = {name: [statistics.median(each[name][what] for each in rounds) for what in ("wall_ms", "cpu_ms")]
               for name in programs}
    for name, (wall, cpu) in medians.items():
        each = " ".join(f"{one[name]['wall_ms']:.0f}" for one in rounds)
        ratios = [f"{wall:7.1f} {wall / medians[first][0]:10.1f}x", f"{cpu:8.1f} {cpu / medians[first][1]:10.1f}x"]
        print(f"{name:24} {' '.join(ratios)}   {each}")
    for release in RIVALS:
        compare(rounds[0][first]["faces"], rounds[0][f"mtcnn {release}"]["faces"], f"mtcnn {release}")


def pictures(paths: list[Path], count: int) -> Iterator[np.ndarray]:
    """`count` BGR pictures and frames of films, evenly spread over all that there are."""
    files = [file for path in paths for file in (sorted(path.rglob("*.*")) if path.is_dir() else [path])]
    frames = [(file, frame) for file in files for frame in range(length(file))]
    if len(frames) < count:
        raise SystemExit(f"{count} pictures are wanted, {len(frames)} can be read: give more, or --pictures")
    for number in range(count):
        file, frame = frames[number * len(frames) // count]
        if cv2.haveImageReader(str(file)):
            yield cv2.imread(str(file))
        else:
            film = cv2.VideoCapture(str(file))
            film.set(cv2.CAP_PROP_POS_FRAMES, frame)
            yield film.read()[1]


def length(file: Path) -> int:
    if cv2.haveImageReader(str(file)):
        return 1
    return max(0, int(cv2.VideoCapture(str(file)).get(cv2.CAP_PROP_FRAME_COUNT)))


def covering(picture: np.ndarray) -> np.ndarray:
    """(480, 640, 3) uint8 RGB: a BGR picture scaled to cover that, its middle cut out."""
    height, width = picture.shape[:2]
    scale = max(WIDTH / width, HEIGHT / height)
    size = max(WIDTH, round(width * scale)), max(HEIGHT, round(height * scale))
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (size[1] - HEIGHT) // 2, (size[0] - WIDTH) // 2
    return picture[top:top + HEIGHT, left:left + WIDTH, ::-1]


def result(program: list) -> dict:
    environment = os.environ | VARIABLES if program[0] == sys.executable else None
    done = subprocess.run(list(map(str, program)), check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
