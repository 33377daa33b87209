"""Drawing in worker processes: the same pictures in the same order, and no process left behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
import pytest

from data.synthetic import draw
from data.synthetic.parallel import AHEAD, CHUNK, in_order

ROOT = Path(__file__).parents[3]


def test_same_pictures_in_the_same_order_whatever_the_number_of_workers():
    count = 2 * CHUNK + 5
    alone, together = (list(draw(2, count, 32, workers)) for workers in (1, 2))
    assert len(together) == count
    for (image, row), (other, other_row) in zip(alone, together, strict=True):
        np.testing.assert_array_equal(image, other)
        assert row == other_row


def test_same_bytes_whatever_the_number_of_blas_threads():
    """With OpenCV's product of matrices, 1 grey value of 6 million was another on one thread."""
    program = """
import hashlib
from data.synthetic import draw
print(hashlib.sha256(b"".join(image.tobytes() for image, _ in draw(1, 128, 128, workers=1))).hexdigest())
"""
    said = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=os.environ | {"OPENBLAS_NUM_THREADS": threads}, check=True,
            stdout=subprocess.PIPE,
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


def test_a_single_chunk_starts_no_process():
    before = set(multiprocessing.active_children())
    assert list(in_order(str, 3, workers=2)) == ["0", "1", "2"]
    assert set(multiprocessing.active_children()) == before


def _note(folder: Path, number: int) -> int:
    (folder / str(number)).touch()
    return number


def test_only_a_few_chunks_are_in_flight_and_none_after_the_reader_stops(tmp_path):
    numbers = in_order(partial(_note, tmp_path), 10**9, workers=1 + 1)
    assert list(islice(numbers, 3 * CHUNK)) == list(range(3 * CHUNK))
    time.sleep(0.5)
    numbers.close()
    assert len(list(tmp_path.iterdir())) <= (3 + 2 * AHEAD + 1) * CHUNK
    assert not [child for child in multiprocessing.active_children() if "Spawn" in type(child).__name__]


def _refuse(number: int) -> int:
    if number == CHUNK + 3:
        raise ValueError(f"cannot draw {number}")
    return number


def test_what_goes_wrong_in_a_worker_is_said():
    with pytest.raises(ValueError, match=f"cannot draw {CHUNK + 3}"):
        list(in_order(_refuse, 3 * CHUNK, workers=2))


def _die(number: int) -> int:
    if number == CHUNK + 3:
        os._exit(9)
    return number


def test_a_killed_worker_is_said():
    with pytest.raises(ChildProcessError, match="ended before its work was done"):
        list(in_order(_die, 3 * CHUNK, workers=2))


def test_workers_end_with_their_parent():
    program = ("from data.synthetic import draw\n"
               "for number, _ in enumerate(draw(0, 10**6, 32, 2)):\n"
               "    if number == 150: print('drawing', flush=True)")
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout.readline() == "drawing\n"
        workers = psutil.Process(parent.pid).children(recursive=True)
        assert len(workers) >= 2
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
