"""How an expression classifier is trained: a loss of smoothed targets, warm-up and cosine decay; and, where there
are teachers, their mean word on the very picture that the pupil sees (Hinton, Vinyals and Dean 2015, "Distilling the
Knowledge in a Neural Network"; Beyer et al. 2022, "Knowledge distillation: a good teacher is patient and consistent").
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

from models.fer.augment import STRENGTHS, augment, mixed
from models.fer.finetune import Phase, options_of, phases, pretrained
from models.fer.losses import LOSSES, balanced
from models.fer.mini_xception import MiniXception
from models.fer.networks import DRAWING, NETWORKS, Network, blank, standardise
from models.fer.predict import probabilities
from models.fer.recipe import Recipe
from models.layers import remember
from models.training import History, Outcome, Plan, Program, Watcher, Weights, descend, steps_in_epoch, train

MOMENTUM = 0.99  # Keras'
DIRECTIONS: dict[str, Callable[[], optax.GradientTransformation]] = {
    "adam": optax.scale_by_adam,
    "sgd": lambda: optax.trace(0.9, nesterov=True),
    "rmsprop": lambda: optax.scale_by_rms(decay=0.9, eps=1e-7),  # Keras' numbers
}

Preview = Callable[[Network, History], dict[str, Path]]


@dataclass(frozen=True)
class Faces:
    """Pictures (N, H, W, C) uint8 (any array-like that takes index arrays) with labels (N,) in 0 … classes-1, or, where
    they are to be learnt, with the share of each class (N, classes) float32."""

    images: Any
    labels: np.ndarray


def with_votes(labels: np.ndarray, votes: np.ndarray, share: float) -> np.ndarray:
    """`labels` (N,) in 0 … K-1 as shares of the classes (N, K) float32, of which `votes` (N, K) make up `share`."""
    return ((1 - share) * np.eye(votes.shape[1])[labels] + share * votes).astype(np.float32)


def kernels(weights: Weights) -> Any:
    """Which of the weights decay pulls on: kernels, not biases and normalisation."""
    return jax.tree.map(lambda values: values.ndim > 1, weights)


def schedule(learning_rate: float, warmup: float, steps: int) -> optax.Schedule:
    """A rate that rises over the share `warmup` of `steps` steps to its peak, and falls as a cosine."""
    rising = round(warmup * steps)
    return optax.warmup_cosine_decay_schedule(0.0, learning_rate, rising, max(steps, rising + 1))


def optimizer(recipe: Recipe, steps: int) -> optax.GradientTransformation:
    """The recipe's optimiser over `steps` steps."""
    rate = schedule(recipe.learning_rate, recipe.warmup, steps)
    direction = DIRECTIONS[recipe.optimizer]()
    decay = optax.add_decayed_weights(recipe.weight_decay, mask=kernels)
    return optax.chain(direction, decay, optax.scale_by_learning_rate(rate))


def smoothed(labels: Array, classes: int, smoothing: float) -> Array:
    """(N,) or shares (N, K) -> targets (N, K) that give `smoothing` of their mass evenly to all classes."""
    return optax.smooth_labels(jax.nn.one_hot(labels, classes) if labels.ndim == 1 else labels, smoothing)


def distance_to_teachers(logits: Array, words: Sequence[Array], temperature: float) -> Array:
    """Mean Kullback-Leibler divergence of the pupil from the mean of its teachers, times T² (Hinton et al., section 2).

    Args:
        logits: (N, K), the pupil's.
        words: the teachers' logits, (N, K) each.
        temperature: T, by which all of them are divided.
    """
    taught = sum(jax.nn.softmax(each / temperature, axis=-1) for each in words) / len(words)
    said = jax.nn.log_softmax(logits / temperature, axis=-1)
    return temperature**2 * jnp.mean(optax.kl_divergence(said, taught))


def builder(
    network: str, classes: int, channels: int, momentum: float = MOMENTUM, **options: Any
) -> Callable[[Weights], Network]:
    """What makes the network called `network` of plain weights {"params", "stats"}, without drawing any."""
    model = blank(network, classes, channels, **options)
    if isinstance(model, MiniXception):
        remember(model, momentum)
    graph = nnx.graphdef(model)
    return lambda weights: nnx.merge(graph, weights["params"], weights["stats"], copy=True)


def program(
    recipe: Recipe,
    faces: Faces,
    validation: Faces,
    classes: int,
    preview: Preview,
    teachers: Sequence[Network] = (),
    momentum: float = MOMENTUM,
    phase: Phase | None = None,
) -> Program:
    """The classifier's share of `models.training.train`; in a `phase` of fine-tuning, "params" are what learns in it and
    "stats" everything else."""
    channels = faces.images.shape[-1]
    options = options_of(recipe, faces.images.shape[1], tuned=phase is not None)
    build = builder(recipe.network, classes, channels, momentum, **options)
    learns, rests = (phase.learns, nnx.Not(phase.learns)) if phase else (nnx.Param, nnx.BatchStat)
    of_classes = balanced(faces.labels, classes) if recipe.class_weights == "balanced" else None
    update = optimizer(recipe, steps_in_epoch(len(faces.labels), recipe.batch_size) * recipe.epochs)

    @jax.jit
    def init(key: Array) -> dict[str, Any]:
        return begin(NETWORKS[recipe.network](classes, channels, rngs=nnx.Rngs(key), **options))

    def begin(network: Network) -> dict[str, Any]:
        params, stats = nnx.state(network, learns, rests)
        params = nnx.to_pure_dict(params)
        return {"params": params, "stats": nnx.to_pure_dict(stats), "optimizer": update.init(params)}

    def step(state: dict[str, Any], batch: dict[str, Array], key: Array) -> tuple[dict[str, Any], dict[str, Array]]:
        images, targets = standardise(batch["images"]), smoothed(batch["labels"], classes, recipe.label_smoothing)
        keys = jax.random.split(key)
        if recipe.augment != "none":
            images = augment(keys[0], images, STRENGTHS[recipe.augment])
        if recipe.mixup or recipe.cutmix:
            images, targets = mixed(keys[1], images, targets, recipe.mixup, recipe.cutmix)
        words = [teacher(images) for teacher in teachers]

        def loss_fn(params: Weights) -> tuple[Array, tuple[Array, Weights]]:
            model = build({"params": params, "stats": state["stats"]})
            noise = {"key": jax.random.fold_in(key, 2)} if isinstance(model, DRAWING) else {}
            logits = model(images, train=True, **noise)
            stats = nnx.to_pure_dict(nnx.state(model, rests))
            each = LOSSES[recipe.loss](logits, targets)
            loss = jnp.mean(each if of_classes is None else each * (targets @ of_classes))
            if words:
                taught = distance_to_teachers(logits, words, recipe.temperature)
                loss = (1 - recipe.distil) * loss + recipe.distil * taught
            return loss, (logits, stats)

        (loss, (logits, stats)), grads = jax.value_and_grad(loss_fn, has_aux=True)(state["params"])
        params, memory = descend(update, grads, state["optimizer"], state["params"])
        truth = batch["labels"] if batch["labels"].ndim == 1 else jnp.argmax(batch["labels"], axis=-1)
        right = jnp.mean((jnp.argmax(logits, axis=-1) == truth).astype(jnp.float32))
        fresh = {"params": params, "stats": stats, "optimizer": memory}
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

    return Program((lambda key: begin(phase.start)) if phase else init, step, weights, examine, show)


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
    teachers: Sequence[Network] = (),
    momentum: float = MOMENTUM,
) -> tuple[Network, Outcome]:
    """Train on `faces`, watch (and, with select="best", choose) on `validation`; returns the network and its history.

    `teachers` take pictures of the same shape and give logits of the same classes; `momentum` is that of mini-Xception's
    running statistics. Fine-tuning has a run for each of its phases, one after the other; the second one chooses. Raises
    what `models.training.train` raises and, where the recipe fine-tunes, what `models.fer.finetune.pretrained` raises.
    """
    select = "validation_accuracy" if recipe.select == "best" else None
    labels = faces.labels.astype(np.int32 if faces.labels.ndim == 1 else np.float32)
    rows: Mapping[str, Any] = {"images": faces.images, "labels": labels}
    size, channels = faces.images.shape[2:]
    options = options_of(recipe, size, tuned=recipe.finetune is not None)
    build = builder(recipe.network, classes, channels, **options)

    def trained(recipe: Recipe, checkpoints: Path, seed: int, phase: Phase | None = None) -> Outcome:
        plan = Plan(recipe.epochs, recipe.batch_size, seed, recipe.ema, select)
        written = program(recipe, faces, validation, classes, preview, teachers, momentum, phase)
        return train(written, rows, plan, checkpoints, watch)

    if recipe.finetune is None:
        outcome = trained(recipe, checkpoints, seed)
        return build(outcome.weights), outcome
    network, history = pretrained(recipe, classes, channels, jax.random.key(seed)), []
    for number, (name, learns, own) in enumerate(phases(recipe, network)):
        watch.log(f"fine-tuning: {name}")
        outcome = trained(own, checkpoints / name, seed + number, Phase(learns, network))  # other orders and changes
        network, before = build(outcome.weights), len(history)
        history += [row | {"epoch": row["epoch"] + before} for row in outcome.history]
    return network, replace(outcome, history=history, kept=outcome.kept | {"epoch": outcome.kept["epoch"] + before})
