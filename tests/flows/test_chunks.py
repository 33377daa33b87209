"""Work in chunks: the same files however many workers, nothing twice after a kill, no worker left, errors told."""

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from flows import chunks


def squares(log: Path):
    """A task that notes in `log` who did what."""

    def task(number: int) -> chunks.Arrays:
        with (log / str(os.getpid())).open("a") as file:
            file.write(f"{number}\n")
        time.sleep(0.05)
        return {"square": np.arange(3) * number**2, "number": np.array(number)}

    return task


def failing(number: int):
    def task(each: int) -> chunks.Arrays:
        if each == number:
            raise ValueError(f"chunk {each} is bad")
        return {"number": np.array(each)}

    return task


def dying(number: int):
    def task(each: int) -> chunks.Arrays:
        if each == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"number": np.array(each)}

    return task


def impossible():
    raise ImportError("no such library")


def slow(log: Path):
    """A task that is never done, begun as `log` says."""

    def task(number: int) -> chunks.Arrays:
        (log / f"{number}.{os.getpid()}").touch()
        time.sleep(600)
        return {}

    return task


@pytest.fixture
def log(tmp_path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path / "log"


def done_by(log: Path) -> dict[int, list[int]]:
    """What each process did."""
    return {int(file.name): [int(line) for line in file.read_text().split()] for file in log.iterdir()}


def test_two_workers_share_the_work_and_make_what_one_makes(tmp_path, log):
    told = []
    two = chunks.work(functools.partial(squares, log), 8, tmp_path / "two", 2, told.append)
    assert len(done_by(log)) == 2 and sorted(sum(done_by(log).values(), [])) == list(range(8))
    assert os.getpid() not in done_by(log)
    one = chunks.work(functools.partial(squares, log), 8, tmp_path / "one", 1, lambda done: None)
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two]
    assert [int(chunks.read(file, "number")["number"]) for file in two] == list(range(8))
    assert told == list(range(9))
    assert sorted(file.name for file in (tmp_path / "two").iterdir()) == [file.name for file in two]


def test_one_chunk_is_not_worth_a_process(tmp_path, log):
    (file,) = chunks.work(functools.partial(squares, log), 1, tmp_path / "chunks", 2, lambda done: None)
    assert done_by(log) == {os.getpid(): [0]}
    np.testing.assert_array_equal(chunks.read(file)["square"], [0, 0, 0])


def test_what_is_done_is_not_done_again(tmp_path, log):
    folder = tmp_path / "chunks"
    with pytest.raises(ChildProcessError, match="fewer `workers`"):
        chunks.work(functools.partial(dying, 3), 5, folder, 1, lambda done: None)
    made = {file.name: file.stat().st_mtime_ns for file in folder.glob("*.npz")}
    assert made.keys() == {"000000.npz", "000001.npz", "000002.npz"}
    told = []
    files = chunks.work(functools.partial(squares, log), 5, folder, 2, told.append)
    assert sorted(sum(done_by(log).values(), [])) == [3, 4] and told == [3, 4, 5]
    assert made.items() <= {file.name: file.stat().st_mtime_ns for file in files}.items()
    assert chunks.work(impossible, 5, folder, 2, told.append) == files and told[-1] == 5


def test_an_error_in_a_worker_is_the_error(tmp_path):
    with pytest.raises(ValueError, match="chunk 1 is bad"):
        chunks.work(functools.partial(failing, 1), 4, tmp_path / "chunks", 2, lambda done: None)
    assert not list((tmp_path / "chunks").glob("*1.*"))
    with pytest.raises(ImportError, match="no such library"):
        chunks.work(impossible, 2, tmp_path / "other", 2, lambda done: None)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path, log, sign):
    program = f"""
import functools, signal, sys
from pathlib import Path
from flows import chunks
from test_chunks import slow

def terminate(number, frame):
    raise SystemExit(7)

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    chunks.work(functools.partial(slow, Path({str(log)!r})), 4, Path({str(tmp_path / "chunks")!r}), 2, print)
"""
    (tmp_path / "program.py").write_text(program)
    paths = os.pathsep.join([str(Path(chunks.__file__).parents[1]), str(Path(__file__).parent)])
    parent = subprocess.Popen([sys.executable, str(tmp_path / "program.py")], env=os.environ | {"PYTHONPATH": paths},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while len(begun := list(log.iterdir())) < 2:
        assert parent.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    workers = [psutil.Process(int(file.suffix[1:])) for file in begun]
    parent.send_signal(sign)
    parent.wait(60)
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive


def test_a_damaged_chunk_is_named(tmp_path):
    file = tmp_path / "000000.npz"
    np.savez(file, a=np.arange(1000))
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"000000\.npz is damaged.*remove it"):
        chunks.read(file)
