"""Trained pyramids of several pictures of one size, and the way up through their scales (Shaham et al. 2019, eq. 1).

A scale is a plain tree, so that it goes through `jit`, `vmap` and a file as it is: `params` and `stats` of its
generator, `noise`, the z* that gives the picture back, and `amp`, how strong noise is. In a pyramid every array has one
more axis in front, the picture.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax

from models.singan.networks import MARGIN, Critic, Generator, pad
from models.singan.pyramid import ScalePlan, Size, resize
from models.singan.recipe import Border

Weights = dict[str, Any]
Scale = dict[str, Any]


@dataclass(frozen=True)
class Pyramids:
    """The pyramids of K pictures. While they are trained there are fewer scales than the plan has."""

    plan: ScalePlan
    scales: tuple[Scale, ...]  # coarsest first; params and stats, noise (K, h + 10, w + 10, 3), amp (K,)
    reals: tuple[Array, ...]  # (K, h, w, 3) in [-1, 1], the pictures at each scale
    border: Border
    quantise: bool

    @property
    def pictures(self) -> int:
        """K."""
        return self.reals[0].shape[0]


def over_pictures(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of one picture's trees as one of K pictures': side by side or, where that gains nothing, in turn.

    On a CPU one picture fills all cores, and K in turn take half as long as a batched product of K matrices.
    """
    if jax.default_backend() != "cpu":
        return jax.vmap(function)
    return lambda *trees: lax.map(lambda each: function(*each), trees)


def generator_of(params: Weights, stats: Weights) -> Generator:
    """A generator with these weights, which tell how wide it is."""
    graph = _graph(Generator, params["trunk"]["last"]["kernel"].shape[-2])
    return nnx.merge(graph, params, stats, copy=True)


def critic_of(params: Weights, stats: Weights) -> Critic:
    """A critic with these weights; its statistics play no part in training."""
    graph = _graph(Critic, params["trunk"]["last"]["kernel"].shape[-2])
    return nnx.merge(graph, params, stats, copy=True)


@lru_cache
def _graph(kind: type[nnx.Module], width: int) -> nnx.GraphDef:
    return nnx.graphdef(nnx.eval_shape(lambda: kind(width, rngs=nnx.Rngs(0))))


def draw_noise(key: Array, count: int, size: Size, scale: int, border: Border) -> Array:
    """(count, h + 10, w + 10, 3) for a scale of `size`; at the coarsest the three channels are the same."""
    wide = border == "noise"
    h, w = (side + 2 * MARGIN * wide for side in size)
    noise = jax.random.normal(key, (count, h, w, 3 if scale else 1))
    noise = jnp.broadcast_to(noise, (count, h, w, 3))
    return noise if wide else pad(noise)


def climb(
    scales: Sequence[Scale], noises: Sequence[Array], start: Array, sizes: Sequence[Size], factor: float, quantise: bool
) -> Array:
    """From `start` (N, h, w, 3), a picture as the first of these scales takes it, up through them: (N, H, W, 3) as the
    one after them takes it. `sizes` are the sizes of all but the first, and of the one after them, if that is wanted.
    """
    x = start
    for index, (scale, noise) in enumerate(zip(scales, noises, strict=True)):
        x = generator_of(scale["params"], scale["stats"])(scale["amp"] * noise + pad(x), x, False)
        if index < len(sizes):
            x = resize(x, 1 / factor, sizes[index], quantise)
    return x


def reconstruction(scales: Sequence[Scale], plan: ScalePlan, quantise: bool) -> Array:
    """One picture from its z* through `scales`, as the scale after them takes it: (1, h, w, 3)."""
    noises = [scale["noise"][None] for scale in scales]
    start = jnp.zeros((1, *plan.sizes[0], 3))
    return climb(scales, noises, start, plan.sizes[1 : len(scales) + 1], plan.factor, quantise)
