"""How a GANimation is trained (Pumarola et al. 2018, sections 4.2 and 5): the critic at every step, the generator at
every few; wanted expressions are those of other pictures of the batch.

The gradient penalty is part of the critic's one objective, as in the paper; the authors' program gives it a step of Adam
of its own.
"""

from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import Array

from models.action_units.units import checked
from models.ganimation.critic import Critic
from models.ganimation.generator import Architecture, Generator
from models.ganimation.losses import Terms, critic_terms, generator_terms
from models.ganimation.recipe import Recipe
from models.training import History, Outcome, Plan, Program, State, Watcher, Weights, descend, steps_in_epoch, train

Examine = Callable[[Generator], dict[str, float]]
Preview = Callable[[Generator, History], dict[str, Path]]


def builder(network: type[Generator] | type[Critic], arch: Architecture) -> Callable[[Weights], Any]:
    """What makes a generator or critic of plain weights, without drawing any."""
    graph = nnx.graphdef(nnx.eval_shape(lambda: network(arch, rngs=nnx.Rngs(0))))
    return lambda weights: nnx.merge(graph, weights, copy=True)


def plain(network: nnx.Module) -> Weights:
    """The network's weights as nested dictionaries."""
    return nnx.to_pure_dict(nnx.state(network, nnx.Param))


def adam(recipe: Recipe, steps: int) -> optax.GradientTransformation:
    """The recipe's optimiser of a network that takes `steps` steps."""
    constant = round(recipe.constant * steps)
    rate = optax.linear_schedule(recipe.learning_rate, 0.0, max(steps - constant, 1), constant)
    return optax.adam(rate, b1=0.5, b2=0.999)


def program(recipe: Recipe, arch: Architecture, count: int, examine: Examine, preview: Preview) -> Program:
    """GANimation's share of `models.training.train`; the rows are `count` of `images` and of `units`."""
    to_generator, to_critic = builder(Generator, arch), builder(Critic, arch)
    steps = steps_in_epoch(count, recipe.batch_size) * recipe.epochs
    updates = {"critic": adam(recipe, steps), "generator": adam(recipe, ceil(steps / recipe.critic_steps))}

    @jax.jit
    def init(key: Array) -> State:
        rngs = nnx.Rngs(key)
        drawn = {"generator": plain(Generator(arch, rngs=rngs)), "critic": plain(Critic(arch, rngs=rngs))}
        return drawn | {"memory": {name: updates[name].init(weights) for name, weights in drawn.items()}}

    def example(batch: dict[str, Array], key: Array) -> tuple[Array, Array, Array]:
        """The batch's pictures in [-1, 1], some of them mirrored, their units, and the units wanted of each."""
        keys = jax.random.split(key, 3)
        pictures, units = batch["images"].astype(jnp.float32) / 127.5 - 1.0, batch["units"]
        if recipe.mirror:
            turn = jax.random.bernoulli(keys[0], shape=(len(pictures), 1, 1, 1))
            pictures = jnp.where(turn, pictures[:, :, ::-1], pictures)
        noise = jax.random.uniform(keys[1], units.shape, minval=-recipe.noise, maxval=recipe.noise)
        return pictures, units, jax.random.permutation(keys[2], units) + noise

    def learn(state: State, network: str, terms_of: Callable[[Weights], Terms]) -> tuple[State, Terms]:
        """One step of Adam for one of the networks, and the terms of its loss without their weights."""

        def loss(weights: Weights) -> tuple[Array, Terms]:
            terms = terms_of(weights)
            return sum(recipe.weight(network, name) * value for name, value in terms.items()), terms

        grads, terms = jax.grad(loss, has_aux=True)(state[network])
        weights, memory = descend(updates[network], grads, state["memory"][network], state[network])
        fresh = {network: weights, "memory": state["memory"] | {network: memory}}
        return state | fresh, {f"{network}_{name}": value for name, value in terms.items()}

    def blurred(critic: Critic, key: Array) -> Callable[[Array], tuple[Array, Array]]:
        """The critic, to which noise is shown over all pictures."""
        return lambda pictures: critic(pictures + recipe.blur * jax.random.normal(key, pictures.shape))

    def step(state: State, batch: dict[str, Array], key: Array) -> tuple[State, Terms]:
        keys = jax.random.split(key, 3)
        pictures, units, wanted = example(batch, keys[0])
        fake = to_generator(state["generator"])(pictures, wanted).pictures
        share = jax.random.uniform(keys[1], (len(pictures),))
        return learn(
            state,
            "critic",
            lambda weights: critic_terms(blurred(to_critic(weights), keys[2]), pictures, units, fake, share),
        )

    def generate(state: State, batch: dict[str, Array], key: Array) -> tuple[State, Terms]:
        keys = jax.random.split(key)
        example_of, critic = example(batch, keys[0]), blurred(to_critic(state["critic"]), keys[1])
        return learn(
            state,
            "generator",
            lambda weights: generator_terms(to_generator(weights), critic, *example_of, recipe.form),
        )

    return Program(
        init,
        step,
        lambda state: state["generator"],
        lambda kept: examine(to_generator(jax.device_get(kept))),
        lambda kept, history: preview(to_generator(jax.device_get(kept)), history),
        lazy=((recipe.critic_steps, generate),),
    )


def fit(
    recipe: Recipe,
    arch: Architecture,
    images: Any,
    action_units: Any,
    *,
    seed: int,
    checkpoints: Path,
    watch: Watcher,
    examine: Examine,
    preview: Preview,
) -> tuple[Generator, Critic, Outcome]:
    """Train on pictures (N, S, S, 3) uint8 (any array-like that takes index arrays) with their units (N, 17) in [0, 1];
    returns the averaged generator, the last critic, and the history.

    Raises ValueError where pictures do not suit the architecture or units are none, and what `models.training.train`
    raises.
    """
    if (shape := tuple(images.shape[1:])) != (arch.size, arch.size, 3):
        raise ValueError(f"pictures are {shape}, the architecture is for {(arch.size, arch.size, 3)}")
    if images.dtype != "uint8":
        raise ValueError(f"pictures are {images.dtype}, expected uint8")
    rows = {"images": images, "units": checked(action_units, len(images))}
    plan = Plan(recipe.epochs, recipe.batch_size, seed, recipe.ema)
    outcome = train(program(recipe, arch, len(images), examine, preview), rows, plan, checkpoints, watch)
    return builder(Generator, arch)(outcome.weights), builder(Critic, arch)(outcome.state["critic"]), outcome
