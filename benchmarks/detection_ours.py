"""Our detector on pictures.npy in N processes: prints milliseconds a picture and faces as JSON."""

import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

from detection_faces import from_ours

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 4  # a picture takes so little that once through them all is too short to time
PATIENCE = 900  # seconds that one worker waits for the others to have compiled
_all_ready: Barrier  # in a worker


def main() -> None:
    file, workers = sys.argv[1], int(sys.argv[2])
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, begin, (spawn.Barrier(workers), workers)) as pool:
        parts = list(pool.map(work, [file] * workers, range(workers), [workers] * workers))
    began, ended, cpu, found = zip(*parts, strict=True)
    count = sum(map(len, found))
    faces = [found[number % workers][number // workers] for number in range(count)]
    wall = (max(ended) - min(began)) / REPEATS
    print(json.dumps({"wall_ms": wall * 1e3 / count, "cpu_ms": sum(cpu) / REPEATS * 1e3 / count, "faces": faces}))


def begin(all_ready: Barrier, workers: int) -> None:
    """What each worker starts with."""
    global _all_ready
    _all_ready = all_ready
    if workers > 1:
        os.environ["PJRT_NPROC"] = "1"  # XLA's threads, read when JAX is imported


def work(file: str, number: int, workers: int) -> tuple[float, float, float, list[list[dict]]]:
    """Detects in every `workers`-th picture from `number` on; returns began, ended, CPU seconds, faces by picture."""
    sys.path.insert(0, str(ROOT))
    import numpy as np

    from models.mtcnn import Detector

    pictures = np.load(file)[number::workers]
    detector = Detector(min_face=20)
    detector.detect(pictures)  # compiles
    _all_ready.wait(PATIENCE)
    began, cpu = time.monotonic(), time.process_time()
    for _ in range(REPEATS):
        found = detector.detect(pictures)
    ended, cpu = time.monotonic(), time.process_time() - cpu
    return began, ended, cpu, [from_ours(here.boxes, here.landmarks) for here in found]


if __name__ == "__main__":
    main()
