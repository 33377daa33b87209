"""Reading action units at the smallest: it learns what is there, resumes exactly, and refuses what is no intensity."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from flax import nnx

from data.faceset import ACTION_UNITS
from models.action_units.read import errors, read
from models.action_units.recipe import Recipe
from models.action_units.train import Faces, fit
from models.action_units.units import UNITS, checked
from models.action_units.weights import load, save
from models.weights_file import WeightsError
from watchers import Interrupting

RECIPE = Recipe(
    network="mini_xception", epochs=2, batch_size=16, learning_rate=0.01, warmup=0.1, weight_decay=1e-4, ema=0.5,
    augment="light",
)  # fmt: skip


def bright_and_dark(count, seed):
    """Pictures as bright as their first unit is strong; the other units are 0."""
    rng = np.random.default_rng(seed)
    units = np.zeros((count, len(UNITS)), np.float32)
    units[:, 0] = rng.integers(0, 2, count)
    noise = rng.integers(0, 60, (count, 32, 32, 3))
    return Faces((noise + 180 * units[:, 0].astype(int)[:, None, None, None]).astype(np.uint8), units)


FACES, OTHERS = bright_and_dark(64, 0), bright_and_dark(32, 1)


def learn(folder, recipe=RECIPE, watch=None):
    return fit(
        recipe, FACES, OTHERS, seed=0, checkpoints=folder, watch=watch or Interrupting(), preview=lambda model, history: {}
    )


def test_the_units_are_those_of_a_face_set():
    assert UNITS == ACTION_UNITS


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return learn(tmp_path_factory.mktemp("whole"))


def bytes_of(model):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(nnx.to_pure_dict(nnx.state(model)))]


def test_it_learns_what_is_in_the_picture(tmp_path):
    _, outcome = learn(tmp_path, replace(RECIPE, epochs=20, ema=0.0, augment="none"))
    assert outcome.history[-1]["train_mae"] < 0.2 * outcome.history[0]["train_mae"]


def test_resume_is_exact(tmp_path, saved_at_every_step, whole):
    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path, watch=Interrupting(fail_after=5))
    model, outcome = learn(tmp_path)
    assert bytes_of(model) == bytes_of(whole[0]) and outcome.history == whole[1].history


def test_a_file_gives_back_what_reads_the_same_in_any_batches(tmp_path, whole):
    save(tmp_path / "reader.npz", whole[0], {"network": "mini_xception", "size": 32})
    found, card = load(tmp_path / "reader.npz")
    assert card["units"] == list(UNITS) and card["channels"] == 3
    said = read(whole[0], OTHERS.images)
    assert said.shape == (32, 17)
    np.testing.assert_array_equal(read(found, OTHERS.images), said)
    np.testing.assert_allclose(read(found, OTHERS.images[:20], batch_size=8), said[:20], atol=1e-4)
    save(tmp_path / "other.npz", whole[0], {"network": "vgg", "size": 32})
    with pytest.raises(WeightsError, match="other.npz"):
        load(tmp_path / "other.npz")
    with pytest.raises(ValueError, match=r"expected uint8 \(N, H, W, 3\)"):
        read(found, OTHERS.images[..., :1])


def test_errors_by_hand():
    truth = np.zeros((2, 17), np.float32)
    truth[0] = 0.4
    found = errors(truth + np.float32(0.1), truth)
    assert found == pytest.approx({"mae": 0.1, "rmse": 0.1, "mean_mae": 0.2})
    with pytest.raises(ValueError, match="3 rows of action units for 2 pictures"):
        errors(np.zeros((3, 17)), truth)


def test_what_is_no_intensity_is_refused():
    good = np.full((2, 17), 0.5)
    for units, message in (
        (good[:, :3], r"action units are \(2, 3\), expected \(N, 17\)"),
        (good[0], r"action units are \(17,\)"),
        (np.where(np.arange(34).reshape(2, 17) == 20, 1.5, good), "action unit 5 of row 1 is 1.5"),
        (np.where(np.arange(34).reshape(2, 17) == 16, np.nan, good), "action unit 45 of row 0 is nan"),
    ):
        with pytest.raises(ValueError, match=message):
            checked(units)
    for field, value in (("epochs", 0), ("learning_rate", 0.0), ("warmup", 1.0), ("ema", -0.1), ("weight_decay", -1.0)):
        with pytest.raises(ValueError, match=f"{field} is"):
            replace(RECIPE, **{field: value})
