"""Projection: the w and the noise with which a generator comes nearest to a picture (Karras et al. 2019, "Analyzing and
Improving the Image Quality of StyleGAN", appendix D; one w a layer, W+, from Abdal et al. 2019, "Image2StyleGAN").

All pictures are sought side by side in one program; nothing of one touches another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array, lax

from models.stylegan2.generator import Generator
from models.stylegan2.resample import downsample
from models.training import Watcher

Features = Callable[[Array], Sequence[Array]]  # pictures (N, H, W, C) in [-1, 1] -> maps (N, h, w, c)
SAMPLES = 10_000  # of z, for the average w and how far they spread
SAMPLES_AT_ONCE = 1000
SMALLEST_NOISE = 8  # side of the smallest map whose neighbours are held apart
EPSILON = 1e-8
PYRAMID = 4  # sizes of `pixel_pyramid`


@dataclass(frozen=True)
class Search:
    """How a w is sought; the figures are the paper's.

    Raises ValueError, naming the field, for a value outside its range.
    """

    steps: int = 1000
    frames: int = 25  # of the way that are kept; a divisor of `steps`
    space: Literal["w", "w+"] = "w"  # one w, or one a layer
    learning_rate: float = 0.1
    ramp_up: float = 0.05  # share of the steps in which the learning rate rises
    ramp_down: float = 0.25  # … and falls again, as a cosine
    jitter: float = 0.05  # noise on w, in units of the spread of all w
    jitter_until: float = 0.75  # share of the steps after which there is none
    noise_weight: float = 1e5  # of the penalty on noise maps that picture something

    def __post_init__(self) -> None:
        if self.steps < 1 or self.frames < 1 or self.steps % self.frames:
            raise ValueError(f"frames is {self.frames}, expected a divisor of the {self.steps} steps (at least 1)")
        if self.space not in ("w", "w+"):
            raise ValueError(f"space is {self.space!r}, expected 'w' or 'w+'")
        for name in ("learning_rate", "ramp_up", "ramp_down"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected more than 0 and at most 1")
        for name in ("jitter", "jitter_until", "noise_weight"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")

    def rate(self, t: Array) -> Array:
        """The learning rate at `t`, the share of the steps that is done."""
        ramp = jnp.minimum(1.0, (1 - t) / self.ramp_down)
        ramp = 0.5 - 0.5 * jnp.cos(ramp * jnp.pi)
        return self.learning_rate * ramp * jnp.minimum(1.0, t / self.ramp_up)

    def jitter_at(self, t: Array) -> Array:
        """How much noise w gets at `t`, in units of the spread."""
        left = jnp.maximum(0.0, 1 - t / self.jitter_until) if self.jitter_until else jnp.zeros_like(t)
        return self.jitter * left**2


@dataclass(frozen=True)
class Projection:
    """What was found for N pictures."""

    ws: np.ndarray  # (N, layers, latent): the same in every layer if sought in W
    noise: list[np.ndarray]  # a map (N, H, W) a layer, as the generator takes them
    pictures: np.ndarray  # (N, R, R, C) float32: what the generator makes of both
    distances: np.ndarray  # (steps, N) perceptual distance before each step
    way: np.ndarray  # (frames, N, R, R, C) float32: the pictures on the way


def project(
    generator: Generator, pictures: np.ndarray, features: Features, search: Search, seed: int, watch: Watcher
) -> Projection:
    """Seeks each of the pictures (N, R, R, C) float32 in [-1, 1], already aligned as those the generator learnt from.

    `features` is what distances are measured by: `perceptual` of a network's maps, or `pixel_pyramid`.
    Raises ValueError for pictures of another shape than the generator's.
    """
    arch = generator.arch
    if pictures.ndim != 4 or pictures.shape[1:] != (arch.resolution, arch.resolution, arch.channels):
        raise ValueError(
            f"this generator makes pictures (N, {arch.resolution}, {arch.resolution}, {arch.channels}), "
            f"got {tuple(pictures.shape)} to seek: cut and align them first"
        )
    graph, weights = nnx.split(generator)
    average, spread = average_and_spread(generator, seed)
    wanted = jax.tree.map(jnp.asarray, list(features(jnp.asarray(pictures, jnp.float32))))
    layers = arch.layers if search.space == "w+" else 1
    count, root = len(pictures), jax.random.key(seed)
    optimiser = optax.scale_by_adam(b1=0.9, b2=0.999)

    def loss(sought: dict[str, Any], weights: Any, shake: Array) -> tuple[Array, tuple[Array, Array]]:
        made = _make(nnx.merge(graph, weights), sought["w"] + shake, sought["noise"])
        apart = distance(features(made), wanted)
        return jnp.sum(apart) + search.noise_weight * sum(map(structure, sought["noise"])), (apart, made)

    def step(run: tuple[Any, Any], number: Array, weights: Any) -> tuple[tuple[Any, Any], Array]:
        sought, memory = run
        t = number.astype(jnp.float32) / search.steps
        shake = jax.random.normal(jax.random.fold_in(root, number), sought["w"].shape) * spread * search.jitter_at(t)
        (_, (apart, _)), slope = jax.value_and_grad(loss, has_aux=True)(sought, weights, shake)
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam raises a float to its integer step count
            change, memory = optimiser.update(slope, memory)
        rate = search.rate(t)
        sought = jax.tree.map(lambda value, move: value - rate * move, sought, change)
        return (sought | {"noise": [renormalise(noise) for noise in sought["noise"]]}, memory), apart

    @jax.jit
    def advance(run: tuple[Any, Any], numbers: Array, weights: Any) -> tuple[tuple[Any, Any], Array, Array]:
        run, apart = lax.scan(lambda run, number: step(run, number, weights), run, numbers)
        return run, apart, _make(nnx.merge(graph, weights), run[0]["w"], run[0]["noise"])

    sides = [layer.noise[...].shape for block in generator.synthesis.blocks for layer in block.layers()]
    keys = jax.random.split(jax.random.fold_in(root, 2**31 - 1), len(sides))
    sought = {
        "w": jnp.broadcast_to(average.reshape(1, 1, -1), (count, layers, arch.latent)),
        "noise": [jax.random.normal(key, (count, *side)) for key, side in zip(keys, sides)],
    }
    run, distances, way = (sought, optimiser.init(sought)), [], []
    each = search.steps // search.frames
    for start in range(0, search.steps, each):
        run, apart, made = advance(run, jnp.arange(start, start + each), weights)
        distances.append(np.asarray(apart))
        way.append(np.asarray(made))
        watch.progress(start + each, search.steps, f"projection, distance {distances[-1][-1].mean():.4f}")
    sought = jax.device_get(run[0])
    ws = np.array(np.broadcast_to(sought["w"], (count, arch.layers, arch.latent)))
    return Projection(ws, sought["noise"], way[-1], np.concatenate(distances), np.stack(way))


def average_and_spread(generator: Generator, seed: int) -> tuple[Array, Array]:
    """The mean w (latent,) of 10,000 z, and the root of the mean squared distance from it, () over all components.

    A generator with labels gets them in turn.
    """
    graph, weights = nnx.split(generator.mapping)
    labels = generator.arch.labels

    @jax.jit
    def w_of(weights: Any, z: Array, label: Array | None) -> Array:
        return nnx.merge(graph, weights)(z, label)

    rng = np.random.default_rng(seed)
    found = []
    for _ in range(SAMPLES // SAMPLES_AT_ONCE):
        z = jnp.asarray(rng.standard_normal((SAMPLES_AT_ONCE, generator.arch.latent)), jnp.float32)
        label = jax.nn.one_hot(jnp.arange(SAMPLES_AT_ONCE) % labels, labels) if labels else None
        found.append(w_of(weights, z, label))
    ws = jnp.concatenate(found)
    average = ws.mean(axis=0)
    return average, jnp.sqrt(jnp.mean(jnp.sum((ws - average[None]) ** 2, axis=1)))


def distance(maps: Sequence[Array], others: Sequence[Array]) -> Array:
    """(N,): squared differences, summed over features, averaged over places, summed over the maps."""
    return sum(jnp.mean(jnp.sum((a - b) ** 2, axis=-1), axis=(1, 2)) for a, b in zip(maps, others, strict=True))


def perceptual(network: Features) -> Features:
    """A network's maps with features of length 1 at every place, as LPIPS compares them (Zhang et al. 2018, eq. 1)."""

    def features(pictures: Array) -> list[Array]:
        return [y * lax.rsqrt(jnp.sum(y**2, axis=-1, keepdims=True) + EPSILON) for y in network(pictures)]

    return features


def pixel_pyramid(pictures: Array) -> list[Array]:
    """The pixels themselves at up to four sizes, each half the last: what to compare by without any network."""
    sizes = [pictures]
    while len(sizes) < PYRAMID and sizes[-1].shape[1] >= 8:
        sizes.append(downsample(sizes[-1]))
    return sizes


def structure(noise: Array) -> Array:
    """(): how alike neighbours in noise maps (N, H, W) are, on the map and on its halves down to 8×8; 0 for pure noise.

    Held down, it keeps the picture from hiding in the noise.
    """
    total = jnp.zeros(())
    while True:
        for axis in (1, 2):
            total += jnp.sum(jnp.mean(noise * jnp.roll(noise, 1, axis), axis=(1, 2)) ** 2)
        n, height, width = noise.shape
        if height <= SMALLEST_NOISE:
            return total
        noise = noise.reshape(n, height // 2, 2, width // 2, 2).mean(axis=(2, 4))


def renormalise(noise: Array) -> Array:
    """Each map of (N, H, W) with mean 0 and mean square 1."""
    noise = noise - noise.mean(axis=(1, 2), keepdims=True)
    return noise * lax.rsqrt(jnp.mean(noise**2, axis=(1, 2), keepdims=True) + EPSILON)


def _make(generator: Generator, w: Array, noise: Sequence[Array]) -> Array:
    """Pictures of w (N, 1 or layers, latent) and noise maps."""
    ws = jnp.broadcast_to(w, (w.shape[0], generator.arch.layers, w.shape[2]))
    return generator.synthesis(ws, noise)
