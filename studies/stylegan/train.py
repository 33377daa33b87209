"""StyleGAN2 on real faces and then on emoji, as the stages `stylegan@…` train it, where there is no more than JAX.

    python -m studies.stylegan.train PICTURES.npy OUT --kimg 1100 [--start SNAPSHOT.npz --ada-kimg 100]

PICTURES.npy is (N, R, R, 3) uint8, `images.npy` of a face set for instance. OUT gets snapshot.npz, history.csv with
Fréchet distances of 2,000 pictures (features: the released expression classifier's), grid.png of one seed, and drift.png,
the first row of that grid at every tenth of the training. Run again after a kill it goes on where it stopped. It needs
neither DVC nor Prefect, so an accelerator's bare machine will do.
"""

import argparse
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

from flows.generated import Seeds, feature_network, pictures_of, ws_of
from metrics.frechet import frechet_distance
from models.stylegan2 import snapshot
from models.stylegan2.generator import Architecture, Generator
from models.stylegan2.recipe import Recipe
from models.stylegan2.train import fit
from studies.lines import Lines
from studies.unfinished import hashed, unfinished

MEASURED = 2000  # pictures of a distance
ROWS, COLUMNS = 6, 8  # of the grid
SHEETS = 10  # rows of the drift


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kimg", type=float, required=True)
    parser.add_argument("--start", type=Path, help="a snapshot to train further")
    parser.add_argument("--ada-kimg", type=float, default=0.0, help="0: no augmentation")
    parser.add_argument("--channel-base", type=int, default=2048)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    images = np.load(options.pictures, mmap_mode="r")
    side, size = images.shape[1], options.batch_size
    start, card = snapshot.load(options.start) if options.start else (None, {"lineage": ()})
    arch = (
        start.generator.arch if start else Architecture(side, options.channel_base, 256, latent=128, mapping_layers=4)
    )
    recipe = Recipe(
        kimg=options.kimg, batch_size=size, group=4, learning_rate=0.0025, falling=0.0, gamma=0.0016 * side**2 / size,
        mismatch=0.0, ema_kimg=size * 10 / 32, mixing=0.9, mirror=True, ada_kimg=options.ada_kimg, freeze=0,
    )  # fmt: skip
    features = feature_network()
    real = features(np.asarray(images[np.random.default_rng(0).permutation(len(images))[:MEASURED]]))
    seeds = Seeds.many(arch, MEASURED, seed=7)
    facts = {"seed": options.seed, "recipe": asdict(recipe), "architecture": arch.as_dict(), "pictures": len(images)}
    lineage = snapshot.descend(tuple(card["lineage"]), facts)
    folder = unfinished("stylegan", lineage, hashed(np.asarray(images)))
    grids = folder / "grids"
    grids.mkdir(parents=True, exist_ok=True)

    def examine(generator: Generator) -> dict[str, float]:
        pictures = pictures_of(generator, ws_of(generator, seeds))
        seen, now = sorted(grids.iterdir()), sheet(pictures[: ROWS * COLUMNS])[..., ::-1]
        if not any(np.array_equal(cv2.imread(str(each)), now) for each in seen):  # a resumed run looks once more at some
            cv2.imwrite(str(grids / f"{len(seen):05d}.png"), now)
        return {"frechet": frechet_distance(real, features(pictures))}

    # A set smaller than this is gone through several times between two looks.
    rows = np.resize(np.arange(len(images)), max(len(images), round(options.kimg * 1000 / (4 * SHEETS))))
    pair, outcome = fit(
        recipe, arch, np.asarray(images)[rows], None, seed=options.seed, checkpoints=folder / "run",
        watch=Lines("", 200), examine=examine, preview=lambda generator, history: {}, start=start,
    )  # fmt: skip
    snapshot.save(options.out / "snapshot.npz", pair, facts | {"lineage": lineage, "kimg": options.kimg})
    lines = [",".join(outcome.history[0]), *(",".join(f"{v:.6g}" for v in row.values()) for row in outcome.history)]
    (options.out / "history.csv").write_text("\n".join(lines) + "\n")
    (options.out / "metrics.json").write_text(json.dumps(outcome.kept, indent=2) + "\n")
    made = sorted(grids.iterdir())
    chosen = [made[i] for i in np.linspace(0, len(made) - 1, min(SHEETS, len(made))).astype(int)]
    cv2.imwrite(str(options.out / "drift.png"), np.concatenate([cv2.imread(str(each))[:side] for each in chosen]))
    shutil.copyfile(made[-1], options.out / "grid.png")


def sheet(pictures: np.ndarray) -> np.ndarray:
    """ROWS × COLUMNS pictures as one."""
    side = pictures.shape[1]
    return (
        pictures.reshape(ROWS, COLUMNS, side, side, 3).transpose(0, 2, 1, 3, 4).reshape(ROWS * side, COLUMNS * side, 3)
    )


if __name__ == "__main__":
    main()
