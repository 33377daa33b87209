"""Work in numbered chunks, done by worker processes side by side; each result is a file, so a killed run goes on.

    files = chunks.work(partial(prepare, settings), count, stage.checkpoints / "chunks", workers, tell)
    for arrays in map(chunks.read, files): ...

A worker calls `prepare` once, for what is costly to set up, and what that returns once a chunk. What comes back does
not depend on how many workers there are. Workers are spawned, never forked: JAX has threads, which a fork would lose.
"""

import functools
import multiprocessing
import os
import signal
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2
import numpy as np

Arrays = dict[str, np.ndarray]
Task = Callable[[int], Arrays]

MOST = 16  # workers that are started unasked; each takes some hundred megabytes
_prepared: Callable[[], Task] | None = None  # in a worker: `prepare`, which does its work at the first call only


def work(
    prepare: Callable[[], Task], count: int, folder: Path, workers: int | None, tell: Callable[[int], None]
) -> list[Path]:
    """Does chunks 0 … `count` - 1 and returns their files in `folder`, in order; those that are there are not redone.

    Args:
        prepare: makes the function from a chunk's number to its arrays, which are not of objects. It goes to the
            workers by pickle. Less than two chunks are done in this process, sooner than another would start.
        folder: for these chunks alone; whoever asks for other ones brings another folder.
        workers: None for one a core that this process may use, at most MOST.
        tell: called with the number of chunks that are done, whenever that grows.

    Raises:
        ChildProcessError: a worker was killed. What is done is kept.
        Exception: whatever `prepare` or its function raises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:06d}.npz" for number in range(count)]
    missing = [number for number, file in enumerate(files) if not file.exists()]
    tell(count - len(missing))
    if missing and count < 2:
        _publish(files[0], prepare()(0))
        tell(count)
    elif missing:
        _share_out(prepare, files, missing, min(workers or min(cores(), MOST), len(missing)), tell)
    return files


def read(file: Path, *names: str) -> Arrays:
    """The arrays called `names`, or all, of a chunk. Raises ValueError where the file is damaged."""
    try:
        with np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in names or stored.files}
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise ValueError(f"{file} is damaged ({error}): remove it, and it will be made anew") from error


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _share_out(
    prepare: Callable[[], Task], files: list[Path], missing: list[int], workers: int, tell: Callable[[int], None]
) -> None:
    """Does the `missing` chunks in `workers` processes; whatever goes wrong, none of those is left running."""
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (prepare,))
    others = set(multiprocessing.active_children())
    try:
        futures = [pool.submit(_do, number, files[number]) for number in missing]
        for done, future in enumerate(as_completed(futures), len(files) - len(missing) + 1):
            future.result()
            tell(done)
    except BrokenProcessPool as error:
        raise ChildProcessError("a worker process ended before its work was done, as when memory runs out; start again "
                                "and finished chunks are not redone, with fewer `workers` each has more") from error
    except BaseException:
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(prepare: Callable[[], Task]) -> None:
    """What each worker starts with."""
    global _prepared
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    # JAX reads both when it is first used. There is a worker for every core; an accelerator has memory for one process.
    os.environ |= {"JAX_PLATFORMS": "cpu", "PJRT_NPROC": "1"}
    cv2.setNumThreads(1)
    _prepared = functools.cache(prepare)


def _end_with_parent() -> None:
    """Ends this process as soon as its parent is gone, however that came."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _do(number: int, file: Path) -> None:
    _publish(file, _prepared()(number))


def _publish(file: Path, arrays: Arrays) -> None:
    """Writes `file` beside its place and renames it there, so that it is whole or absent, also after a power cut."""
    beside = file.with_suffix(".part")
    try:
        with beside.open("wb") as out:
            np.savez(out, allow_pickle=False, **arrays)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
