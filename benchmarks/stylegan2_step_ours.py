"""Our main step of StyleGAN2's generator and discriminator: prints its milliseconds (median) and the device as JSON.

Arguments: resolution, channel base, most channels, latent, pictures in a batch, steps to time.
"""

import json
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import jax.numpy as jnp
import numpy as np

from models.stylegan2.generator import Architecture
from models.stylegan2.recipe import Recipe
from models.stylegan2.train import program
from turns import milliseconds

SIDE, BASE, MOST, LATENT, BATCH, STEPS = map(int, sys.argv[1:])
arch = Architecture(SIDE, channel_base=BASE, channel_max=MOST, latent=LATENT, mapping_layers=4)
recipe = Recipe(
    kimg=1, batch_size=BATCH, group=4, learning_rate=0.0025, falling=0.0, gamma=1.0, mismatch=0.0, ema_kimg=1, mixing=0.9,
    mirror=False, ada_kimg=0, freeze=0,
)  # fmt: skip
training = program(recipe, arch, STEPS, lambda generator: {}, lambda generator, history: {})
state, key = training.init(jax.random.key(0)), jax.random.key(1)
batch = {"images": jnp.asarray(np.random.default_rng(0).integers(0, 256, (BATCH, SIDE, SIDE, 3), np.uint8))}
step = jax.jit(training.step, donate_argnums=0)


def advance() -> None:
    global state
    state, _ = jax.block_until_ready(step(state, batch, key))


times = milliseconds(advance, STEPS, STEPS // 6)
print(json.dumps({"device": jax.default_backend(), "milliseconds": statistics.median(times)}))
