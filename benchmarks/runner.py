"""Milliseconds a frame of emoji_cam beside the plain loop of today (Haar, Keras `predict` a face), on one thread.

    python benchmarks/runner.py artifacts/export/emoji_cam.pyz FILM.mp4 fer2013_mini_XCEPTION.102-0.66.hdf5

Both are timed from the decoded frame to the finished picture. The plain loop runs in a throw-away environment with
TensorFlow (some minutes to install, nothing is left of it), or in that of --python.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from throw_away import install

PLAIN_LOOP = Path(__file__).with_name("plain_loop.py")
PACKAGES = ("tensorflow", "tf_keras", "opencv-python<5")
ROWS = ("frames", "frames_with_face", "faces_per_frame", "frame_ms_p50", "frame_ms_p95")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pyz", type=Path, help="emoji_cam.pyz")
    parser.add_argument("film", type=Path)
    parser.add_argument("weights", type=Path, help="Keras weights of mini-Xception")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--python", type=Path, help=f"a Python that has {', '.join(PACKAGES)}")
    options = parser.parse_args()
    for path in (options.pyz, options.film, options.weights):
        if not path.is_file():
            parser.error(f"there is no file {path}")

    with tempfile.TemporaryDirectory() as folder:
        python = options.python or install(Path(folder), PACKAGES)
        plain = measure(python, PLAIN_LOOP, options.film, options.weights, options.frames, options.threads)
        ours = measure(
            Path(sys.executable), options.pyz,
            "--input", options.film, "--benchmark", options.frames, "--threads", options.threads,
        )  # fmt: skip
    print(f"{'':16} {'plain loop':>12} {'emoji_cam':>12} {'ratio':>8}")
    for row in ROWS:
        ratio = f"{plain[row] / ours[row]:>7.1f}x" if row.startswith("frame_ms") else ""
        print(f"{row:16} {plain[row]:>12} {ours[row]:>12} {ratio}")


def measure(python: Path, *arguments: object) -> dict[str, float]:
    """What a program prints as JSON."""
    done = subprocess.run([python, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
