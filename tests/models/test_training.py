"""The loop: exact resume, averaging, selection, NaN stop, devices; on a small linear problem, a moment each."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from models import training
from models.training import Plan, Program, epoch_order, train

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3)).astype(np.float32)
ROWS = {"x": X, "y": (X @ np.float32([1.0, -2.0, 0.5])).astype(np.float32)}


class Silent:
    def __init__(self, fail_after=None):
        self.rows, self.logs, self.pictures, self.fail_after = [], [], [], fail_after

    def log(self, text):
        self.logs.append(text)

    def progress(self, done, total, text=""):
        if self.fail_after is not None and done >= self.fail_after:
            raise KeyboardInterrupt

    def metrics(self, values):
        self.rows.append(values)

    def picture(self, name, path):
        self.pictures.append(name)


def linear(rate=0.05, noise=0.1, examine=lambda kept: {"bias": float(kept["w"][0])}):
    def step(state, batch, key):
        def loss(w):
            jitter = noise * jax.random.normal(key, batch["x"].shape)
            return jnp.mean(jnp.square((batch["x"] + jitter) @ w - batch["y"]))

        value, grad = jax.value_and_grad(loss)(state["w"])
        return {"w": state["w"] - rate * grad}, {"train_loss": value}

    init = lambda key: {"w": jax.random.normal(key, (3,))}
    return Program(init, step, lambda state: state, examine, lambda kept, history: {"w": Path("w.png")})


def run(folder, plan=Plan(epochs=4, batch_size=8, seed=1, ema=0.9), watch=None, program=None):
    return train(program or linear(), ROWS, plan, folder, watch or Silent())


def test_it_learns_and_keeps_the_whole_curve(tmp_path):
    watch = Silent()
    outcome = run(tmp_path, Plan(epochs=30, batch_size=8, seed=1), watch)
    np.testing.assert_allclose(outcome.weights["w"], [1.0, -2.0, 0.5], atol=0.1)
    assert [row["epoch"] for row in outcome.history] == list(range(1, 31)) and watch.rows == outcome.history
    assert outcome.history[-1]["train_loss"] < outcome.history[0]["train_loss"] / 5
    assert watch.pictures[-1] == "w"


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path):
    first, again = run(tmp_path / "a"), run(tmp_path / "b")
    other = run(tmp_path / "c", Plan(epochs=4, batch_size=8, seed=2, ema=0.9))
    assert first.weights["w"].tobytes() == again.weights["w"].tobytes() != other.weights["w"].tobytes()


@pytest.mark.parametrize("stop", [1, 7, 12, 17])  # six steps an epoch: within, and at the end of one
def test_resume_is_exact_wherever_it_was_stopped(tmp_path, monkeypatch, stop):
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(training, "METRICS_STEPS", 1)
    whole = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", watch=Silent(fail_after=stop))
    watch = Silent()
    resumed = run(tmp_path / "cut", watch=watch)
    assert resumed.weights["w"].tobytes() == whole.weights["w"].tobytes()
    assert resumed.history == whole.history
    assert stop == 1 or "goes on at step" in watch.logs[0]


KILLED = """
import os, sys, pathlib, signal
sys.path[:0] = [{root!r}, {here!r}]
from models import training
import test_training as t
training.SAVE_SECONDS, training.METRICS_STEPS = 0.0, 1
class Killer(t.Silent):
    def progress(self, done, total, text=""):
        if done == int(sys.argv[2]): os.kill(os.getpid(), signal.SIGKILL)
print(t.run(pathlib.Path(sys.argv[1]), watch=Killer()).weights["w"].tobytes().hex())
"""


def test_kill_9_in_the_middle_changes_nothing(tmp_path):
    here = Path(__file__).resolve()
    script = KILLED.format(root=str(here.parents[2]), here=str(here.parent))
    call = lambda folder, at: subprocess.run(
        [sys.executable, "-c", script, str(folder), str(at)], capture_output=True, text=True, env=dict(os.environ)
    )
    assert call(tmp_path / "cut", 15).returncode == -signal.SIGKILL
    resumed, whole = call(tmp_path / "cut", -1), call(tmp_path / "whole", -1)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout == whole.stdout != ""


def test_a_finished_run_is_not_trained_again(tmp_path):
    first, watch = run(tmp_path), Silent(fail_after=0)
    assert run(tmp_path, watch=watch).weights["w"].tobytes() == first.weights["w"].tobytes()
    assert watch.pictures == ["w"]  # what a kill after the last checkpoint left undone


def test_the_average_is_the_one_of_its_formula(tmp_path):
    seen = []
    program = linear(noise=0.0, examine=lambda kept: seen.append(np.array(kept["w"])) or {})
    kept = run(tmp_path, Plan(epochs=3, batch_size=50, seed=1, ema=0.5), program=program).weights["w"]
    w = np.array(program.init(jax.random.fold_in(jax.random.key(1), 2**31 - 1))["w"])
    average = w
    for step in range(3):
        order = epoch_order(50, 1, step)
        x, y = ROWS["x"][order], ROWS["y"][order]
        w = w - 0.05 * 2 * (x.T @ (x @ w - y)) / 50
        decay = min(0.5, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * w
    np.testing.assert_allclose(kept, average, atol=1e-5)
    np.testing.assert_allclose(seen[-1], average, atol=1e-5)


def test_the_best_epoch_is_kept_when_asked(tmp_path):
    scores, seen = iter([0.1, 0.9, 0.3, 0.2]), []

    def examine(kept):
        seen.append(np.array(kept["w"]))
        return {"score": next(scores)}

    plan = Plan(epochs=4, batch_size=8, seed=1, select="score")
    outcome = run(tmp_path, plan, program=linear(examine=examine))
    assert outcome.weights["w"].tobytes() == seen[1].tobytes()
    assert outcome.kept == outcome.history[1]


def test_not_a_number_stops_the_run_and_names_the_step(tmp_path):
    with pytest.raises(FloatingPointError, match=r"step \d+ \(epoch [12]\).*last good checkpoint is of step"):
        run(tmp_path, Plan(epochs=40, batch_size=8, seed=1), program=linear(rate=1e12))


def test_weights_that_are_not_numbers_stop_the_run_though_the_loss_still_is(tmp_path):
    program = linear()
    spoil = lambda state, batch, key: ({"w": state["w"] * jnp.nan}, {"train_loss": jnp.float32(0.5)})
    with pytest.raises(FloatingPointError, match="step 1 "):
        run(tmp_path, Plan(epochs=1, batch_size=8, seed=1), program=replace(program, step=spoil))


def test_a_batch_that_does_not_suit_is_refused(tmp_path):
    assert len(jax.devices()) == 2  # pretended, see conftest
    with pytest.raises(ValueError, match="7 cannot be shared evenly by 2 devices"):
        run(tmp_path, Plan(epochs=1, batch_size=7, seed=1))
    with pytest.raises(ValueError, match="50 training rows do not fill one batch of 64"):
        run(tmp_path, Plan(epochs=1, batch_size=64, seed=1))


def test_the_batch_is_spread_over_all_devices_and_gives_what_one_device_gives(tmp_path, monkeypatch):
    plan = Plan(epochs=4, batch_size=8, seed=1, ema=0.9)
    both = run(tmp_path / "two", plan)
    monkeypatch.setattr(jax, "devices", lambda: [jax.local_devices()[0]])
    one = run(tmp_path / "one", plan)
    np.testing.assert_allclose(both.weights["w"], one.weights["w"], atol=1e-5)


def test_an_epoch_visits_every_row_once_in_an_order_of_its_own():
    first, second = epoch_order(100, 0, 0), epoch_order(100, 0, 1)
    assert sorted(first) == sorted(second) == list(range(100))
    assert (first != second).any() and (epoch_order(100, 0, 0) == first).all()


def test_lazy_steps_follow_every_so_many_steps_and_resume_exactly(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(training, "METRICS_STEPS", 1)

    def pull(state, batch, key):
        return {"w": state["w"] * (0.9 + 0.01 * jax.random.uniform(key))}, {"pull": jnp.float32(1.0)}

    lazily = replace(linear(), lazy=((3, pull),))
    whole = run(tmp_path / "whole", program=lazily)
    assert whole.weights["w"].tobytes() != run(tmp_path / "plain").weights["w"].tobytes()
    assert [row["pull"] for row in whole.history] == [1.0] * 4
    rare = run(tmp_path / "rare", program=replace(linear(), lazy=((16, pull),)))
    assert [row.get("pull") for row in rare.history] == [1.0, None, 1.0, None]  # of six steps each: steps 0 and 16 have it
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", watch=Silent(fail_after=7), program=lazily)
    assert run(tmp_path / "cut", program=lazily).weights["w"].tobytes() == whole.weights["w"].tobytes()


def test_a_training_that_went_on_for_longer_is_not_taken_for_the_one_that_is_asked_for(tmp_path):
    run(tmp_path)
    with pytest.raises(ValueError, match="is at step 24, past the 12 that are asked for"):
        run(tmp_path, Plan(epochs=2, batch_size=8, seed=1, ema=0.9))
