"""SinGAN's training, of K pictures at once, scale by scale from the coarsest (Shaham et al. 2019, sections 2.2, 2.3).

Each scale is a program of its own for `models.training.train`, which holds the only loop. An epoch there is a chunk of
iterations here, one `lax.scan` on the device, so that checkpoints, progress and resume fall between chunks; its rows
only say how many. Everything a scale is given (the pictures, the frozen scales below it) travels in its state. A run
that was killed goes through all scales again: those that are done give their end from their checkpoint without
computing.

The authors take three steps of the generator on one fake picture, which newer PyTorch refuses, since the weights have
changed after the first. Here each step makes its fake anew from the same noise.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array, lax

from models.singan.losses import critic_loss, gradient_penalty, reconstruction_loss
from models.singan.model import (
    Pyramids,
    Scale,
    climb,
    critic_of,
    draw_noise,
    generator_of,
    over_pictures,
    reconstruction,
)
from models.singan.networks import Critic, Generator, pad, width_at
from models.singan.pyramid import Size, plan_scales, real_pyramid
from models.singan.recipe import Recipe
from models.training import History, Plan, Program, Scalars, State, Watcher, descend, train

Preview = Callable[[Pyramids, History], dict[str, Path]]
Optimiser = optax.GradientTransformation


def teach_critic(
    recipe: Recipe, optimiser: Optimiser, state: State, before: Array, noise: Array, share: Array
) -> tuple[State, Scalars]:
    """One step of one picture's critic, on a fake made of `before` (1, h, w, 3) and `noise` (1, h + 10, w + 10, 3)."""
    generator = generator_of(state["generator"], state["stats"])
    fake = generator(state["amp"] * noise + pad(before), before, True)
    real = state["real"][None]

    def loss(params: Any) -> tuple[Array, Scalars]:
        scores_of = lambda pictures: critic_of(params, state["critic_stats"])(pictures, True)  # noqa: E731
        scores = scores_of(jnp.concatenate([real, fake]))
        penalty = recipe.penalty * gradient_penalty(scores_of, real, fake, share)
        figures = {"real": jnp.mean(scores[0]), "fake": jnp.mean(scores[1]), "penalty": penalty}
        return critic_loss(scores[:1], scores[1:]) + penalty, figures

    grads, figures = jax.grad(loss, has_aux=True)(state["critic"])
    return _moved(optimiser, state, "critic", grads) | {"stats": _stats(generator)}, figures


def teach_generator(
    recipe: Recipe, optimiser: Optimiser, state: State, before: Array, noise: Array
) -> tuple[State, Scalars]:
    """One step of the generator of one picture, on that fake and on coming back to the picture from z*."""
    real, known = state["real"][None], state["before"][None]
    befores = jnp.concatenate([before, known])
    noisy = state["amp"] * jnp.concatenate([noise, state["noise"][None]]) + pad(befores)

    def loss(params: Any) -> tuple[Array, tuple[Scalars, Any]]:
        generator = generator_of(params, state["stats"])
        made = generator(noisy, befores, True)
        score = jnp.mean(critic_of(state["critic"], state["critic_stats"])(made[:1], True))
        back = reconstruction_loss(made[1:], real)
        return recipe.reconstruction * back - score, ({"reconstruction": back}, _stats(generator))

    grads, (figures, stats) = jax.grad(loss, has_aux=True)(state["generator"])
    return _moved(optimiser, state, "generator", grads) | {"stats": stats}, figures


def _moved(optimiser: Optimiser, state: State, network: str, grads: Any) -> State:
    weights, memory = descend(optimiser, grads, state["memory"][network], state[network])
    return state | {network: weights, "memory": state["memory"] | {network: memory}}


def _stats(generator: Generator) -> Any:
    return nnx.to_pure_dict(nnx.state(generator, nnx.BatchStat))


def adam(recipe: Recipe, steps: int) -> Optimiser:
    """Adam for a network that takes `steps` of each iteration."""
    drop = {round(recipe.iterations * recipe.decay_at) * steps: 0.1}
    return optax.adam(optax.piecewise_constant_schedule(recipe.learning_rate, drop), b1=0.5, b2=0.999)


def iteration(
    recipe: Recipe, scale: int, sizes: tuple[Size, ...], factor: float
) -> Callable[[State, Array], tuple[State, Scalars]]:
    """One iteration of one picture at `scale`: (state, key) -> (state, figures). `sizes` are those of scales to it."""
    teachers = adam(recipe, recipe.critic_steps), adam(recipe, recipe.generator_steps)

    def draw_before(below: list[Scale], key: Array) -> Array:
        """A random picture of the scales below, as this one takes it."""
        keys = jax.random.split(key, scale + 1)
        noises = [draw_noise(keys[n], 1, sizes[n], n, recipe.border) for n in range(scale)]
        return climb(below, noises, jnp.zeros((1, *sizes[0], 3)), sizes[1:], factor, recipe.quantise)

    def iterate(state: State, key: Array) -> tuple[State, Scalars]:
        keys = jax.random.split(key, 3)
        noise = draw_noise(keys[0], 1, sizes[-1], scale, recipe.border)
        if recipe.redraw and scale == 0:
            state = state | {"noise": draw_noise(keys[1], 1, sizes[0], 0, recipe.border)[0]}

        def criticise(carry: tuple[State, Array], key: Array) -> tuple[tuple[State, Array], Scalars]:
            draws = jax.random.split(key)
            before = draw_before(carry[0]["below"], draws[0])
            state, figures = teach_critic(recipe, teachers[0], carry[0], before, noise, jax.random.uniform(draws[1]))
            return (state, before), figures

        def generate(state: State, _: None) -> tuple[State, Scalars]:
            return teach_generator(recipe, teachers[1], state, before, noise)

        start = (state, jnp.zeros((1, *sizes[-1], 3)))
        (state, before), critic = lax.scan(criticise, start, jax.random.split(keys[2], recipe.critic_steps))
        state, generator = lax.scan(generate, state, None, length=recipe.generator_steps)
        return state, {name: jnp.mean(values) for name, values in (critic | generator).items()}

    return jax.jit(iterate)  # so that the loop, which asks for the shapes of a step first, traces it once


def program(recipe: Recipe, pyramids: Pyramids, preview: Preview, networks: State | None = None) -> Program:
    """The scale that comes after those `pyramids` has, as a share of `models.training.train`.

    `networks` are the last scale's `generator`, `stats`, `critic` and `critic_stats`, where this one goes on from them.
    """
    plan, scale, count = pyramids.plan, len(pyramids.scales), pyramids.pictures
    iterate = iteration(recipe, scale, plan.sizes[: scale + 1], plan.factor)

    @jax.jit
    def given(scales: tuple[Scale, ...], real: Array) -> State:
        """What the scale starts from: the picture that the scales below make of z*, and how much of it is wrong."""
        if scale == 0:
            return {"before": jnp.zeros_like(real), "amp": jnp.ones(count)}
        rebuild = lambda scales: reconstruction(scales, plan, recipe.quantise)[0]  # noqa: E731
        before = over_pictures(rebuild)(scales)
        return {"before": before, "amp": recipe.noise * jnp.sqrt(jnp.mean((real - before) ** 2, axis=(1, 2, 3)))}

    @jax.jit
    def fresh(keys: Array) -> State:
        def one(key: Array) -> State:
            width, rngs = width_at(scale, recipe.width, recipe.width_max), nnx.Rngs(key)
            made = [nnx.state(kind(width, rngs=rngs), nnx.Param, nnx.BatchStat) for kind in (Generator, Critic)]
            (generator, stats), (critic, critic_stats) = [map(nnx.to_pure_dict, states) for states in made]
            return {"generator": generator, "stats": stats, "critic": critic, "critic_stats": critic_stats}

        return jax.vmap(one)(keys)

    def init(key: Array) -> State:
        keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(count))
        state = fresh(keys) if networks is None else jax.tree.map(jnp.copy, networks)
        draw = lambda key: draw_noise(key, 1, plan.sizes[0], 0, recipe.border)[0]  # noqa: E731
        noise = jax.vmap(draw)(keys) if scale == 0 else pad(jnp.zeros_like(pyramids.reals[scale]))
        real, below = pyramids.reals[scale], jax.tree.map(jnp.copy, list(pyramids.scales))
        memory = {name: jax.vmap(adam(recipe, 1).init)(state[name]) for name in ("generator", "critic")}
        state |= given(pyramids.scales, real) | {"real": jnp.copy(real), "noise": noise}
        return state | {"memory": memory, "below": below}

    def step(state: State, batch: dict[str, Array], key: Array) -> tuple[State, Scalars]:
        keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(count))
        iterations = len(batch["iteration"])
        chunk = lambda state, key: lax.scan(iterate, state, jax.random.split(key, iterations))  # noqa: E731
        state, figures = over_pictures(chunk)(state, keys)
        return state, {name: jnp.mean(values) for name, values in figures.items()}

    return Program(
        init,
        step,
        lambda state: {name: state[name] for name in ("noise", "amp", "stats")} | {"params": state["generator"]},
        lambda weights: {},
        lambda weights, history: preview(_grown(pyramids, weights), history),
    )


def _grown(pyramids: Pyramids, scale: Scale) -> Pyramids:
    return replace(pyramids, scales=(*pyramids.scales, scale))


def fit(
    recipe: Recipe, pictures: np.ndarray, *, seed: int, checkpoints: Path, watch: Watcher, preview: Preview
) -> tuple[Pyramids, list[History]]:
    """Pyramids of K pictures (K, H, W, 3) uint8, and the history of each scale; its checkpoints lie in its own folder.

    The first picture's pyramid is the same whether others are trained beside it or not, up to rounding.

    Raises ValueError for pictures of another kind or too small, and what `models.training.train` raises.
    """
    if pictures.ndim != 4 or pictures.shape[-1] != 3 or pictures.dtype != np.uint8 or not len(pictures):
        raise ValueError(f"pictures are {pictures.dtype} {pictures.shape}, expected uint8 (K, H, W, 3), K at least 1")
    plan = plan_scales(pictures.shape[1:3], recipe.min_size, recipe.max_size, recipe.factor)
    levels = (pictures / 255).astype(np.float32)
    reals = real_pyramid((jnp.asarray(levels) - 0.5) * 2, plan, recipe.quantise)
    pyramids = Pyramids(plan, (), tuple(reals), recipe.border, recipe.quantise)
    rows, histories, networks = {"iteration": np.arange(recipe.chunk)}, [], None
    for scale, (h, w) in enumerate(plan.sizes):
        watch.log(f"scale {scale} of 0 to {plan.finest}: {h}×{w}")
        if scale and len({width_at(n, recipe.width, recipe.width_max) for n in (scale - 1, scale)}) > 1:
            networks = None  # of another width: these start afresh
        schedule = Plan(recipe.iterations // recipe.chunk, recipe.chunk, seed + scale)
        outcome = train(program(recipe, pyramids, preview, networks), rows, schedule, checkpoints / str(scale), watch)
        networks = {name: outcome.state[name] for name in ("generator", "stats", "critic", "critic_stats")}
        pyramids = _grown(pyramids, outcome.weights)
        histories.append(outcome.history)
    return pyramids, histories
