"""Our training step of mini-Xception on random pictures: prints pictures a second (median of 30 steps) as JSON."""

import json
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import jax.numpy as jnp
import numpy as np

from models.fer.recipe import Recipe
from models.fer.train import Faces, program
from turns import milliseconds

BATCH = 64
rng = np.random.default_rng(0)
faces = Faces(rng.integers(0, 256, (BATCH, 48, 48, 1), np.uint8), rng.integers(0, 7, BATCH))
recipe = Recipe("mini_xception", 1, BATCH, "adam", 1e-3, 0.0, 0.0, 0.0, 0.0, "none", 0.0, (), 0.0, 1.0, "last")
training = program(recipe, faces, faces, 7, lambda model, history: {})
state, key = training.init(jax.random.key(0)), jax.random.key(1)
batch = {"images": jnp.asarray(faces.images), "labels": jnp.asarray(faces.labels, jnp.int32)}
step = jax.jit(training.step, donate_argnums=0)



def advance() -> None:
    global state
    state, _ = jax.block_until_ready(step(state, batch, key))


print(json.dumps({"pictures_per_second": 1e3 * BATCH / statistics.median(milliseconds(advance, 30, 5))}))
