"""Many pictures drawn side by side in worker processes, and handed over in order.

Each picture has random numbers of its own, by its number, so what comes out does not depend on how many workers there
are. Memory stays flat: no chunk is begun before one that is two chunks a worker ahead of it has been handed over.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

import cv2

Drawn = TypeVar("Drawn")

CHUNK = 70  # pictures handed over at once: whole people, and half a second's work at 128 pixels
MOST = 16  # workers that are started unasked
AHEAD = 2  # chunks in flight for each worker: one drawn, one waiting


def in_order(draw_one: Callable[[int], Drawn], count: int, workers: int | None = None) -> Iterator[Drawn]:
    """Yields `draw_one(0)` … `draw_one(count - 1)`.

    Args:
        draw_one: from the number of a picture to what is drawn; can be pickled, as can what it returns.
        workers: processes; None for one a core that this process may use. 1 starts none and draws here; so do more for
            a single chunk.

    Raises:
        ChildProcessError: a worker was killed.
        Exception: whatever `draw_one` raises.
    """
    workers = workers or min(cores(), MOST)
    if workers == 1 or count <= CHUNK:
        yield from map(draw_one, range(count))
    else:
        yield from _shared_out(draw_one, count, workers)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shared_out(draw_one: Callable[[int], Drawn], count: int, workers: int) -> Iterator[Drawn]:
    """What `workers` draw, in order, after a first chunk drawn here while they start; none outlives this generator."""
    chunks = (range(start, min(start + CHUNK, count)) for start in range(CHUNK, count, CHUNK))
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin)
    try:
        flying = deque(pool.submit(_draw, draw_one, chunk) for chunk in islice(chunks, AHEAD * workers))
        yield from map(draw_one, range(CHUNK))
        while flying:
            drawn = flying.popleft().result()
            flying.extend(pool.submit(_draw, draw_one, chunk) for chunk in islice(chunks, 1))
            yield from drawn
    except BrokenProcessPool as error:
        raise ChildProcessError("a process that draws ended before its work was done, as when memory runs out: "
                                "start again, with fewer `workers` each has more") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """What each worker starts with."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    cv2.setNumThreads(1)  # there is a worker for every core


def _end_with_parent() -> None:
    """Ends this process as soon as its parent is gone, however that came."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _draw(draw_one: Callable[[int], Drawn], chunk: range) -> list[Drawn]:
    return [draw_one(number) for number in chunk]
