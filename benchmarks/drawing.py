"""Faces a second of the drawn world, at 128×128: of one core's time, and by the clock with worker processes.

    python benchmarks/drawing.py [--count 2100] [--size 128] [--workers N] [--rounds 3]

Time of the core and not by the clock is what other programs on the machine disturb least; the best round counts.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data.synthetic import draw
from data.synthetic.parallel import CHUNK, cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2100)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    cv2.setNumThreads(1)
    alone = []
    for seed in range(options.rounds):
        start = time.process_time()
        drawn = sum(1 for _ in draw(seed, 5 * CHUNK, options.size))
        alone.append(drawn / (time.process_time() - start))
    print(f"one core          {max(alone):7.0f} faces a second of its time (rounds {_list(alone)})")

    together, spent = [], []
    for seed in range(options.rounds):
        begin, before = time.perf_counter(), _processor_time()
        drawn = sum(1 for _ in draw(seed, options.count, options.size, options.workers))
        together.append(drawn / (time.perf_counter() - begin))
        spent.append(drawn / (_processor_time() - before))
    print(f"{options.workers:2} processes      {max(together):7.0f} faces a second by the clock "
          f"(rounds {_list(together)})")
    print(f"  of their time   {max(spent):7.0f} faces a second of one core's, starting and handing over included "
          f"(rounds {_list(spent)})")


def _processor_time() -> float:
    """Seconds of processors that this process and its ended children have used."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _list(values: list[float]) -> str:
    return " ".join(f"{value:.0f}" for value in values)


if __name__ == "__main__":
    main()
