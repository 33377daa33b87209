"""The stage `evaluate` on a small set and a random network: it writes what the network says, and names wrong splits."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from flax import nnx
from sklearn.metrics import accuracy_score

from data.faceset import EXPRESSIONS, FaceSetWriter
from flows import evaluate
from flows.predictions import PROBABILITIES
from flows.sections import Evaluate
from metrics.calibration import expected_calibration_error, tempered
from models.fer import predict, weights
from models.fer.mini_xception import MiniXception


class Listener:
    """Keeps what a stage says."""

    def __init__(self):
        self.lines, self.tables, self.steps = [], {}, []

    def log(self, text):
        self.lines.append(text)

    def progress(self, done, total, text=""):
        self.steps.append((done, total))

    def table(self, name, rows):
        self.tables[name] = rows


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Weights of a random network."""
    path = tmp_path_factory.mktemp("network") / "weights.npz"
    weights.save(path, MiniXception(rngs=nnx.Rngs(0)), {"labels": list(EXPRESSIONS), "size": 48, "channels": 1})
    return path


@pytest.fixture
def stage(tmp_path, network):
    """30 training, 20 test and 10 public_test faces of noise; half of the labels are what the network says."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 48, 48, 1), np.uint8)
    called = predict.probabilities(weights.load(network)[0], images).argmax(axis=1)
    labels = np.where(np.arange(60) % 2, called, rng.integers(0, 7, 60))
    labels[labels == EXPRESSIONS.index("fear")] = EXPRESSIONS.index("sad")  # so no face shows fear
    splits = ["train"] * 30 + ["test"] * 20 + ["public_test"] * 10
    rows = [
        {"split": split, "label": int(label), "subject": f"p{i // 2}" if split == "test" else None}
        for i, (split, label) in enumerate(zip(splits, labels, strict=True))
    ]
    (tmp_path / "faces").mkdir()
    with FaceSetWriter(tmp_path / "faces" / "set", (48, 48, 1)) as writer:
        writer.append(images, rows)
    (tmp_path / "out").mkdir()
    return SimpleNamespace(
        params=SimpleNamespace(seed=0, evaluate=Evaluate(splits=None, confidence=0.95)),
        inputs={"faces": tmp_path / "faces", "fer@base": network.parent, "fer@augmented": network.parent},
        out=tmp_path / "out",
        watch=Listener(),
    )


def test_predictions_and_figures_are_the_network_s(stage):
    evaluate.run(stage)
    found = pd.read_parquet(stage.out / "predictions.parquet")
    assert list(found.columns) == ["id", "split", "label", *PROBABILITIES]
    assert found["split"].tolist() == ["test"] * 20 + ["public_test"] * 10  # training faces are not scored
    model, _ = weights.load(stage.inputs["fer@base"] / "weights.npz")
    images = np.load(stage.inputs["faces"] / "set" / "images.npy")
    np.testing.assert_allclose(found[PROBABILITIES], predict.probabilities(model, images[30:]), atol=1e-6)

    figures = json.loads((stage.out / "metrics.json").read_text())
    assert all(isinstance(value, (int, float)) for value in figures.values())
    for split in ("test", "public_test"):
        here = found[found["split"] == split]
        called = here[PROBABILITIES].to_numpy().argmax(axis=1)
        assert figures[f"{split}/n"] == len(here)
        assert figures[f"{split}/accuracy"] == pytest.approx(accuracy_score(here["label"], called))
        assert figures[f"{split}/accuracy_low"] < figures[f"{split}/accuracy"] < figures[f"{split}/accuracy_high"]
    assert "test/recall_fear" not in figures  # no face of that class: unknown, not 0
    assert {"test/recall_sad", "test/recall_sad_low", "test/recall_sad_high"} <= figures.keys()


def test_calibration_is_told_with_and_without_the_temperature_of_the_card(stage, tmp_path):
    evaluate.run(stage)
    first, plain = json.loads((stage.out / "metrics.json").read_text()), (stage.out / "reliability.png").read_bytes()
    assert first["test/calibration_error_tempered"] == pytest.approx(first["test/calibration_error"])  # a card without: 1

    model, card = weights.load(stage.inputs["fer@base"] / "weights.npz")
    (tmp_path / "base").mkdir()
    weights.save(tmp_path / "base" / "weights.npz", model, card | {"temperature": 0.25})
    stage.inputs["fer@base"] = tmp_path / "base"
    evaluate.run(stage)
    figures = json.loads((stage.out / "metrics.json").read_text())
    here = pd.read_parquet(stage.out / "predictions.parquet").query("split == 'test'")
    said = here[PROBABILITIES].to_numpy()
    errors = [expected_calibration_error(here["label"], each) for each in (said, tempered(said, 0.25))]
    assert errors[0] != pytest.approx(errors[1])
    assert [figures[f"test/calibration_error{end}"] for end in ("", "_tempered")] == pytest.approx(errors)
    assert figures["augmented/test/calibration_error_tempered"] == pytest.approx(errors[0])  # its card has none
    changed = {name for name in first if figures[name] != pytest.approx(first[name])}
    assert changed == {"test/calibration_error_tempered", "public_test/calibration_error_tempered"}
    assert (stage.out / "reliability.png").read_bytes() != plain


def test_plot_tables_hold_every_face_and_whole_curves(stage):
    evaluate.run(stage)
    pairs = pd.read_csv(stage.out / "confusion.csv")
    found = pd.read_parquet(stage.out / "predictions.parquet")
    assert (pairs["actual"] == found["label"].map(dict(enumerate(EXPRESSIONS)))).all()
    assert set(pairs["predicted"]) <= set(EXPRESSIONS)
    points = pd.read_csv(stage.out / "roc.csv")
    for _, line in points.groupby(["split", "expression"]):
        assert line[["fpr", "tpr"]].iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
    assert {path.name for path in stage.out.iterdir()} == {
        "predictions.parquet", "confusion.csv", "roc.csv", "gain.csv", "confusion.png", "roc.png", "reliability.png",
        "grad_cam.png", "mistakes.png", "metrics.json",
    }  # fmt: skip
    assert [row["expression"] for row in stage.watch.tables["recall on test"]] == list(EXPRESSIONS)
    assert stage.watch.steps[-1] == (30, 30)
    assert any(line.startswith("public_test: 10 faces, accuracy") for line in stage.watch.lines)


def test_the_same_run_gives_the_same_bytes(stage):
    evaluate.run(stage)
    first = {path.name: path.read_bytes() for path in stage.out.iterdir()}
    evaluate.run(stage)
    assert {path.name: path.read_bytes() for path in stage.out.iterdir()} == first


def test_named_splits_replace_the_choice(stage):
    stage.params.evaluate = replace(stage.params.evaluate, splits=("train",))
    evaluate.run(stage)
    assert set(pd.read_parquet(stage.out / "predictions.parquet")["split"]) == {"train"}


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (("test", "tset"), "names tset; the splits of this set: public_test, test, train"),
        ((), "evaluate.splits is empty"),
    ],
)
def test_wrong_splits_are_named(stage, splits, message):
    stage.params.evaluate = replace(stage.params.evaluate, splits=splits)
    with pytest.raises(ValueError, match=message):
        evaluate.run(stage)


def test_nothing_held_out_is_an_error():
    with pytest.raises(ValueError, match="nothing to evaluate on.*train, validation"):
        evaluate.choose(pd.Series(["train", "validation", None]), None)


def test_faces_without_label_are_counted_and_refused(stage):
    folder = stage.inputs["faces"] / "set"
    table = pd.read_parquet(folder / "faces.parquet")
    table["label"] = table["label"].astype("Int8").where(table.index != 31)
    table.to_parquet(folder / "faces.parquet")
    with pytest.raises(ValueError, match="1 of 30 faces in public_test, test have no label"):
        evaluate.run(stage)


def test_a_classifier_gains_nothing_over_itself_and_a_better_one_does(stage, tmp_path):
    evaluate.run(stage)
    gain = pd.read_csv(stage.out / "gain.csv")
    assert (gain["gain"].dropna() == 0).all() and len(gain) == 2 * (3 + len(EXPRESSIONS))

    other = MiniXception(rngs=nnx.Rngs(1))
    (tmp_path / "other").mkdir()
    weights.save(tmp_path / "other" / "weights.npz", other, {"labels": list(EXPRESSIONS), "size": 48, "channels": 1})
    stage.inputs["fer@augmented"] = tmp_path / "other"
    evaluate.run(stage)
    figures = json.loads((stage.out / "metrics.json").read_text())
    apart = figures["augmented/test/accuracy"] - figures["test/accuracy"]
    assert figures["gain/test/accuracy"] == pytest.approx(apart) and apart < 0
    assert figures["gain/test/accuracy_low"] < apart < figures["gain/test/accuracy_high"]
