"""How an action-unit reader is trained: an expression network of models.fer with one sigmoid a unit, by cross-entropy
with the intensity as its target, whose minimum is the mean intensity as that of squares is, and whose gradient does not
vanish at 0 and 1.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

from models.action_units.read import errors, read
from models.action_units.recipe import Recipe
from models.action_units.units import UNITS, checked
from models.fer.augment import STRENGTHS, augment
from models.fer.networks import NETWORKS, Network, standardise
from models.fer.train import Preview, builder, kernels, schedule
from models.training import History, Outcome, Plan, Program, State, Watcher, Weights, descend, steps_in_epoch, train


@dataclass(frozen=True)
class Faces:
    """Pictures (N, H, W, C) uint8 (any array-like that takes index arrays) with action units (N, 17) in [0, 1]."""

    images: Any
    units: np.ndarray

    def __post_init__(self) -> None:
        checked(self.units, len(self.images))


def program(recipe: Recipe, faces: Faces, validation: Faces, preview: Preview) -> Program:
    """The reader's share of `models.training.train`."""
    channels = faces.images.shape[-1]
    build = builder(recipe.network, len(UNITS), channels)
    rate = schedule(recipe.learning_rate, recipe.warmup, steps_in_epoch(len(faces.units), recipe.batch_size) * recipe.epochs)
    update = optax.adamw(rate, weight_decay=recipe.weight_decay, mask=kernels)

    @jax.jit
    def init(key: Array) -> State:
        network = NETWORKS[recipe.network](len(UNITS), channels, rngs=nnx.Rngs(key))
        params, stats = (nnx.to_pure_dict(each) for each in nnx.state(network, nnx.Param, nnx.BatchStat))
        return {"params": params, "stats": stats, "optimizer": update.init(params)}

    def step(state: State, batch: dict[str, Array], key: Array) -> tuple[State, dict[str, Array]]:
        images, units = standardise(batch["images"]), batch["units"]
        if recipe.augment != "none":
            images = augment(key, images, STRENGTHS[recipe.augment])

        def loss(params: Weights) -> tuple[Array, tuple[Array, Weights]]:
            model = build({"params": params, "stats": state["stats"]})
            logits = model(images, train=True)
            stats = nnx.to_pure_dict(nnx.state(model, nnx.BatchStat))
            return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, units)), (logits, stats)

        (value, (logits, stats)), grads = jax.value_and_grad(loss, has_aux=True)(state["params"])
        params, memory = descend(update, grads, state["optimizer"], state["params"])
        fresh = {"params": params, "stats": stats, "optimizer": memory}
        return fresh, {"train_loss": value, "train_mae": jnp.mean(jnp.abs(jax.nn.sigmoid(logits) - units))}

    def examine(kept: Weights) -> dict[str, float]:
        found = errors(read(build(jax.device_get(kept)), validation.images), validation.units)
        return {f"validation_{name}": value for name, value in found.items()}

    def show(kept: Weights, history: History) -> dict[str, Path]:
        return preview(build(jax.device_get(kept)), history)

    return Program(init, step, lambda state: {"params": state["params"], "stats": state["stats"]}, examine, show)


def fit(
    recipe: Recipe, faces: Faces, validation: Faces, *, seed: int, checkpoints: Path, watch: Watcher, preview: Preview
) -> tuple[Network, Outcome]:
    """Train on `faces`, watch on `validation`; returns the network and its history.

    Raises what `models.training.train` raises.
    """
    plan = Plan(recipe.epochs, recipe.batch_size, seed, recipe.ema)
    rows = {"images": faces.images, "units": np.asarray(faces.units, np.float32)}
    outcome = train(program(recipe, faces, validation, preview), rows, plan, checkpoints, watch)
    return builder(recipe.network, len(UNITS), faces.images.shape[-1])(outcome.weights), outcome
