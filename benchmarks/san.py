"""Faces perturbed a second, as stage `evaluate_san` does it: read from a face set, shown with SM, NT and OP laid over
their landmarks, written as three face sets.

    python benchmarks/san.py [--weights WEIGHTS.npz] [--faces 256] [--size 224] [--rounds 3]

The work does not depend on what is on the faces, so noise stands in; without --weights the network is the official
one's size. Beside it stands what the official program's notebook says of itself, with a GPU: 15,023 pictures in 380 seconds.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
from flax import nnx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data.alignment import CANONICAL
from data.faceset import FaceSet, FaceSetWriter
from flows.attribute import Prototypes
from flows.evaluate_san import NAMES, write_sets
from models.san import weights
from models.san.autoencoder import Autoencoder

OFFICIAL = 15_023 / 380  # pictures a second


class Silent:
    """Looks on and says nothing."""

    def log(self, text: str) -> None:
        pass

    def progress(self, done: int, total: int, text: str = "") -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, help="of an autoencoder")
    parser.add_argument("--faces", type=int, default=256)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    network = weights.load(options.weights)[0] if options.weights else Autoencoder(rngs=nnx.Rngs(0))
    rng, side = np.random.default_rng(0), options.size
    classes = rng.integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    prototypes = Prototypes(classes, classes[0], CANONICAL * side)
    labels = rng.integers(0, 2, options.faces).astype(np.int32)
    with tempfile.TemporaryDirectory() as folder:
        with FaceSetWriter(Path(folder) / "set", (side, side, 1)) as writer:
            rows = [{"landmarks": (CANONICAL * side + rng.normal(0, 2, (5, 2))).ravel()} for _ in range(options.faces)]
            writer.append(rng.integers(0, 256, (options.faces, side, side, 1), dtype=np.uint8), rows)
        seconds = []
        for number in range(options.rounds + 1):  # the first one compiles
            began = time.perf_counter()
            faces = FaceSet.open(Path(folder) / "set")
            stage = SimpleNamespace(out=Path(folder) / str(number), watch=Silent())
            write_sets(stage, network, prototypes, faces, labels)
            seconds.append(time.perf_counter() - began)
    rates = [options.faces / each for each in seconds[1:]]
    device = jax.devices()[0].device_kind
    print(f"{device}, {side}×{side}, {options.faces} faces, the first round took {seconds[0]:.1f} s")
    print(f"faces     {max(rates):6.1f} a second, each with {len(NAMES)} prototypes (rounds {_list(rates)})")
    print(f"pictures  {max(rates) * len(NAMES):6.1f} a second")
    print(f"official  {OFFICIAL:6.1f} pictures a second, with a GPU (its notebook)")


def _list(values: list[float]) -> str:
    return " ".join(f"{value:.1f}" for value in values)


if __name__ == "__main__":
    main()
