"""Whether our backbones compute what Keras' applications do, with the same weights: the largest difference of logits and of
averaged last maps over three layouts of weights and an even and an odd size of pictures.

    python benchmarks/keras_parity.py [--keras-python P] [NETWORK …]

Keras runs in a throw-away environment (some minutes to install), or in the one given. Weights are random, running
statistics too. Exits with 1 where a difference is above 1e-4.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import jax
import numpy as np
from flax import nnx

from models.fer import keras_weights
from models.fer.networks import blank, standardise
from throw_away import install

PACKAGES = ["keras==3.15.1", "tensorflow-cpu==2.21.0"]
TOLERANCE = 1e-4
SIZES = (96, 97)
LAYOUTS = ("weights.h5", "w.weights.h5", "weights.keras")
APPLICATIONS = {
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_small": "MobileNetV3Small",
    "mobilenet_v3_large": "MobileNetV3Large",
    **{f"efficientnet_b{number}": f"EfficientNetB{number}" for number in range(8)},
    "inception_resnet_v2": "InceptionResNetV2",
}
TOPS = {"mobilenet_v3_small": (1024,), "mobilenet_v3_large": (1280,)}  # hidden layers of Keras' own


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=list(APPLICATIONS), metavar="NETWORK", help=", ".join(APPLICATIONS))
    parser.add_argument("--keras-python", type=Path, help=f"a Python that has {', '.join(PACKAGES)}")
    options = parser.parse_args()
    if unknown := set(options.networks) - APPLICATIONS.keys():
        parser.error(f"no application for {', '.join(sorted(unknown))}; known: {', '.join(APPLICATIONS)}")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        python = options.keras_python or install(Path(folder) / "keras", PACKAGES)
        heads = f"{'max |Δ| logits':>14} {'of max':>7}   {'max |Δ| maps':>14} {'of max':>7}"
        print(f"{'':20} {'values':>11} {'no top':>11}   {heads}")
        for name in options.networks:
            row = compare(name, python)
            failed |= not max(row["logits"][0], row["maps"][0]) <= TOLERANCE
            parts = "".join(f"   {row[part][0]:14.1e} {row[part][1]:7.2f}" for part in ("logits", "maps"))
            print(f"{name:20} {row['values']:11,} {row['values_without_top']:11,}{parts}", flush=True)
    sys.exit(failed)


def compare(name: str, python: Path) -> dict:
    """Keras' counts of values, and of logits and averaged maps the largest difference and the largest value."""
    found = {"logits": (0.0, 0.0), "maps": (0.0, 0.0)}
    with tempfile.TemporaryDirectory() as folder:
        command = [python, HERE / "keras_parity_reference.py", APPLICATIONS[name], folder, *map(str, SIZES)]
        counts = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
        network = blank(name, 1000, 3, hidden=TOPS.get(name, ()))

        @jax.jit
        def said(state: nnx.State, pictures: jax.Array) -> tuple[jax.Array, jax.Array]:
            model = nnx.merge(graph, state)
            means = model.features(standardise(pictures))
            return model.head(means, None), means

        for layout in LAYOUTS:
            keras_weights.load(network, Path(folder) / layout)
            graph, state = nnx.split(network)
            for size in SIZES:
                with np.load(Path(folder) / f"{size}.npz") as stored:
                    ours = said(state, jax.numpy.asarray(stored["pixels"]))
                    for part, value in zip(("logits", "maps"), ours):
                        difference = float(np.abs(np.asarray(value) - stored[part]).max())
                        largest = float(np.abs(stored[part]).max())
                        found[part] = (max(found[part][0], difference), max(found[part][1], largest))
    return counts | found


if __name__ == "__main__":
    main()
