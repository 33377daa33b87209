"""How an expression classifier is trained: smoothed cross-entropy, Adam or SGD, warm-up and cosine decay."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

from models.fer.augment import augment
from models.fer.mini_xception import MiniXception, standardise
from models.fer.predict import probabilities
from models.fer.recipe import Recipe
from models.training import History, Outcome, Plan, Program, Watcher, Weights, steps_in_epoch, train

Preview = Callable[[MiniXception, History], dict[str, Path]]


@dataclass(frozen=True)
class Faces:
    """Pictures (N, H, W, C) uint8 (any array-like that takes index arrays) with labels (N,) in 0 … classes-1."""

    images: Any
    labels: np.ndarray


def optimizer(recipe: Recipe, steps: int) -> optax.GradientTransformation:
    """The recipe's optimiser over `steps` steps. Decay pulls on kernels alone, not on biases and normalisation."""

    def kernels(weights: Weights) -> Any:
        return jax.tree.map(lambda values: values.ndim > 1, weights)

    warmup = round(recipe.warmup * steps)
    rate = optax.warmup_cosine_decay_schedule(0.0, recipe.learning_rate, warmup, max(steps, warmup + 1))
    direction = optax.scale_by_adam() if recipe.optimizer == "adam" else optax.trace(0.9, nesterov=True)
    decay = optax.add_decayed_weights(recipe.weight_decay, mask=kernels)
    return optax.chain(direction, decay, optax.scale_by_learning_rate(rate))


def smoothed_cross_entropy(logits: Array, labels: Array, smoothing: float) -> Array:
    """(N, K), (N,) -> mean cross-entropy against targets that give `smoothing` of their mass evenly to all classes."""
    targets = optax.smooth_labels(jax.nn.one_hot(labels, logits.shape[-1]), smoothing)
    return jnp.mean(optax.softmax_cross_entropy(logits, targets))


def builder(classes: int, channels: int) -> Callable[[Weights], MiniXception]:
    """What makes a network of plain weights {"params", "stats"}, without drawing any."""
    graph = nnx.graphdef(nnx.eval_shape(lambda: MiniXception(classes, channels, rngs=nnx.Rngs(0))))
    return lambda weights: nnx.merge(graph, weights["params"], weights["stats"], copy=True)


def program(recipe: Recipe, faces: Faces, validation: Faces, classes: int, preview: Preview) -> Program:
    """The classifier's share of `models.training.train`."""
    channels = faces.images.shape[-1]
    build = builder(classes, channels)
    update = optimizer(recipe, steps_in_epoch(len(faces.labels), recipe.batch_size) * recipe.epochs)

    @jax.jit
    def init(key: Array) -> dict[str, Any]:
        params, stats = nnx.state(MiniXception(classes, channels, rngs=nnx.Rngs(key)), nnx.Param, nnx.BatchStat)
        params = nnx.to_pure_dict(params)
        return {"params": params, "stats": nnx.to_pure_dict(stats), "optimizer": update.init(params)}

    def step(state: dict[str, Any], batch: dict[str, Array], key: Array) -> tuple[dict[str, Any], dict[str, Array]]:
        images = standardise(batch["images"])
        if recipe.augment:
            images = augment(key, images)

        def loss_fn(params: Weights) -> tuple[Array, tuple[Array, Weights]]:
            model = build({"params": params, "stats": state["stats"]})
            logits = model(images, train=True)
            stats = nnx.to_pure_dict(nnx.state(model, nnx.BatchStat))
            return smoothed_cross_entropy(logits, batch["labels"], recipe.label_smoothing), (logits, stats)

        (loss, (logits, stats)), grads = jax.value_and_grad(loss_fn, has_aux=True)(state["params"])
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam raises a float to its integer step count
            changes, memory = update.update(grads, state["optimizer"], state["params"])
        right = jnp.mean((jnp.argmax(logits, axis=-1) == batch["labels"]).astype(jnp.float32))
        fresh = {"params": optax.apply_updates(state["params"], changes), "stats": stats, "optimizer": memory}
        return fresh, {"train_loss": loss, "train_accuracy": right}

    def weights(state: dict[str, Any]) -> Weights:
        return {"params": state["params"], "stats": state["stats"]}

    def examine(kept: Weights) -> dict[str, float]:
        chances = probabilities(build(jax.device_get(kept)), validation.images)
        chosen = np.clip(chances[np.arange(len(chances)), validation.labels], 1e-7, None)
        return {
            "validation_loss": float(-np.log(chosen).mean()),
            "validation_accuracy": float((chances.argmax(axis=1) == validation.labels).mean()),
        }

    def show(kept: Weights, history: History) -> dict[str, Path]:
        return preview(build(jax.device_get(kept)), history)

    return Program(init, step, weights, examine, show)


def fit(
    recipe: Recipe,
    faces: Faces,
    validation: Faces,
    *,
    classes: int,
    seed: int,
    checkpoints: Path,
    watch: Watcher,
    preview: Preview,
) -> tuple[MiniXception, Outcome]:
    """Train on `faces`, watch (and, with select="best", choose) on `validation`; returns the network and its history.

    Raises what `models.training.train` raises.
    """
    select = "validation_accuracy" if recipe.select == "best" else None
    plan = Plan(recipe.epochs, recipe.batch_size, seed, recipe.ema, select)
    rows: Mapping[str, Any] = {"images": faces.images, "labels": faces.labels.astype(np.int32)}
    outcome = train(program(recipe, faces, validation, classes, preview), rows, plan, checkpoints, watch)
    return builder(classes, faces.images.shape[-1])(outcome.weights), outcome
