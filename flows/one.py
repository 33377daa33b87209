"""``one``: what SinGAN makes of one picture of yours (Shaham et al. 2019): samples, and its five uses.

A pyramid is trained on the picture first, by `singan.recipe` in params.yaml; it is kept in `.checkpoints/one` for the next
use of the same picture, and a training that was ended goes on there.
"""

import argparse
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from data.picture_file import decode_picture
from data.png import write_png
from flows import settings
from flows.film import write_film
from flows.watch import Terminal, Watch
from models.pixels import to_uint8
from models.singan import snapshot
from models.singan.model import Pyramids
from models.singan.recipe import Recipe
from models.singan.sample import animate, edit, harmonise, paint_to_image, sample, super_resolve
from models.singan.train import fit

KEPT = Path(".checkpoints/one")
PACE = 100  # milliseconds of a frame
SUPER = {"factor": 0.25 ** (1 / 6), "reconstruction": 100.0}  # of the recipe, for super-resolution: the authors' choice
MOVING = {"min_size": 20, "border": "noise"}  # and for films
NEEDS = {"paint": ("reference",), "harmonise": ("reference", "mask"), "edit": ("reference", "mask")}


def main(argv: list[str]) -> int:
    """Trains on the picture if need be, and writes what was asked for."""
    words = argparse.ArgumentParser(prog="python -m flows one", description=__doc__.partition("\n")[0])
    words.add_argument("use", choices=["sample", "super-resolve", "paint", "harmonise", "edit", "animate"])
    words.add_argument("picture", type=Path, help="what the pyramid learns")
    words.add_argument("--reference", type=Path, help="the painting, the picture with an object in it, or the edited one")
    words.add_argument("--mask", type=Path, help="white where the reference was changed; of the picture's size")
    words.add_argument("--start", type=int, default=1, help="scale from which on it is made anew; 0, the coarsest, for samples")
    words.add_argument("--count", type=int, default=4, help="pictures to make, or frames of a film")
    words.add_argument("--factor", type=float, default=4, help="of super-resolution")
    words.add_argument("--iterations", type=int, help="of each scale (default: singan.recipe.iterations)")
    words.add_argument("--out", type=Path, default=Path("one"), help="folder for what is made")
    options = words.parse_args(argv)
    if options.count < 1 or options.start < 0 or options.factor <= 1:
        raise ValueError(f"--count {options.count}, --start {options.start}, --factor {options.factor:g}: expected at least 1, at "
                         "least 0, above 1")
    needed = NEEDS.get(options.use, ())
    if missing := [name for name in needed if getattr(options, name) is None]:
        raise ValueError(f"{options.use} needs --{' and --'.join(missing)}")
    picture = decode_picture(options.picture.read_bytes(), str(options.picture))
    given = {name: of_its_size(getattr(options, name), picture) for name in needed}

    params = settings.load()
    changes = {"super-resolve": SUPER, "animate": MOVING}.get(options.use, {})
    recipe = replace(params.singan.recipe, **changes)
    if options.iterations is not None:
        recipe = replace(recipe, iterations=options.iterations, chunk=np.gcd(options.iterations, recipe.chunk).item())
    pyramids = trained(picture, recipe, params.seed)
    size = pyramids.plan.sizes[-1]
    arrays = {name: cv2.resize(each, size[::-1], interpolation=cv2.INTER_AREA)[None] for name, each in given.items()}
    made = use_of(options)(pyramids, arrays, jax.random.key(params.seed))
    options.out.mkdir(parents=True, exist_ok=True)
    pictures = to_uint8(made[0])
    if options.use == "animate":
        write_film(options.out / "animate.gif", list(pictures), [PACE] * len(pictures))
        print(options.out / "animate.gif")
        return 0
    for number, each in enumerate(pictures):
        write_png(options.out / f"{options.use}-{number}.png", each)
    print(f"{len(pictures)} pictures of {pictures.shape[2]}×{pictures.shape[1]} in {options.out}")
    return 0


def use_of(options: argparse.Namespace) -> Callable[[Pyramids, dict[str, np.ndarray], jax.Array], jax.Array]:
    """What is done with pyramids, the reference (1, H, W, 3) and the mask (1, H, W, 3), both uint8, and a key."""

    def standard(pictures: np.ndarray) -> jax.Array:
        return jnp.asarray(pictures, jnp.float32) / 127.5 - 1

    def within(function: Callable) -> Callable:
        return lambda pyramids, given, key: function(
            pyramids, standard(given["reference"]), jnp.asarray(given["mask"].max(axis=-1) > 127), options.start, key, options.count
        )

    return {
        "sample": lambda pyramids, given, key: sample(pyramids, key, options.count, options.start),
        "super-resolve": lambda pyramids, given, key: super_resolve(pyramids, key, options.factor),
        "paint": lambda pyramids, given, key: paint_to_image(
            pyramids, standard(given["reference"]), options.start, key, options.count
        ),
        "harmonise": within(harmonise),
        "edit": within(edit),
        "animate": lambda pyramids, given, key: animate(pyramids, key, options.count, options.start),
    }[options.use]


def of_its_size(file: Path, picture: np.ndarray) -> np.ndarray:
    """The picture in a file; raises ValueError where it is of another size than `picture`."""
    found = decode_picture(file.read_bytes(), str(file))
    if found.shape != picture.shape:
        raise ValueError(f"{file} is {found.shape[1]}×{found.shape[0]}, expected {picture.shape[1]}×{picture.shape[0]} as the "
                         "picture that is learnt: bring both to one size")
    return found


def trained(picture: np.ndarray, recipe: Recipe, seed: int) -> Pyramids:
    """The pyramid of a picture (H, W, 3) uint8: the one that is kept, or one that is trained now."""
    facts = json.dumps([asdict(recipe), seed, picture.shape], sort_keys=True).encode()
    folder = KEPT / hashlib.blake2b(facts + picture.tobytes(), digest_size=8).hexdigest()
    if not (folder / "pyramids.npz").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        terminal = Terminal("one")
        try:
            pyramids, _ = fit(recipe, picture[None], seed=seed, checkpoints=folder / "run", watch=Watch(terminal),
                              preview=lambda pyramids, history: {})  # fmt: skip
        finally:
            terminal.close()
        snapshot.save(folder / "pyramids.npz", pyramids, {"recipe": asdict(recipe), "seed": seed})
        shutil.rmtree(folder / "run")
    return snapshot.load(folder / "pyramids.npz")[0]
