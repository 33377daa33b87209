"""The only training loop: batches, weight averaging, checkpoints, exact resume, NaN stop, progress, previews, devices.

A program says how to make its state, one step, and what to show; `train` does the rest. Killed anywhere and started
again, a run ends with the weights of an uninterrupted one, bit for bit on the same machine, because nothing but the
checkpoint and the step number decides what comes next: the order of an epoch is a function of (seed, epoch), the key of
a step of (seed, step), and the checkpoint holds everything else.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

State = Any  # a pytree of arrays
Weights = Any  # a pytree of floating-point arrays
Batch = dict[str, Array]  # name -> (batch, …)
Scalars = dict[str, Array]  # name -> ()
History = list[dict[str, float]]  # one row an epoch

SAVE_SECONDS = 20.0  # between checkpoints: what a kill can cost
PREVIEW_SECONDS = 30.0
METRICS_STEPS = 20  # steps that may be queued on the device before the host looks at them


class Watcher(Protocol):
    """Whoever looks on: a terminal, a log, a Prefect page. See flows/watch.py."""

    def log(self, text: str) -> None: ...
    def progress(self, done: int, total: int, text: str = "") -> None: ...
    def metrics(self, values: dict[str, float]) -> None: ...
    def picture(self, name: str, path: Path) -> None: ...


@dataclass(frozen=True)
class Program:
    """One system's share of its training."""

    init: Callable[[Array], State]  # key -> state
    step: Callable[[State, Batch, Array], tuple[State, Scalars]]  # pure; (state, batch, key) -> (state, figures)
    weights: Callable[[State], Weights]  # the part of the state that is averaged, examined and kept
    examine: Callable[[Weights], dict[str, float]]  # figures at the end of an epoch
    preview: Callable[[Weights, History], dict[str, Path]]  # draws pictures and says where
    # (every, step): steps like `step`, on the same batch, that follow it every so many steps: regularisation that is
    # lazy. Programs of their own and no branches in `step`, in which XLA runs convolutions on one core of a CPU.
    lazy: tuple[tuple[int, Callable[[State, Batch, Array], tuple[State, Scalars]]], ...] = ()


@dataclass(frozen=True)
class Plan:
    """How long, how wide, from which seed."""

    epochs: int
    batch_size: int  # over all devices together
    seed: int
    ema: float = 0.0  # decay of the weight average; 0 keeps the plain weights
    select: str | None = None  # the figure of `examine` whose best epoch is kept; None keeps the last


@dataclass(frozen=True)
class Outcome:
    """What a run ends with, in host arrays: the kept weights, one row of figures an epoch, the kept weights' row, and the
    state that the last step left."""

    weights: Weights
    history: History
    kept: dict[str, float]
    state: State


def descend(
    optimiser: optax.GradientTransformation, grads: Weights, memory: Any, weights: Weights
) -> tuple[Weights, Any]:
    """The weights and the optimiser's memory after one step."""
    with jax.numpy_dtype_promotion("standard"):  # optax's Adam raises a float to its integer step count
        changes, memory = optimiser.update(grads, memory, weights)
    return optax.apply_updates(weights, changes), memory


def steps_in_epoch(count: int, batch_size: int) -> int:
    """Full batches in one pass; what is left over comes first in none, since every epoch has its own order."""
    if count < batch_size:
        raise ValueError(f"{count} training rows do not fill one batch of {batch_size}: lower batch_size or add rows")
    return count // batch_size


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order in which an epoch visits its rows: a permutation of range(count) fixed by (seed, epoch)."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def train(program: Program, rows: Mapping[str, Any], plan: Plan, checkpoints: Path, watch: Watcher) -> Outcome:
    """Train `program` on `rows` (name -> array of N rows; images may be memory-mapped) as `plan` says.

    Resume, in this order: 1. the newest checkpoint under `checkpoints`, if there is one, replaces the initial state;
    2. its step number says which epoch to enter and how many of its batches to skip; 3. history and best figure come
    from the same checkpoint, so that curve and selection go on as if nothing had happened.

    Raises ValueError where the batch does not suit rows or devices, FloatingPointError when a figure or weight stops
    being finite.
    """
    devices = jax.devices()
    if plan.batch_size % len(devices):
        raise ValueError(f"batch_size {plan.batch_size} cannot be shared evenly by {len(devices)} devices")
    mesh = Mesh(np.array(devices), ("data",))
    shared, split = NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec("data"))

    count = len(next(iter(rows.values())))
    per_epoch = steps_in_epoch(count, plan.batch_size)
    total = per_epoch * plan.epochs
    root = jax.random.key(plan.seed)
    rhythm: dict[str, int] = {}  # of each figure: it is of one step in so many

    def follow(lazily: Callable, place: int, run: State, batch: dict[str, Array], step: Array) -> State:
        key = jax.random.fold_in(jax.random.fold_in(root, step), place)
        state, metrics = lazily(run["state"], batch, key)
        sums = run["sums"] | {name: run["sums"][name] + value for name, value in metrics.items()}
        return run | {"state": state, "sums": sums, "failed": checked(run["failed"], state, metrics, step)}

    def checked(failed: Array, state: State, metrics: Scalars, step: Array) -> Array:
        """The first step whose figures or weights are not finite, -1 if there is none yet."""
        watched = [*metrics.values(), *jax.tree.leaves(program.weights(state))]
        finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(values)) for values in watched]))
        return jnp.where((failed < 0) & ~finite, step, failed)

    def advance(run: State, batch: dict[str, Array], step: Array) -> State:
        state, metrics = program.step(run["state"], batch, jax.random.fold_in(root, step))
        fresh = program.weights(state)
        # A young average forgets quickly, or the random start would stay in it for 1 / (1 - ema) steps.
        age = step.astype(jnp.float32)
        decay = jnp.minimum(plan.ema, (1 + age) / (10 + age)) if plan.ema else jnp.float32(0.0)
        average = jax.tree.map(lambda old, new: decay * old + (1 - decay) * new, run["average"], fresh)
        failed = checked(run["failed"], state, metrics, step)
        sums = run["sums"] | {name: run["sums"][name] + value for name, value in metrics.items()}
        return {"state": state, "average": average, "sums": sums, "failed": failed, "best": run["best"]}

    def start() -> State:
        state = program.init(jax.random.fold_in(root, 2**31 - 1))
        weights = program.weights(state)
        batch = {name: jnp.asarray(column[: plan.batch_size]) for name, column in rows.items()}
        for every, each in ((1, program.step), *program.lazy):
            rhythm.update(dict.fromkeys(jax.eval_shape(each, state, batch, root)[1], every))
        sums = {name: jnp.zeros(()) for name in rhythm}
        copies = [jax.tree.map(jnp.copy, weights) for _ in range(2)]  # donated apart from each other
        return {"state": state, "average": copies[0], "sums": sums, "failed": jnp.int32(-1), "best": copies[1]}

    advance = jax.jit(advance, donate_argnums=0, out_shardings=shared)
    followers = [
        (every, jax.jit(partial(follow, lazily, place), donate_argnums=0, out_shardings=shared))
        for place, (every, lazily) in enumerate(program.lazy)
    ]
    keeper = Keeper(checkpoints)
    run = jax.device_put(start(), shared)
    run, record = keeper.restore(run)
    step, history = record["step"], record["history"]
    if step > total:
        raise ValueError(f"{checkpoints} holds a training that is at step {step}, past the {total} that are asked for: it is of "
                         "another recipe; remove that folder")
    if step == total:
        watch.log(f"all {total} steps were done before")
    elif step:
        watch.log(f"goes on at step {step} of {total} (epoch {step // per_epoch + 1} of {plan.epochs})")

    shown, epoch_began = 0.0, time.monotonic()
    while step < total:
        epoch, offset = divmod(step, per_epoch)
        order = epoch_order(count, plan.seed, epoch)
        for index in range(offset, per_epoch):
            chosen = order[index * plan.batch_size : (index + 1) * plan.batch_size]
            batch = jax.device_put({name: np.asarray(column[chosen]) for name, column in rows.items()}, split)
            run = advance(run, batch, jnp.int32(step))
            for every, lazily in followers:
                if step % every == 0:
                    run = lazily(run, batch, jnp.int32(step))
            step += 1
            if step % METRICS_STEPS and index + 1 < per_epoch:
                continue
            stop_if_failed(run, per_epoch, keeper)
            seconds = time.monotonic() - epoch_began
            rate = (index + 1 - offset) * plan.batch_size / seconds
            watch.progress(step, total, f"epoch {epoch + 1}/{plan.epochs}, {rate:,.0f} pictures/s")
            if index + 1 < per_epoch and keeper.due():
                keeper.save(run, {"step": step, "history": history})

        began, ended = epoch * per_epoch, (epoch + 1) * per_epoch
        counts = {name: -(-ended // every) + -began // every for name, every in rhythm.items()}  # steps that had the figure
        row = {"epoch": epoch + 1} | {name: float(run["sums"][name]) / counts[name] for name in rhythm if counts[name]}
        row |= program.examine(run["average"])
        history = [*history, row]
        if plan.select is None or row[plan.select] >= max(past[plan.select] for past in history):
            run["best"] = jax.tree.map(jnp.copy, run["average"])
        run["sums"] = jax.tree.map(jnp.zeros_like, run["sums"])
        watch.metrics(row)
        epoch_began = time.monotonic()
        if keeper.due() or step == total:
            keeper.save(run, {"step": step, "history": history})
        if step < total and epoch_began - shown >= PREVIEW_SECONDS:
            shown = epoch_began
            show(program.preview(run["average"], history), watch)

    # Outside the loop: a run that was killed after its last checkpoint still owes its pictures.
    show(program.preview(run["best"], history), watch)
    kept = history[-1] if plan.select is None else max(history, key=lambda row: (row[plan.select], row["epoch"]))
    return Outcome(jax.device_get(run["best"]), history, kept, jax.device_get(run["state"]))


def show(pictures: dict[str, Path], watch: Watcher) -> None:
    for name, path in pictures.items():
        watch.picture(name, path)


def stop_if_failed(run: State, per_epoch: int, keeper: "Keeper") -> None:
    """Raise FloatingPointError naming the first step with a figure or weight that was not finite. Precedes saving."""
    failed = int(run["failed"])
    if failed >= 0:
        raise FloatingPointError(
            f"loss or weights stopped being numbers at step {failed + 1} (epoch {failed // per_epoch + 1}); the last "
            f"good checkpoint is of step {keeper.saved_step()}. Lower the learning rate, or look at the rows of that batch."
        )


class Keeper:
    """Checkpoints of one run: the newest two, each whole or not there (Orbax renames a finished folder into place)."""

    def __init__(self, folder: Path):
        options = ocp.CheckpointManagerOptions(max_to_keep=2, create=True, enable_async_checkpointing=False)
        self.manager = ocp.CheckpointManager(folder.resolve(), options=options)
        self.last = time.monotonic()

    def due(self) -> bool:
        """Whether the last checkpoint is old enough for a new one."""
        return time.monotonic() - self.last >= SAVE_SECONDS

    def saved_step(self) -> int:
        """The step of the newest checkpoint, 0 without one."""
        return self.manager.latest_step() or 0

    def save(self, run: State, record: dict[str, Any]) -> None:
        """Write a checkpoint of record["step"]; returns when it is whole on disk."""
        items = {"run": ocp.args.StandardSave(run), "record": ocp.args.JsonSave(record)}
        self.manager.save(record["step"], args=ocp.args.Composite(**items))
        self.manager.wait_until_finished()
        self.last = time.monotonic()

    def restore(self, run: State) -> tuple[State, dict[str, Any]]:
        """The newest checkpoint with the shapes and devices of `run`, or `run` itself at step 0."""
        step = self.manager.latest_step()
        if step is None:
            return run, {"step": 0, "history": []}
        items = {"run": ocp.args.StandardRestore(run), "record": ocp.args.JsonRestore()}
        restored = self.manager.restore(step, args=ocp.args.Composite(**items))
        return restored.run, restored.record
