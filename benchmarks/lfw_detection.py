"""How many faces of Labeled Faces in the Wild our detector finds, and how they agree with those of `mtcnn` 0.1.1.

    python benchmarks/lfw_detection.py data/raw/lfw [--python-0.1.1 P --compared 200] [--recorded FOLDER]

A picture counts as found if a face of at least 20 pixels is found in it, and as found in the middle, where LFW has the
person whose picture it is, if the box of its main face holds the picture's middle. `--python-0.1.1`, a Python that has
that package and TensorFlow, runs it on pictures spread over the set; `--recorded` is a folder with what it once found,
`mtcnn_0.1.1_detections.json`, in `mtcnn_images/*.jpg`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from data.sources import lfw
from detection_faces import compare, from_ours, from_package
from flows.cutting import main_face
from metrics.intervals import wilson
from models.mtcnn import Detector

BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="LFW: its folder or archive")
    parser.add_argument("--python-0.1.1", dest="python", type=Path, help="a Python that has mtcnn==0.1.1")
    parser.add_argument("--compared", type=int, default=200, help="pictures that mtcnn 0.1.1 looks at too")
    parser.add_argument("--recorded", type=Path, help="folder of mtcnn_0.1.1_detections.json and mtcnn_images")
    options = parser.parse_args()

    detector, pictures = Detector(min_face=20), lfw.read(options.path)
    found, images = [], []
    while batch := list(islice(pictures, BATCH)):
        found += detector.detect(np.stack([image for image, _ in batch]))
        images += [image for image, _ in batch]
    height, width = images[0].shape[:2]
    mains = [faces.boxes[main_face(faces.boxes, (height, width))] for faces in found if len(faces)]
    in_middle = [x1 <= width / 2 <= x2 and y1 <= height / 2 <= y2 for x1, y1, x2, y2 in mains]
    proportion("a face found", len(mains), len(found))
    proportion("found in the middle", sum(in_middle), len(found))
    proportion("several faces found", sum(len(faces) > 1 for faces in found), len(found))

    if options.python:
        chosen = [number * len(images) // options.compared for number in range(options.compared)]
        theirs = run(options.python, np.stack([images[number] for number in chosen]))
        ours = [from_ours(found[number].boxes, found[number].landmarks) for number in chosen]
        compare(ours, theirs, "mtcnn 0.1.1")
    if options.recorded:
        compare(*recorded(options.recorded, detector), "mtcnn 0.1.1, recorded,")


def proportion(what: str, count: int, total: int) -> None:
    low, high = wilson(count, total)
    print(f"{what:20} {count:6,} of {total:,}: {count / total:6.2%} (95 %: {low:.2%}-{high:.2%})")


def run(python: Path, images: np.ndarray) -> list[list[dict]]:
    """The faces that the package finds in (N, H, W, 3) uint8, by picture."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "pictures.npy", images)
        program = [python, HERE / "detection_mtcnn.py", Path(folder) / "pictures.npy", "1"]
        done = subprocess.run(program, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])["faces"]


def recorded(folder: Path, detector: Detector) -> tuple[list[list[dict]], list[list[dict]]]:
    """Our faces and the recorded ones, by picture."""
    results = json.loads((folder / "mtcnn_0.1.1_detections.json").read_text())["results"]
    ours, theirs = [], []
    for file in sorted((folder / "mtcnn_images").glob("*.jpg")):
        faces, = detector.detect(cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)[None])
        ours.append(from_ours(faces.boxes, faces.landmarks))
        theirs.append(from_package(results[f"{file.stem}_min20"]))
    return ours, theirs


if __name__ == "__main__":
    main()
