"""Our full iteration of SinGAN (3 critic, 3 generator steps) of K pictures at the coarsest scale: prints milliseconds a
picture and iteration (median of 6 chunks, and the fastest) and the GFLOP in it as JSON. Arguments: side, channels, K.
"""

import json
import statistics
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import jax.numpy as jnp
import numpy as np

from models.singan.model import Pyramids, draw_noise
from models.singan.pyramid import ScalePlan
from models.singan.recipe import PAPER
from models.singan.train import adam, program, teach_critic, teach_generator
from turns import milliseconds

side, width, pictures = map(int, sys.argv[1:])
CHUNK = 2
recipe = replace(PAPER, chunk=CHUNK, width=width)
real = jnp.asarray(np.random.default_rng(0).uniform(-1, 1, (pictures, side, side, 3)), jnp.float32)
pyramids = Pyramids(ScalePlan(0.8, ((side, side),), 1.0), (), (real,), "zeros", False)
training = program(recipe, pyramids, lambda pyramids, history: {})
state, batch = training.init(jax.random.key(0)), {"iteration": jnp.arange(CHUNK)}

one = jax.tree.map(lambda values: values[0], state)
noise, before = draw_noise(jax.random.key(1), 1, (side, side), 0, "zeros"), jnp.zeros((1, side, side, 3))
steps = (
    jax.jit(lambda state: teach_critic(recipe, adam(recipe, 3), state, before, noise, jnp.float32(0.5))),
    jax.jit(lambda state: teach_generator(recipe, adam(recipe, 3), state, before, noise)),
)
operations = 3 * sum(step.lower(one).compile().cost_analysis()["flops"] for step in steps)

step = jax.jit(training.step, donate_argnums=0)
numbers = count()


def advance() -> None:
    global state
    state, _ = jax.block_until_ready(step(state, batch, jax.random.key(next(numbers))))


times = [each / CHUNK / pictures for each in milliseconds(advance, 6, 2)]
figures = {"device": jax.default_backend(), "milliseconds": statistics.median(times), "fastest": min(times)}
print(json.dumps(figures | {"gflop": operations / 1e9}))
