"""How SAN's attribute classifier is trained (Mirjalili et al. 2018: alone and beforehand): cross-entropy, Adam."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

from models.fer.augment import STRENGTHS, augment
from models.san.gender import Classifier, made
from models.san.recipe import ClassifierRecipe
from models.training import History, Outcome, Plan, Program, State, Watcher, Weights, descend, train

Examine = Callable[[Classifier], dict[str, float]]
Preview = Callable[[Classifier, History], dict[str, Path]]


def program(
    network: str, recipe: ClassifierRecipe, classes: int, size: int, examine: Examine, preview: Preview
) -> Program:
    """The classifier's share of `models.training.train`; rows are `images` and `labels`."""
    graph = nnx.graphdef(nnx.eval_shape(lambda: made(network, classes, size, nnx.Rngs(0))))
    update = optax.adam(recipe.learning_rate)

    def build(weights: Weights) -> Classifier:
        return nnx.merge(graph, weights, copy=True)

    @jax.jit
    def init(key: Array) -> State:
        params = nnx.to_pure_dict(nnx.state(made(network, classes, size, nnx.Rngs(key)), nnx.Param))
        return {"params": params, "optimizer": update.init(params)}

    def step(state: State, batch: dict[str, Array], key: Array) -> tuple[State, dict[str, Array]]:
        keys = jax.random.split(key)
        images = batch["images"].astype(jnp.float32) / 127.5 - 1.0
        if recipe.augment != "none":
            images = augment(keys[0], images, STRENGTHS[recipe.augment])
        images = (images + 1.0) / 2.0

        def loss_fn(params: Weights) -> tuple[Array, Array]:
            logits = build(params)(images, keys[1])
            return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, batch["labels"])), logits

        (loss, logits), grads = jax.value_and_grad(loss_fn, has_aux=True)(state["params"])
        params, memory = descend(update, grads, state["optimizer"], state["params"])
        right = jnp.mean((jnp.argmax(logits, axis=1) == batch["labels"]).astype(jnp.float32))
        return {"params": params, "optimizer": memory}, {"train_loss": loss, "train_accuracy": right}

    return Program(
        init,
        step,
        lambda state: state["params"],
        lambda kept: examine(build(jax.device_get(kept))),
        lambda kept, history: preview(build(jax.device_get(kept)), history),
    )


def fit_classifier(
    network: str,
    recipe: ClassifierRecipe,
    images: Any,
    labels: np.ndarray,
    *,
    classes: int,
    seed: int,
    checkpoints: Path,
    watch: Watcher,
    examine: Examine,
    preview: Preview,
) -> tuple[Classifier, Outcome]:
    """Train the `network` "paper" or "port" on grey pictures (N, S, S, 1) uint8 (any array-like that takes index arrays) with
    labels (N,) in 0 … classes-1.

    Raises ValueError where fewer than two classes occur, and what `models.training.train` raises.
    """
    if len(present := np.unique(labels)) < 2 or present[0] < 0 or present[-1] >= classes:
        raise ValueError(f"labels are {present.tolist()}, expected at least two of 0 … {classes - 1}")
    if images.shape[1] != images.shape[2] or images.shape[3] != 1:
        raise ValueError(f"pictures are {tuple(images.shape[1:])}, expected square grey ones")
    rows = {"images": images, "labels": np.asarray(labels, np.int32)}
    plan = Plan(recipe.epochs, recipe.batch_size, seed)
    size = images.shape[1]
    outcome = train(program(network, recipe, classes, size, examine, preview), rows, plan, checkpoints, watch)
    blank = nnx.graphdef(nnx.eval_shape(lambda: made(network, classes, size, nnx.Rngs(0))))
    return nnx.merge(blank, outcome.weights, copy=True), outcome
