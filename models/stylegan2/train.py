"""How a StyleGAN2 is trained (Karras et al. 2019, "Analyzing and Improving the Image Quality of StyleGAN", sections 3 and
appendix B): non-saturating loss, R1 and path length every few steps, Adam corrected for that laziness, style mixing,
and for small sets adaptive augmentation (Karras et al. 2020) and transfer from another pair of networks. Where there are
labels, real pictures beside another's may count as false (Reed et al. 2016, "Generative Adversarial Text to Image
Synthesis", algorithm 1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

from models.stylegan2.augment import EVERY, adapted, augment
from models.stylegan2.discriminator import Discriminator
from models.stylegan2.generator import Architecture, Generator, mix
from models.stylegan2.layers import Buffer
from models.stylegan2.losses import discriminator_loss, generator_loss, path_lengths, path_penalty, r1_penalty
from models.stylegan2.recipe import Recipe
from models.training import History, Outcome, Plan, Program, State, Watcher, Weights, descend, steps_in_epoch, train

R1_EVERY, PATH_EVERY = 16, 4  # steps between two regularisations
AVERAGE_DECAY = 0.995  # of the average w

Examine = Callable[[Generator], dict[str, float]]
Preview = Callable[[Generator, History], dict[str, Path]]


@dataclass(frozen=True)
class Pair:
    """A generator and the discriminator that taught it."""

    generator: Generator
    discriminator: Discriminator


def generator_of(arch: Architecture) -> Callable[[Weights], Generator]:
    """What makes a generator of plain weights {"params", "buffers"}, without drawing any."""
    graph = nnx.graphdef(nnx.eval_shape(lambda: Generator(arch, rngs=nnx.Rngs(0))))
    return lambda weights: nnx.merge(graph, weights["params"], weights["buffers"], copy=True)


def discriminator_of(arch: Architecture, group: int) -> Callable[[Weights], Discriminator]:
    """What makes a discriminator of plain weights, without drawing any."""
    graph = nnx.graphdef(nnx.eval_shape(lambda: Discriminator(arch, group, rngs=nnx.Rngs(0))))
    return lambda weights: nnx.merge(graph, weights, copy=True)


def lazy_adam(recipe: Recipe, steps: int, every: int) -> optax.GradientTransformation:
    """Adam for steps of which one in `every` is followed by a regularisation (appendix B: c = k / (k + 1))."""
    share = every / (every + 1)
    falling = max(1, round(recipe.falling * steps / share))
    rate = optax.linear_schedule(recipe.learning_rate * share, 0.0, falling, round(steps / share) - falling)
    return optax.adam(rate if recipe.falling else recipe.learning_rate * share, b1=0.0, b2=0.99**share, eps=1e-8)


def trained_layers(discriminator: Weights, freeze: int) -> Weights:
    """1 for each weight that is trained, 0 for those of the first `freeze` layers: of a block from_rgb, conv, down, skip."""
    layers = [
        (number, layer)
        for number in sorted(discriminator["blocks"])
        for layer in ("from_rgb", "conv", "down", "skip")
        if layer in discriminator["blocks"][number]
    ]
    if freeze > len(layers):
        raise ValueError(f"freeze is {freeze}, but the discriminator has {len(layers)} layers before its last block")
    frozen = set(layers[:freeze])

    def trained(path: tuple[Any, ...], _: Array) -> float:
        keys = [key.key for key in path]
        return 0.0 if keys[0] == "blocks" and (keys[1], keys[2]) in frozen else 1.0

    return jax.tree_util.tree_map_with_path(trained, discriminator)


def program(
    recipe: Recipe, arch: Architecture, steps: int, examine: Examine, preview: Preview, start: Pair | None = None
) -> Program:
    """The generator's share of `models.training.train`; rows are `images` and, for networks with labels, `labels`."""
    to_generator, to_discriminator = generator_of(arch), discriminator_of(arch, recipe.group)
    every = {"generator": PATH_EVERY, "discriminator": R1_EVERY}
    updates = {network: lazy_adam(recipe, steps, number) for network, number in every.items()}

    @jax.jit
    def fresh(key: Array) -> tuple[Weights, Weights, Weights]:
        rngs = nnx.Rngs(key)
        params, buffers = nnx.state(Generator(arch, rngs=rngs), nnx.Param, Buffer)
        critic = nnx.state(Discriminator(arch, recipe.group, rngs=rngs), nnx.Param)
        return nnx.to_pure_dict(params), nnx.to_pure_dict(buffers), nnx.to_pure_dict(critic)

    def init(key: Array) -> State:
        params, buffers, critic = fresh(key) if start is None else plain(start)
        return {
            "generator": params, "buffers": buffers, "discriminator": critic, "step": jnp.int32(0),
            "memory": {"generator": updates["generator"].init(params), "discriminator": updates["discriminator"].init(critic)},
        } | {name: jnp.zeros(()) for name in ("path", "p", "signs")}  # fmt: skip

    def real_of(batch: dict[str, Array], key: Array) -> tuple[Array, Array | None]:
        """The batch's pictures in [-1, 1], some of them mirrored, and their one-hot labels."""
        real = batch["images"].astype(jnp.float32) / 127.5 - 1.0
        if recipe.mirror:
            turn = jax.random.bernoulli(key, shape=(real.shape[0], 1, 1, 1))
            real = jnp.where(turn, real[:, :, ::-1], real)
        return real, jax.nn.one_hot(batch["labels"], arch.labels) if arch.labels else None

    def styles(generator: Generator, labels: Array | None, key: Array, count: int) -> tuple[Array, Array]:
        """Mixed ws (count, layers, latent), and the mean w."""
        draws = jax.random.split(key, 4)
        some = None if labels is None else labels[:count]
        first, second = (generator.mapping(jax.random.normal(draw, (count, arch.latent)), some) for draw in draws[:2])
        layer = jax.random.randint(draws[2], (), 1, arch.layers)
        crossover = jnp.where(jax.random.bernoulli(draws[3], recipe.mixing), layer, arch.layers)
        return mix(generator.spread(first), generator.spread(second), crossover), jnp.mean(first, axis=0)

    def generate(generator: Generator, labels: Array | None, key: Array, count: int) -> tuple[Array, Array]:
        """Pictures of random styles with random noise, and the mean w."""
        draws = jax.random.split(key)
        ws, mean = styles(generator, labels, draws[0], count)
        return generator.synthesis(ws, "random", nnx.Rngs(noise=draws[1])), mean

    def judge(params: Weights, pictures: Array, labels: Array | None, key: Array, p: Array) -> Array:
        """Logits of pictures, which are augmented first."""
        return to_discriminator(params)(augment(key, pictures, p) if recipe.ada_kimg else pictures, labels)

    def judge_twice(params: Weights, real: Array, labels: Array | None, key: Array, p: Array) -> tuple[Array, Array]:
        """Logits of real pictures with their labels, and the loss of showing them with those of others."""
        critic = to_discriminator(params)
        seen = critic.look(augment(key, real, p) if recipe.ada_kimg else real)
        if not (arch.labels and recipe.mismatch):
            return critic.judge(seen, labels), jnp.zeros(())
        turn = jax.random.randint(jax.random.fold_in(key, 1), (real.shape[0],), 1, arch.labels)
        other = jax.nn.one_hot((jnp.argmax(labels, axis=-1) + turn) % arch.labels, arch.labels)
        return critic.judge(seen, labels), recipe.mismatch * jnp.mean(jax.nn.softplus(critic.judge(seen, other)))

    def moved(state: State, network: str, grads: Weights) -> State:
        """The state after a step of Adam for one of the networks."""
        if network == "discriminator" and recipe.freeze:
            grads = jax.tree.map(jnp.multiply, grads, trained_layers(grads, recipe.freeze))
        weights, memory = descend(updates[network], grads, state["memory"][network], state[network])
        return state | {network: weights, "memory": state["memory"] | {network: memory}}

    def step(state: State, batch: dict[str, Array], key: Array) -> tuple[State, dict[str, Array]]:
        keys = jax.random.split(key, 5)
        real, labels = real_of(batch, keys[0])
        count, p = real.shape[0], state["p"]

        def loss_g(params: Weights) -> tuple[Array, Array]:
            draws = jax.random.split(keys[1])
            generator = to_generator({"params": params, "buffers": state["buffers"]})
            pictures, mean = generate(generator, labels, draws[0], count)
            return generator_loss(judge(state["discriminator"], pictures, labels, draws[1], p)), mean

        (value_g, mean), grads = jax.value_and_grad(loss_g, has_aux=True)(state["generator"])
        state = moved(state, "generator", grads)
        generator = to_generator({"params": state["generator"], "buffers": state["buffers"]})
        fake, _ = generate(generator, labels, keys[2], count)

        def loss_d(params: Weights) -> tuple[Array, Array]:
            on_real, mismatched = judge_twice(params, real, labels, keys[3], p)
            on_fake = judge(params, fake, labels, keys[4], p)
            return discriminator_loss(on_real, on_fake) + mismatched, jnp.mean(jnp.sign(on_real))

        (value_d, signs), grads = jax.value_and_grad(loss_d, has_aux=True)(state["discriminator"])
        state = moved(state, "discriminator", grads)

        signs, now = state["signs"] + signs / EVERY, state["step"] + 1
        due = now % EVERY == 0
        if recipe.ada_kimg:
            p = jnp.where(due, adapted(p, signs, count, recipe.ada_kimg), p)
        average = state["buffers"]["mapping"]["average"]
        average = AVERAGE_DECAY * average + (1 - AVERAGE_DECAY) * mean
        buffers = state["buffers"] | {"mapping": {"average": average}}
        state = state | {"step": now, "p": p, "signs": jnp.where(due, 0.0, signs), "buffers": buffers}
        return state, {"loss_g": value_g, "loss_d": value_d, "ada_p": p}

    def lengthen(state: State, batch: dict[str, Array], key: Array) -> tuple[State, dict[str, Array]]:
        """Path length regularisation, on half a batch."""
        keys = jax.random.split(key, 4)
        _, labels = real_of(batch, keys[0])
        count = batch["images"].shape[0] // 2

        def loss(params: Weights) -> tuple[Array, Array]:
            generator = to_generator({"params": params, "buffers": state["buffers"]})
            ws, _ = styles(generator, labels, keys[1], count)
            noise = jax.random.normal(keys[2], (count, arch.resolution, arch.resolution, arch.channels))
            lengths = path_lengths(lambda ws: generator.synthesis(ws, "random", nnx.Rngs(noise=keys[3])), ws, noise)
            penalty, mean = path_penalty(lengths, state["path"])
            return PATH_EVERY * jnp.mean(penalty), mean

        grads, mean = jax.grad(loss, has_aux=True)(state["generator"])
        return moved(state, "generator", grads) | {"path": mean}, {"path_length": mean}

    def flatten(state: State, batch: dict[str, Array], key: Array) -> tuple[State, dict[str, Array]]:
        """R1: the discriminator's slope at real pictures."""
        keys = jax.random.split(key)
        real, labels = real_of(batch, keys[0])

        def loss(params: Weights) -> tuple[Array, Array]:
            lengths = r1_penalty(lambda pictures: judge(params, pictures, labels, keys[1], state["p"]), real)
            return R1_EVERY * recipe.gamma / 2 * jnp.mean(lengths), jnp.mean(lengths)

        grads, length = jax.grad(loss, has_aux=True)(state["discriminator"])
        return moved(state, "discriminator", grads), {"r1": length}

    def weights(state: State) -> Weights:
        return {"params": state["generator"], "buffers": state["buffers"]}

    return Program(
        init,
        step,
        weights,
        lambda kept: examine(to_generator(jax.device_get(kept))),
        lambda kept, history: preview(to_generator(jax.device_get(kept)), history),
        lazy=((PATH_EVERY, lengthen), (R1_EVERY, flatten)),
    )


def plain(pair: Pair) -> tuple[Weights, Weights, Weights]:
    """Weights and buffers of a generator, and weights of its discriminator, as copies."""
    params, buffers = nnx.state(pair.generator, nnx.Param, Buffer)
    states = (params, buffers, nnx.state(pair.discriminator, nnx.Param))
    return tuple(jax.tree.map(jnp.copy, nnx.to_pure_dict(state)) for state in states)


def fit(
    recipe: Recipe,
    arch: Architecture,
    images: Any,
    labels: np.ndarray | None,
    *,
    seed: int,
    checkpoints: Path,
    watch: Watcher,
    examine: Examine,
    preview: Preview,
    start: Pair | None = None,
) -> tuple[Pair, Outcome]:
    """Train on pictures (N, R, R, C) uint8 (any array-like that takes index arrays), with `labels` (N,) where the
    architecture has some; returns the averaged generator, the last discriminator, and the history.

    An epoch is one pass over the pictures: repeat a small set's rows to be told of its progress less often. `start` is
    trained further. Raises ValueError where pictures or `start` do not suit the architecture, and what
    `models.training.train` raises.
    """
    if (shape := tuple(images.shape[1:])) != (arch.resolution, arch.resolution, arch.channels):
        raise ValueError(f"pictures are {shape}, the generator makes {(arch.resolution,) * 2 + (arch.channels,)}")
    if start is not None and start.generator.arch != arch:
        raise ValueError(f"the networks to start from are {start.generator.arch}, asked for is {arch}")
    rows = {"images": images} | ({"labels": np.asarray(labels, np.int32)} if arch.labels else {})
    per_epoch = steps_in_epoch(len(images), recipe.batch_size)
    epochs = max(1, round(recipe.kimg * 1000 / (per_epoch * recipe.batch_size)))
    plan = Plan(epochs, recipe.batch_size, seed, recipe.ema)
    outcome = train(program(recipe, arch, epochs * per_epoch, examine, preview, start), rows, plan, checkpoints, watch)
    discriminator = discriminator_of(arch, recipe.group)(outcome.state["discriminator"])
    return Pair(generator_of(arch)(outcome.weights), discriminator), outcome
