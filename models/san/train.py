"""Training a semi-adversarial autoencoder (Mirjalili et al. 2018, section 3.4): first to draw a face again beside the prototype
of its own kind (J_D), then, with classifier and matcher frozen, to please the classifier beside that one and mislead it beside
another (J_G) while the matcher still knows the face (J_M).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

from models.san.autoencoder import Autoencoder
from models.san.recipe import Recipe
from models.san.weights import blank
from models.training import History, Outcome, Plan, Program, State, Watcher, Weights, train

Network = Callable[[Array], Array]  # of grey faces (N, H, W, 1) in [0, 1]: logits (N, K), or unit vectors (N, D)
Preview = Callable[[Autoencoder, History], dict[str, Path]]
Figures = dict[str, Array]


def pixel_loss(logits: Array, faces: Array) -> Array:
    """J_D, equation 2: cross-entropy of faces in [0, 1] and what is drawn, both terms, averaged over pixels."""
    return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, faces))


def attribute_loss(same: Array, other: Array, labels: Array, others: Array) -> Array:
    """J_G, equation 3: the classifier's logits (N, K) shall say `labels` (N,) beside the own prototype, `others` beside another."""
    pleased = optax.softmax_cross_entropy_with_integer_labels(same, labels)
    misled = optax.softmax_cross_entropy_with_integer_labels(other, others)
    return jnp.mean(pleased + misled)


def matching_loss(face: Array, same: Array, other: Array, kind: str) -> Array:
    """J_M, equation 4, of unit vectors (N, D): squared distances, averaged over faces; `kind` is `Recipe.matching`."""
    match kind:
        case "paper":
            apart = same - face
        case "official":
            apart = (same + other) / 2 - face
        case _:
            return (jnp.mean(jnp.sum((same - face) ** 2, axis=1)) + jnp.mean(jnp.sum((other - face) ** 2, axis=1))) / 2
    return jnp.mean(jnp.sum(apart**2, axis=1))


def fit(
    recipe: Recipe,
    images: Any,
    labels: np.ndarray,
    prototypes: np.ndarray,
    classify: Network,
    describe: Network,
    *,
    widths: tuple[int, int, int, int],
    seed: int,
    checkpoints: Path,
    watch: Watcher,
    examine: Callable[[Autoencoder], dict[str, float]],
    preview: Preview,
) -> tuple[Autoencoder, Outcome]:
    """Train on grey faces (N, H, W, 1) uint8 and their `labels` (N,), 0 … K-1, beside prototypes (K, H, W, 3) uint8.

    A face's other prototype is drawn anew each time from those of the other kinds. Raises ValueError where there is only
    one kind, and what `models.training.train` raises.
    """
    kinds = len(prototypes)
    if len(found := np.unique(labels)) < 2 or found.max() >= kinds:
        raise ValueError(f"labels {found.tolist()} with {kinds} prototypes: at least two kinds of face are needed")
    graph = nnx.graphdef(blank(widths))
    drawn = jnp.asarray(prototypes, jnp.float32) / 255
    adam = optax.adam(recipe.learning_rate)

    def build(weights: Weights) -> Autoencoder:
        return nnx.merge(graph, weights, copy=True)

    def pixels(weights: Weights, faces: Array, labels: Array, others: Array) -> tuple[Array, Figures]:
        network = build(weights)
        value = pixel_loss(network.logits(network.encode(faces, drawn[labels]), drawn[labels]), faces)
        return value, {"pixels": value}

    def adversarial(weights: Weights, faces: Array, labels: Array, others: Array) -> tuple[Array, Figures]:
        network = build(weights)
        features = network.encode(faces, drawn[labels])
        logits = network.logits(features, drawn[labels])
        same, other = jax.nn.sigmoid(logits), network.combine(features, drawn[others])
        hide = attribute_loss(classify(same), classify(other), labels, others)
        keep = matching_loss(describe(faces), describe(same), describe(other), recipe.matching)
        plain = pixel_loss(logits, faces)
        total = recipe.hide * hide + recipe.keep * keep + recipe.pixels * plain
        return total, {"hide": hide, "keep": keep, "pixels": plain}

    def program(loss: Callable, start: Weights | None) -> Program:
        def init(key: Array) -> State:
            weights = start if start is not None else nnx.to_pure_dict(
                nnx.state(Autoencoder(widths, rngs=nnx.Rngs(key)), nnx.Param)
            )  # fmt: skip
            weights = jax.tree.map(jnp.asarray, weights)
            return {"weights": weights, "memory": adam.init(weights)}

        def step(state: State, batch: dict[str, Array], key: Array) -> tuple[State, Figures]:
            faces = batch["images"].astype(jnp.float32) / 255
            others = (batch["labels"] + jax.random.randint(key, batch["labels"].shape, 1, kinds)) % kinds
            grads, figures = jax.grad(loss, has_aux=True)(state["weights"], faces, batch["labels"], others)
            with jax.numpy_dtype_promotion("standard"):  # optax's Adam raises a float to its integer step count
                changes, memory = adam.update(grads, state["memory"], state["weights"])
            return {"weights": optax.apply_updates(state["weights"], changes), "memory": memory}, figures

        return Program(
            init,
            step,
            lambda state: state["weights"],
            lambda kept: examine(build(jax.device_get(kept))),
            lambda kept, history: preview(build(jax.device_get(kept)), history),
        )

    rows = {"images": images, "labels": np.asarray(labels, np.int32)}
    first = train(
        program(pixels, None), rows, Plan(recipe.pretrain_epochs, recipe.batch_size, seed), checkpoints / "pixels", watch
    )
    outcome = train(
        program(adversarial, first.weights), rows, Plan(recipe.epochs, recipe.batch_size, seed + 1),
        checkpoints / "adversarial", watch,
    )  # fmt: skip
    return build(outcome.weights), outcome
