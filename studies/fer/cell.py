"""One cell of the classifier study: one row of `rows.csv` trained with one seed on FER-2013, where there is no more than JAX.

    python -m studies.fer.cell ROW SEED [--set artifacts/ingest/set] [--epochs N] [--out studies/fer/results]

Learns from Training rows, watches the validation rows that `ingest` carved off them, and says what it makes of PublicTest:
OUT/ROW-SEED/ gets predictions.parquet, history.csv and cell.json (figures and cost). Run again after a kill it goes on where
it stopped. The study's own pictures are not to be had, so its figures are of another test set.

Rows with features of the picture need scikit-image beside it. Where the study is silent, this is: batches of 128, rates that
fall as a cosine, no decay, the last epoch's weights. That "paper CNN 1" is the deep network is our reading of it.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import nnx

from data.faceset import EXPRESSIONS, FaceSet
from flows.predictions import PROBABILITIES
from flows.watch import Terminal
from models.fer.networks import NETWORKS, Network
from models.fer.predict import probabilities
from models.fer.recipe import Recipe
from models.fer.train import Faces, fit
from studies.unfinished import unfinished, which

HERE = Path(__file__).parent
BATCH = 128
DENSE = (512,)  # widths of the study's extra dense layers, which it does not tell
OWN_DROPOUT = ("", ".2/.5")  # of networks that bring their own


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("row", help="an id of rows.csv")
    parser.add_argument("seed", type=int)
    parser.add_argument("--set", type=Path, default=Path("artifacts/ingest/set"), help="as `ingest` makes it of FER-2013")
    parser.add_argument("--epochs", type=int, help="instead of the row's")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    row = rows().loc[options.row] if options.row in rows().index else parser.error(f"no row {options.row} in rows.csv")
    chosen = recipe(row, options.epochs)
    faces = FaceSet.open(options.set)
    folder = options.out / f"{options.row}-{options.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: prepared(faces.split(name), row) for name in ("train", "validation", "public_test")}
    began = time.monotonic()
    model, outcome = fit(
        chosen,
        parts["train"],
        parts["validation"],
        classes=len(EXPRESSIONS),
        seed=options.seed,
        checkpoints=unfinished(f"fer/{folder.name}", chosen, row.to_dict(), which(faces)),
        watch=Terminal(folder.name),
        preview=lambda model, history: {},
    )
    seconds = time.monotonic() - began
    predictions = faces.split("public_test").table[["id", "split", "label"]].reset_index(drop=True)
    predictions[PROBABILITIES] = probabilities(model, parts["public_test"].images)
    predictions.to_parquet(folder / "predictions.parquet", index=False)
    pd.DataFrame(outcome.history).to_csv(folder / "history.csv", index=False)
    figures = {
        "row": options.row, "seed": options.seed, "epochs": chosen.epochs, "training_faces": len(parts["train"].labels),
        "validation_accuracy": outcome.kept["validation_accuracy"], "seconds": seconds, "device": device(),
    }  # fmt: skip
    write(folder / "cell.json", figures | cost(model, parts["public_test"].images[:1]))


def rows() -> pd.DataFrame:
    """The study's rows by their ids, as text."""
    return pd.read_csv(HERE / "rows.csv", dtype=str, keep_default_na=False).set_index("row")


def recipe(row: pd.Series, epochs: int | None = None) -> Recipe:
    """The recipe of a row; raises ValueError where the row cannot be run, and says why."""
    if row["network"] not in NETWORKS:
        raise ValueError(f"rows.csv, {row.name}: network {row['network']!r}; known: {', '.join(NETWORKS)}")
    if row["finetune"] == "yes":
        raise ValueError(f"rows.csv, {row.name}: fine-tuning starts from weights of ImageNet, which are not part of this")
    own = row["dropout"] in OWN_DROPOUT and row["dense"] == "no"
    head = {} if own else {"dropout": float(row["dropout"].split("/")[-1] or 0), "hidden": DENSE[: row["dense"] == "yes"]}
    return Recipe(
        network=row["network"], epochs=epochs or int(row["epochs"]), batch_size=BATCH, optimizer=row["optimizer"],
        learning_rate=float(row["learning_rate"]), warmup=0.0, weight_decay=0.0, label_smoothing=0.0, ema=0.0,
        augment=row["augment"], mixup=0.0, teachers=(), distil=0.0, temperature=1.0, select="last", loss=row["loss"], **head,
    )  # fmt: skip


def prepared(faces: FaceSet, row: pd.Series) -> Faces:
    """The faces at the row's size as its features; grey repeated where it wants three channels."""
    side = int(row["size"])
    grey = np.asarray(faces.images[:])[..., 0]
    if grey.shape[1:] != (side, side):
        grey = np.stack([cv2.resize(picture, (side, side)) for picture in grey])
    if row["features"] != "none":
        from data.features import FEATURES  # here, because it needs scikit-image, which a bare machine does not have

        grey = FEATURES[row["features"]](grey)
    pictures = np.broadcast_to(grey[..., None], (*grey.shape, int(row["channels"])))
    return Faces(pictures, faces.table["label"].to_numpy(np.int32))


def cost(model: Network, picture: np.ndarray) -> dict[str, float | int]:
    """Learnt values, floating-point operations, and the median of milliseconds for one picture (1, H, W, C) uint8."""
    graph, state = nnx.split(model)
    program = jax.jit(lambda state, x: nnx.merge(graph, state)(x)).lower(state, jnp.zeros(picture.shape)).compile()
    times = []
    for _ in range(30):
        began = time.perf_counter()
        jax.block_until_ready(program(state, jnp.zeros(picture.shape)))
        times.append(time.perf_counter() - began)
    learnt = sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
    return {
        "parameters": int(learnt), "flops": float(program.cost_analysis()["flops"]),
        "ms_image": float(1000 * np.median(times)),
    }  # fmt: skip


def device() -> str:
    return jax.devices()[0].device_kind if jax.default_backend() != "cpu" else f"{os.cpu_count()} CPU cores"


def write(path: Path, figures: dict) -> None:
    """JSON, beside its place and then renamed: a folder with it is a finished cell."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(json.dumps(figures, indent=2) + "\n")
    os.replace(beside, path)


if __name__ == "__main__":
    sys.exit(main())
