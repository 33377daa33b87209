"""How a semi-adversarial network is trained (Mirjalili, Raschka, Namboodiri and Ross 2018, "Semi-Adversarial Networks"): in
two parts, of which the second goes on from the first, with attribute classifiers and face matchers that do not learn.
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

from models.fer.augment import STRENGTHS, augment
from models.san.autoencoder import Autoencoder
from models.san.judges import Judge
from models.san.losses import attribute_loss, identity_loss, keeping_loss, mean_identity_loss, pixel_cross_entropy
from models.san.recipe import Recipe
from models.training import History, Outcome, Plan, Program, State, Watcher, Weights, descend, train

Examine = Callable[[Autoencoder], dict[str, float]]
Preview = Callable[[Autoencoder, History], dict[str, Path]]


@dataclass(frozen=True)
class Part:
    """One of the two parts: how long, and what each loss weighs; one of weight 0 is not computed."""

    name: str
    epochs: int
    pixel: float
    attribute: float
    identity: float
    keep: float


def parts(recipe: Recipe) -> tuple[Part, Part]:
    """What the recipe's objective does first and then."""
    second = Part("second", recipe.epochs, recipe.pixel, recipe.attribute, recipe.identity, recipe.keep)
    if recipe.objective == "paper":
        return Part("first", recipe.first_epochs, 1.0, 0.0, 0.0, 0.0), second
    return replace(second, name="first", epochs=recipe.first_epochs, identity=0.0), second


def autoencoder_of(recipe: Recipe) -> Callable[[Weights], Autoencoder]:
    """What makes an autoencoder of plain weights, without drawing any."""
    def drawn() -> Autoencoder:
        return Autoencoder(recipe.encoder, recipe.decoder, enlarge=recipe.enlarge, rngs=nnx.Rngs(0))

    graph = nnx.graphdef(nnx.eval_shape(drawn))
    return lambda weights: nnx.merge(graph, weights, copy=True)


def program(
    recipe: Recipe,
    part: Part,
    classes: int,
    classifiers: Sequence[Judge],
    matchers: Sequence[Judge],
    keepers: Sequence[Judge],
    examine: Examine,
    preview: Preview,
    prototypes: np.ndarray | None = None,
    start: State | None = None,
) -> Program:
    """One part's share of `models.training.train`; rows are `images`, `labels` and, where each face has its own,
    `prototypes` (N, classes, H, W, 3); otherwise all have the given ones (classes, H, W, 3). `start` has the `params` to go
    on from and, if it is to go on as well, the `optimizer`."""
    build = autoencoder_of(recipe)
    update = optax.adam(recipe.learning_rate)

    @jax.jit
    def drawn(key: Array) -> Weights:
        network = Autoencoder(recipe.encoder, recipe.decoder, enlarge=recipe.enlarge, rngs=nnx.Rngs(key))
        return nnx.to_pure_dict(nnx.state(network, nnx.Param))

    def init(key: Array) -> State:
        given = {} if start is None else jax.tree.map(jnp.asarray, start)
        params = given["params"] if given else drawn(key)
        return {"params": params, "optimizer": given["optimizer"] if "optimizer" in given else update.init(params)}

    def prototypes_of(batch: dict[str, Array], labels: Array) -> Array:
        """(N, H, W, 3) in [0, 1]: the prototypes of the classes `labels` (N,)."""
        if prototypes is not None:
            return jnp.asarray(prototypes)[labels].astype(jnp.float32) / 255
        return batch["prototypes"][jnp.arange(labels.shape[0]), labels].astype(jnp.float32) / 255

    def step(state: State, batch: dict[str, Array], key: Array) -> tuple[State, dict[str, Array]]:
        keys = jax.random.split(key)
        faces, labels = batch["images"].astype(jnp.float32) / 255, batch["labels"]
        # Any class but the own one; with two classes, always the other.
        others = (labels + jax.random.randint(keys[0], labels.shape, 1, classes)) % classes
        own_prototypes, other_prototypes = prototypes_of(batch, labels), prototypes_of(batch, others)

        def shown(pictures: Array) -> Array:
            """Pictures as the attribute classifiers see them; both of a face are changed alike."""
            if recipe.augment == "none":
                return pictures
            return (augment(keys[1], pictures * 2.0 - 1.0, STRENGTHS[recipe.augment]) + 1.0) / 2.0

        def loss_fn(params: Weights) -> tuple[Array, dict[str, Array]]:
            network = build(params)
            share = network.share(faces, own_prototypes)
            logits = network.logits(share, own_prototypes)
            own, other = jax.nn.sigmoid(logits), jax.nn.sigmoid(network.logits(share, other_prototypes))
            paper = recipe.objective == "paper"
            figures = {}
            if part.pixel:
                figures["pixel"] = pixel_cross_entropy(logits, faces) if paper else jnp.mean(jnp.abs(own - faces))
            if part.attribute:
                figures["attribute"] = attribute_loss(classifiers, shown(own), labels, shown(other), others)
            if part.identity:
                changed = (own, other) if recipe.identity_of == "both" else (own,)
                figures["identity"] = (
                    identity_loss(matchers, changed, faces) if paper else mean_identity_loss(matchers, own, other, faces)
                )
            if part.keep and keepers:
                figures["keep"] = keeping_loss(keepers, (own, other), faces)
            loss = sum((getattr(part, name) * value for name, value in figures.items()), start=jnp.zeros(()))
            return loss, figures | {"loss": loss}

        grads, figures = jax.grad(loss_fn, has_aux=True)(state["params"])
        params, memory = descend(update, grads, state["optimizer"], state["params"])
        return {"params": params, "optimizer": memory}, figures

    return Program(
        init,
        step,
        lambda state: state["params"],
        lambda kept: examine(build(jax.device_get(kept))),
        lambda kept, history: preview(build(jax.device_get(kept)), history),
    )


def fit(
    recipe: Recipe,
    images: Any,
    labels: np.ndarray,
    prototypes: Any,
    classifiers: Sequence[Judge],
    matchers: Sequence[Judge],
    *,
    seed: int,
    checkpoints: Path,
    watch: Watcher,
    examine: Examine,
    preview: Preview,
    keepers: Sequence[Judge] = (),
) -> tuple[Autoencoder, Outcome]:
    """Train on grey faces (N, H, W, 1) uint8 with even sides and their attribute `labels` (N,) in 0 … K-1.

    Args:
        images: any array-like that takes index arrays.
        prototypes: (K, H, W, 3) uint8, or (N, K, H, W, 3) laid over each face (any array-like that takes index arrays).
        classifiers: whom the attribute is to be hidden from; logits (N, K). None of them learns.
        matchers: who is to recognise people all the same; descriptors (N, D).
        keepers: classifiers of another attribute, whose word is to stay what it is.

    Returns the autoencoder of the last step, and an outcome whose history is of both parts, one epoch after the other;
    a row has the figures of its own part only. The parts' checkpoints lie in folders of their own under `checkpoints`.

    Raises ValueError where labels or prototypes do not suit the faces, and what `models.training.train` raises.
    """
    labels = np.asarray(labels, np.int32)
    classes, own = _checked(images, labels, prototypes)
    rows: Mapping[str, Any] = {"images": images, "labels": labels} | ({"prototypes": prototypes} if own else {})
    history, start, outcome = [], None, None
    for part in parts(recipe):
        if not part.epochs:
            continue
        watch.log(f"{part.name} part: {part.epochs} epochs")
        written = program(
            recipe, part, classes, classifiers, matchers, keepers, examine,
            lambda network, rows, before=tuple(history): preview(network, _after(before, rows)),
            None if own else prototypes, start,
        )  # fmt: skip
        # Other keys than the first part's.
        plan = Plan(part.epochs, recipe.batch_size, seed + len(history), recipe.ema)
        outcome = train(written, rows, plan, checkpoints / part.name, watch)
        history, start = _after(history, outcome.history), outcome.state
        if recipe.objective == "paper":
            # The optimiser begins anew: it has met the small gradients of pixels only, and would make enormous first steps.
            start = {"params": outcome.weights}
    outcome = replace(outcome, history=history, kept=history[-1])
    return autoencoder_of(recipe)(outcome.weights), outcome


def _after(before: Sequence[dict[str, float]], rows: History) -> History:
    return [*before, *(row | {"epoch": row["epoch"] + len(before)} for row in rows)]


def _checked(images: Any, labels: np.ndarray, prototypes: Any) -> tuple[int, bool]:
    """The number of classes, and whether each face has prototypes of its own."""
    count, *shape = images.shape
    if len(shape) != 3 or shape[2] != 1 or shape[0] % 2 or shape[1] % 2:
        raise ValueError(f"faces are {tuple(images.shape)}, expected grey ones (N, H, W, 1) with even sides")
    if labels.shape != (count,):
        raise ValueError(f"{count} faces come with labels {labels.shape}")
    own = len(prototypes.shape) == 5
    classes = prototypes.shape[1 if own else 0]
    expected = ((count,) if own else ()) + (classes, *shape[:2], 3)
    if tuple(prototypes.shape) != expected:
        raise ValueError(f"prototypes are {tuple(prototypes.shape)}, expected {expected}")
    if classes < 2 or len(np.unique(labels)) < 2:
        raise ValueError(f"an attribute needs two classes or more; the faces have {len(np.unique(labels))}")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels reach from {labels.min()} to {labels.max()}, expected 0 … {classes - 1}")
    return classes, own
