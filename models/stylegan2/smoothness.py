"""Perceptual path length: how much pictures change along a short way in w (Karras et al. 2018, "A Style-Based Generator",
section 4.1, equation 2, in w, over whole paths). Short and even ways are those of a generator that has untangled its factors.
"""

import jax
import numpy as np
from flax import nnx

from models.stylegan2.generator import Generator
from models.stylegan2.project import Features, distance

EPSILON = 1e-4  # length of the way, as a share of the path between two w
BATCH = 50
REJECTED = 0.01  # share of the longest and of the shortest ways that are left out, as the authors do


def perceptual_path_length(generator: Generator, features: Features, count: int, seed: int) -> float:
    """Mean of d(g(w), g(w')) / ε² over `count` short ways, d by `features` (pictures -> maps), noise as the generator's own.

    A generator with labels goes from one person to another with the same label. Raises ValueError for less than 2 ways.
    """
    if count < 2:
        raise ValueError(f"at least 2 ways are needed to tell a path length, got {count}")
    graph, weights = nnx.split(generator)
    arch = generator.arch

    @jax.jit
    def lengths(weights: nnx.State, key: jax.Array) -> jax.Array:
        network, keys = nnx.merge(graph, weights), jax.random.split(key, 4)
        labels = jax.random.randint(keys[0], (BATCH,), 0, arch.labels) if arch.labels else None
        labels = jax.nn.one_hot(labels, arch.labels) if arch.labels else None
        first, second = (network.mapping(jax.random.normal(key, (BATCH, arch.latent)), labels) for key in keys[1:3])
        t = jax.random.uniform(keys[3], (BATCH, 1))
        here, there = (first + (second - first) * share for share in (t, t + EPSILON))
        maps = [features(network.synthesis(network.spread(w))) for w in (here, there)]
        return distance(*maps) / EPSILON**2

    batches = -(-count // BATCH)
    found = [np.asarray(lengths(weights, key)) for key in jax.random.split(jax.random.key(seed), batches)]
    found = np.sort(np.concatenate(found)[:count])
    cut = int(REJECTED * count)
    return float(found[cut : count - cut].mean())
