"""The `mtcnn` package on pictures.npy, N pictures at once: prints milliseconds a picture and faces as JSON."""

import json
import os
import sys
import time
from importlib.metadata import version

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from detection_faces import from_package
from mtcnn import MTCNN

pictures, at_once = np.load(sys.argv[1]), int(sys.argv[2])
detector = MTCNN(min_face_size=20) if version("mtcnn").startswith("0.") else MTCNN()  # 20 is the other's default
if at_once == 1:
    batches = list(pictures)
else:
    batches = [list(pictures[start:start + at_once]) for start in range(0, len(pictures), at_once)]
for batch in batches:  # TensorFlow traces each new number of candidates, as ours compiles
    detector.detect_faces(batch)
began, cpu = time.perf_counter(), time.process_time()
found = [detector.detect_faces(batch) for batch in batches]
wall, cpu = time.perf_counter() - began, time.process_time() - cpu
faces = [from_package(here) for here in (found if at_once == 1 else sum(found, []))]
print(json.dumps({"wall_ms": wall * 1e3 / len(pictures), "cpu_ms": cpu * 1e3 / len(pictures), "faces": faces}))
