"""Stage `singan`: a pyramid of SinGAN for each of some training faces, all trained together.

Writes `pyramids.npz`, `parents.parquet` (which faces they are of), `history.csv` and `curve.png` (of each scale), `samples.png` (each
face, then what its pyramid makes of chance from the second and from the third coarsest scale on: the paper's N-1 and N-2,
scale 1 and 2 of its program) and `metrics.json` (their single-image Fréchet distances).
"""

import json
from dataclasses import asdict
from pathlib import Path

import jax
import numpy as np
import pandas as pd

from data.contact_sheet import contact_sheet
from data.faceset import EXPRESSIONS, FaceSet
from data.png import write_png
from flows.patches import patch_network
from flows.stage import Stage
from metrics.plots import learning_curve_picture
from metrics.sifid import sifid
from models.pixels import to_uint8
from models.singan import snapshot
from models.singan.model import Pyramids
from models.singan.sample import sample
from models.singan.train import fit
from models.training import History

STARTS = {"N-1": 1, "N-2": 2}  # the paper's numbering and the program's
MEASURED = 50  # samples of a face whose distance is taken, as study B did
SHOWN = 4  # of them on the sheet
BOUNDS = (2.5, 97.5)  # percentiles of the interval
RESAMPLES = 2000
PANELS = {"critic": ["real", "fake"], "reconstruction": ["reconstruction"]}


def run(stage: Stage) -> None:
    """Trains by `singan`; raises ValueError where there are fewer training faces than wanted, or they are too small."""
    settings = stage.params.singan
    faces = FaceSet.open(stage.inputs["faces"] / "colour")
    rows = parents_of(faces.table, settings.parents, stage.params.seed)
    parents = np.asarray(faces.images[rows])

    def preview(pyramids: Pyramids, history: History) -> dict[str, Path]:
        return {}  # a scale that is not the last makes pictures of its own size only; they are shown when all are done

    pyramids, histories = fit(
        settings.recipe, parents, seed=stage.params.seed, checkpoints=stage.checkpoints, watch=stage.watch, preview=preview
    )
    scales = [pd.DataFrame(history).assign(scale=scale) for scale, history in enumerate(histories)]
    history = pd.concat(scales, ignore_index=True)
    history.insert(0, "chunk", np.arange(1, len(history) + 1))
    history.to_csv(stage.out / "history.csv", index=False)
    learning_curve_picture(history, PANELS, stage.out / "curve.png", x="chunk")
    faces.table.iloc[rows][["id", "parent", "subject", "label"]].assign(row=rows).to_parquet(
        stage.out / "parents.parquet", index=False
    )
    facts = {"seed": stage.params.seed, "recipe": asdict(settings.recipe), "parents": len(rows)}
    snapshot.save(stage.out / "pyramids.npz", pyramids, facts)

    features, key = patch_network(settings.features), jax.random.key(stage.params.seed)
    figures = {"parents": len(rows), "scales": len(pyramids.plan.sizes)}
    columns = [to_uint8(np.asarray(pyramids.reals[-1]))[:, None]]
    for name, start in STARTS.items():
        if start >= len(pyramids.scales):
            raise ValueError(f"the pyramids have {len(pyramids.scales)} scales, {name} is scale {start}: lower "
                             "singan.recipe.min_size, or raise faces.size")
        made = np.asarray(sample(pyramids, jax.random.fold_in(key, start), MEASURED, start))
        columns.append(to_uint8(made[:, :SHOWN]))
        apart = np.stack([sifid(np.asarray(real), each, features) for real, each in zip(pyramids.reals[-1], made)])
        figures |= {f"{name}/{figure}": value for figure, value in mean_of_faces(apart, stage.params.seed).items()}
    sheet = np.concatenate(columns, axis=1)
    titles = ["face", *(f"{name} (scale {start})" for name, start in STARTS.items() for _ in range(SHOWN))]
    write_png(stage.out / "samples.png", contact_sheet(sheet.reshape(-1, *sheet.shape[2:]), sheet.shape[1], titles * len(rows)))
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def possible_parents(table: pd.DataFrame) -> np.ndarray:
    """The training rows of people who are in no other split."""
    elsewhere = table["subject"][table["split"] != "train"].dropna().unique()
    return np.flatnonzero(((table["split"] == "train") & ~table["subject"].isin(elsewhere)).to_numpy(bool))


def parents_of(table: pd.DataFrame, count: int, seed: int) -> np.ndarray:
    """`count` training rows, in their order: of each expression as many as of any other, where labels are known.

    Nobody who is in another split is among them. Raises ValueError where there are not so many rows.
    """
    rows = possible_parents(table)
    if len(rows) < count:
        raise ValueError(f"{count} parents are wanted of {len(rows)} training faces of people who are in no other split")
    rows = np.random.default_rng(seed).permutation(rows)
    labels = table["label"].iloc[rows].astype("float").fillna(len(EXPRESSIONS)).to_numpy(int)
    turn = pd.Series(labels).groupby(labels).cumcount().to_numpy()  # the first of each expression, then the second of each …
    return np.sort(rows[np.lexsort((labels, turn))][:count])


def mean_of_faces(values: np.ndarray, seed: int) -> dict[str, float]:
    """Mean of (faces, samples) and the bounds of its bootstrap interval, for which faces are drawn anew."""
    each = values.mean(axis=1)
    drawn = np.random.default_rng(seed).integers(0, len(each), (RESAMPLES, len(each)))
    low, high = np.percentile(each[drawn].mean(axis=1), BOUNDS)
    return {"sifid": float(each.mean()), "sifid_low": float(low), "sifid_high": float(high)}
