"""Networks as they are before their training, quick to make."""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.singan.model import Pyramids
from models.singan.networks import Generator, pad
from models.singan.pyramid import plan_scales, real_pyramid


def untrained_pyramids(key: Array, count: int = 2) -> Pyramids:
    """Pyramids of so many smooth pictures (20, 24, 3), four scales each, with strong noise."""
    plan = plan_scales((20, 24), min_size=12, factor=0.65)
    row, column = jnp.mgrid[:20, :24] / 8
    pictures = jnp.stack([jnp.stack([jnp.sin(row + n), jnp.cos(column), row / 4 - 0.5], axis=-1) for n in range(count)])
    scales = []
    for n, size in enumerate(plan.sizes):
        make = lambda key: nnx.state(Generator(4, rngs=nnx.Rngs(key)), nnx.Param, nnx.BatchStat)  # noqa: E731
        params, stats = jax.vmap(make)(jax.random.split(jax.random.key(n), count))
        noise = pad(jax.random.normal(key, (count, *size, 3))) if n == 0 else pad(jnp.zeros((count, *size, 3)))
        weights = {"params": nnx.to_pure_dict(params), "stats": nnx.to_pure_dict(stats)}
        scales.append(weights | {"noise": noise, "amp": jnp.array([0.5, 0.1])[:count]})
    return Pyramids(plan, tuple(scales), tuple(real_pyramid(pictures, plan)), "zeros", False)
