"""Training a face matcher with an additive angular margin (Deng et al. 2019, "ArcFace", equation 3): every known person has a
direction, and a face must lie nearer to its own by an angle m than to any other.
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
from jax import Array, lax

from models.face_matcher.network import MATCHERS, Matcher, blank
from models.fer.augment import augment
from models.fer.networks import standardise
from models.training import History, Outcome, Plan, Program, State, Watcher, Weights, descend, steps_in_epoch, train

Examine = Callable[[Matcher], dict[str, float]]


@dataclass(frozen=True)
class Recipe:
    """How a matcher is trained. Raises ValueError, naming the field, for a number outside its range."""

    epochs: int
    batch_size: int  # the whole batch, over all devices
    learning_rate: float  # peak of Adam's cosine schedule
    margin: float  # m, radians; the authors' 0.5 is for millions of faces, fewer bear less
    scale: float  # s, by which cosines become logits
    ema: float  # decay of the averaged weights that are kept

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        for name in ("learning_rate", "scale"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number above 0")
        if not 0 <= self.margin < 1.5:
            raise ValueError(f"margin is {self.margin}, expected an angle from 0 to below 1.5")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema is {self.ema}, expected a share from 0 to below 1")


def arcface(cosines: Array, subjects: Array, margin: float, scale: float) -> Array:
    """Logits (N, K) of cosines (N, K) between faces and people, the own person's angle widened by `margin`.

    Where angle and margin together would pass π, the cosine is lowered by m·sin(m) instead, so that the loss keeps falling
    with the cosine.
    """
    own = jax.nn.one_hot(subjects, cosines.shape[1])
    sines = jnp.sqrt(jnp.clip(1 - cosines**2, 1e-6, 1))
    widened = cosines * jnp.cos(margin) - sines * jnp.sin(margin)
    widened = jnp.where(cosines > jnp.cos(jnp.pi - margin), widened, cosines - margin * jnp.sin(margin))
    return scale * (own * widened + (1 - own) * cosines)


def matcher_of(kind: str, channels: int, dimensions: int) -> Callable[[Weights], Matcher]:
    """What makes the matcher called `kind` of plain weights {"params", "stats"}, without drawing any."""
    graph = nnx.graphdef(blank(kind, channels, dimensions))
    return lambda weights: nnx.merge(graph, weights["params"], weights["stats"], copy=True)


def fit(
    recipe: Recipe,
    images: Any,
    subjects: np.ndarray,
    *,
    dimensions: int,
    seed: int,
    checkpoints: Path,
    watch: Watcher,
    examine: Examine,
    preview: Callable[[Matcher, History], dict[str, Path]],
    kind: str = "convolutions",
) -> tuple[Matcher, Outcome]:
    """Train on faces (N, H, W, C) uint8 and their `subjects` (N,), whole numbers from 0; returns matcher and history.

    `kind` is a name in `models.face_matcher.network.MATCHERS`.

    Raises ValueError for fewer than two people, and what `models.training.train` raises.
    """
    people, channels = int(subjects.max(initial=-1)) + 1, images.shape[3]
    if people < 2:
        raise ValueError(f"a matcher learns to tell people apart: at least 2 are needed, got {people}")
    build = matcher_of(kind, channels, dimensions)
    steps = steps_in_epoch(len(subjects), recipe.batch_size) * recipe.epochs
    update = optax.adam(optax.cosine_decay_schedule(recipe.learning_rate, steps))

    @jax.jit
    def init(key: Array) -> State:
        draws = jax.random.split(key)
        matcher = MATCHERS[kind](channels, dimensions, rngs=nnx.Rngs(draws[0]))
        params, stats = map(nnx.to_pure_dict, nnx.state(matcher, nnx.Param, nnx.BatchStat))
        centres = jax.random.normal(draws[1], (people, dimensions))
        trained = {"params": params, "centres": centres}
        return {"trained": trained, "stats": stats, "optimizer": update.init(trained)}

    def step(state: State, batch: dict[str, Array], key: Array) -> tuple[State, dict[str, Array]]:
        faces = augment(key, standardise(batch["images"]))

        def loss(trained: Weights) -> tuple[Array, tuple[Array, Weights]]:
            matcher = build({"params": trained["params"], "stats": state["stats"]})
            centres = trained["centres"]
            centres = centres * lax.rsqrt(jnp.sum(centres**2, axis=1, keepdims=True))
            cosines = matcher(faces, train=True) @ centres.T
            logits = arcface(cosines, batch["subjects"], recipe.margin, recipe.scale)
            value = jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, batch["subjects"]))
            return value, (cosines, nnx.to_pure_dict(nnx.state(matcher, nnx.BatchStat)))

        (value, (cosines, stats)), grads = jax.value_and_grad(loss, has_aux=True)(state["trained"])
        trained, memory = descend(update, grads, state["optimizer"], state["trained"])
        right = jnp.mean((jnp.argmax(cosines, axis=-1) == batch["subjects"]).astype(jnp.float32))
        return {"trained": trained, "stats": stats, "optimizer": memory}, {"train_loss": value, "train_accuracy": right}

    def weights(state: State) -> Weights:
        return {"params": state["trained"]["params"], "stats": state["stats"]}

    training = Program(
        init,
        step,
        weights,
        lambda kept: examine(build(jax.device_get(kept))),
        lambda kept, history: preview(build(jax.device_get(kept)), history),
    )
    rows = {"images": images, "subjects": np.asarray(subjects, np.int32)}
    outcome = train(training, rows, Plan(recipe.epochs, recipe.batch_size, seed, recipe.ema), checkpoints, watch)
    return build(outcome.weights), outcome
