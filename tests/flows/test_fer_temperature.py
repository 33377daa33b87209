"""The temperature that stage `fer` writes beside the weights: what the validation faces ask for, and no other face."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from flax import nnx

from data.faceset import EXPRESSIONS, FaceSetWriter
from flows import fer, settings
from metrics.calibration import fit_temperature
from models.fer import weights
from models.fer.mini_xception import MiniXception
from models.fer.predict import probabilities
from models.training import Outcome
from watchers import Silent

PARAMS = settings.load(Path(__file__).parents[2] / "params.yaml")
SPLITS = np.repeat(["train", "validation", "test"], (20, 60, 20))
IMAGES = np.random.default_rng(0).integers(0, 256, (len(SPLITS), 48, 48, 1), np.uint8)


@pytest.fixture(scope="module")
def network():
    """It says one thing of each picture, and is very sure of it."""
    made = MiniXception(rngs=nnx.Rngs(0))
    made.head.kernel[...] = made.head.kernel[...] * 3000
    return made


@pytest.fixture(scope="module")
def said(network):
    found = probabilities(network, IMAGES, mirror=True)
    assert found.max(axis=1).mean() > 0.6
    return found


@pytest.fixture
def trained(tmp_path, network, monkeypatch):
    """What the stage writes of faces with these labels, its training done: the card and the figures."""
    outcome = Outcome({}, [{"epoch": 1, "train_loss": 0.5}], {"epoch": 1.0}, {})
    monkeypatch.setattr(fer, "fit", lambda *faces, **options: (network, outcome))

    def run(labels):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        (folder / "out").mkdir(parents=True)
        with FaceSetWriter(folder / "set", (48, 48, 1)) as writer:
            rows = [{"split": split, "label": int(label)} for split, label in zip(SPLITS, labels, strict=True)]
            writer.append(IMAGES, rows)
        params = replace(PARAMS, fer=replace(PARAMS.fer, votes=0.0, teachers=()))
        fer.run(SimpleNamespace(params=params, item="base", inputs={"faces": folder}, out=folder / "out",
                                checkpoints=folder, watch=Silent()))  # fmt: skip
        return weights.load(folder / "out" / "weights.npz")[1], json.loads((folder / "out" / "metrics.json").read_text())

    return run


def labels_that_it_gets_right(said, share):
    """Of each face what is said of it, but for a share of them another class."""
    right = np.random.default_rng(1).random(len(said)) < share
    return np.where(right, said.argmax(axis=1), (said.argmax(axis=1) + 1) % len(EXPRESSIONS))


def test_a_network_that_is_too_sure_gets_a_temperature_above_one(trained, said):
    labels = labels_that_it_gets_right(said, 0.3)
    card, figures = trained(labels)
    watched = SPLITS == "validation"
    assert card["temperature"] == pytest.approx(fit_temperature(labels[watched], said[watched])) and card["temperature"] > 1.5
    assert figures["temperature"] == card["temperature"] and "temperature" not in card["figures"]


def test_only_validation_faces_have_a_say(trained, said):
    labels = labels_that_it_gets_right(said, 0.3)
    before = trained(labels)[0]["temperature"]
    others = np.where(SPLITS == "validation", labels, said.argmax(axis=1))  # all others it gets right
    assert (others != labels).any()
    assert trained(others)[0]["temperature"] == before
    assert trained(labels_that_it_gets_right(said, 0.9))[0]["temperature"] < before
