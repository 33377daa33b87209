"""Fine-tuning: the head learns first and alone, then the last blocks with it; normalisation stays as it came."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from flax import nnx

from keras_files import drawn, write_numbered
from models.fer.finetune import pretrained
from models.fer.networks import blank
from models.fer.recipe import FineTune, Recipe
from models.fer.train import Faces, fit
from models.weights_file import WeightsError, flat
from watchers import Silent

NETWORK = "mobilenet_v3_small"
RECIPE = Recipe(
    network=NETWORK,
    epochs=4,
    batch_size=8,
    optimizer="adam",
    learning_rate=0.01,
    warmup=0.0,
    weight_decay=0.0,
    label_smoothing=0.0,
    ema=0.0,
    augment="none",
    mixup=0.0,
    teachers=(),
    distil=0.0,
    temperature=1.0,
    select="last",
    hidden=(16,),
    dropout=0.2,
    finetune=FineTune("set by the fixture", head_epochs=2, blocks=2, learning_rate=0.001),
)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "backbone.weights.h5"
    write_numbered(path, drawn(blank(NETWORK, 7, 1).blocks))
    return replace(RECIPE, finetune=replace(RECIPE.finetune, weights=str(path)))


@pytest.fixture(scope="module")
def faces():
    return Faces(np.random.default_rng(0).integers(0, 256, (16, 32, 32, 1), np.uint8), np.arange(16) % 7)


def learn(recipe, faces, checkpoints, preview=lambda model, history: {}):
    options = {"classes": 7, "seed": 0, "checkpoints": checkpoints, "watch": Silent()}
    return fit(recipe, faces, faces, preview=preview, **options)


def values(network):
    return {name: np.asarray(each) for name, each in flat(nnx.to_pure_dict(nnx.state(network))).items()}


@pytest.fixture(scope="module")
def learnt(recipe, faces, tmp_path_factory):
    """The network, its outcome, and its values at the end of each phase."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.training.PREVIEW_SECONDS", float("inf"))
        network, outcome = learn(
            recipe, faces, tmp_path_factory.mktemp("whole"), lambda model, history: seen.append(values(model)) or {}
        )
    return network, outcome, seen


def test_the_head_learns_and_then_the_last_blocks(recipe, learnt):
    network, outcome, (after_head, after) = learnt
    assert [row["epoch"] for row in outcome.history] == [1, 2, 3, 4] and outcome.kept["epoch"] == 4
    start, last = values(pretrained(recipe, 7, 1, jax.random.key(0))), len(network.blocks)
    moved_first = {name for name in start if not np.array_equal(start[name], after_head[name])}
    assert moved_first and all(name.startswith("head/") for name in moved_first)
    moved = {name for name in start if not np.array_equal(after_head[name], after[name])}
    assert {name.split("/")[1] for name in moved if name.startswith("blocks/")} == {str(last - 2), str(last - 1)}
    assert not any(name.endswith(("/mean", "/var")) for name in moved)
    assert any(name.startswith("head/") for name in moved)


def test_killed_in_the_second_phase_it_ends_the_same(recipe, faces, learnt, tmp_path, saved_at_every_step):
    class Killed(Silent):
        def log(self, text):
            self.phase = text

        def progress(self, done, total, text=""):
            if "blocks" in getattr(self, "phase", "") and done == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(recipe, faces, faces, classes=7, seed=0, checkpoints=tmp_path / "cut", watch=Killed(),
            preview=lambda model, history: {})  # fmt: skip
    again, outcome = learn(recipe, faces, tmp_path / "cut")
    a, b = values(learnt[0]), values(again)
    assert all(np.array_equal(a[name], b[name]) for name in a) and len(outcome.history) == 4


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"network": "vgg"}, "hidden, dropout and finetune are of networks on a backbone, which vgg is not"),
        ({"epochs": 2}, "finetune.head_epochs is 2, expected fewer than epochs, 2"),
        ({"hidden": (16, 0)}, "hidden is"),
        ({"dropout": 1.0}, "dropout is 1.0"),
    ],
)
def test_a_wrong_recipe_is_refused_by_its_field(change, told):
    with pytest.raises(ValueError, match=told):
        replace(RECIPE, **change)


def test_what_cannot_be_tuned_is_told(recipe, tmp_path):
    with pytest.raises(ValueError, match="finetune.blocks is 0"):
        replace(recipe.finetune, blocks=0)
    with pytest.raises(ValueError, match="finetune.blocks is 99, mobilenet_v3_small has 13"):
        pretrained(replace(recipe, finetune=replace(recipe.finetune, blocks=99)), 7, 1, jax.random.key(0))
    with pytest.raises(WeightsError, match="lacks the layer conv1"):
        pretrained(replace(recipe, network="mobilenet_v2"), 7, 1, jax.random.key(0))
