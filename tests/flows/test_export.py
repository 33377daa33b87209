"""The export stage: one archive with checked networks, the settings of the training, and a card; or nothing at all."""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from flax import nnx

from data.faceset import EXPRESSIONS, GENDERS, FaceSetWriter
from data.png import write_png
from data.synthetic import draw
from flows import export, prototypes, settings
from metrics.calibration import tempered
from models.fer import predict, weights
from models.fer.mini_xception import MiniXception
from models.onnx_export import ParityError
from models.san import weights as san_weights
from models.san.autoencoder import Autoencoder
from models.san.gender import PortClassifier
from realtime.bundle import Bundle
from realtime.recognition import Recogniser
from watchers import Silent

PARAMS = settings.load(Path(__file__).parents[2] / "params.yaml")
STAGES = (
    "faces", "fer@base", "evaluate", "emoji", "personal_emoji", "prototypes", "gender@port", "san", "evaluate_san",
)  # fmt: skip
CARD = {"network": "mini_xception", "labels": list(EXPRESSIONS), "size": 48, "channels": 1, "sources": ["synthetic"],
        "mirror": True, "temperature": 2.5}  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {name: tmp_path_factory.mktemp("artifacts") / name for name in STAGES}
    for folder in folders.values():
        folder.mkdir()
    pictures, rows = zip(*draw(1, 12, 48), strict=True)  # of a woman and a man
    rows = [row | {"split": "train"} for row in rows]
    with FaceSetWriter(folders["faces"] / "set", (48, 48, 3)) as writer:
        writer.append(np.stack(pictures), list(rows))
    weights.save(folders["fer@base"] / "weights.npz", MiniXception(rngs=nnx.Rngs(0)), CARD)
    (folders["evaluate"] / "metrics.json").write_text(json.dumps({"accuracy": 0.4321}))
    for name, size in (("emoji", 256), ("personal_emoji", 256)):
        (folders[name] / "set").mkdir()
        for k, expression in enumerate(EXPRESSIONS):
            shade = np.full((size, size, 4), (10 if name == "emoji" else 200) + k, np.uint8)
            write_png(folders[name] / "set" / f"{expression}.png", shade)
    network = Autoencoder((2, 3), (8, 4), enlarge=True, rngs=nnx.Rngs(1))
    san_weights.save(folders["san"] / "weights.npz", network, {})
    san_weights.save(folders["gender@port"] / "weights.npz", PortClassifier(2, 48, rngs=nnx.Rngs(2)), {"labels": GENDERS})
    (folders["evaluate_san"] / "metrics.json").write_text(json.dumps({f"gender@port/{s}/auc": 0.875 for s in ("before", "nt", "op")}))
    prototypes.run(SimpleNamespace(params=PARAMS, inputs=folders, out=folders["prototypes"], watch=Silent()))
    return folders


def stage(inputs: dict[str, Path], out: Path, **options) -> SimpleNamespace:
    params = replace(PARAMS, export=replace(PARAMS.export, classifier="trained", **options))
    return SimpleNamespace(params=params, inputs=inputs, out=out, watch=Silent())


@pytest.fixture(scope="module")
def exported(inputs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("export")
    export.run(stage(inputs, out, smoothing=0.5, detect_every=7))
    return out


def test_the_archive_carries_the_settings_of_this_run(exported: Path) -> None:
    bundle = Bundle.load(zipfile.Path(exported / "emoji_cam.pyz") / "realtime" / "assets", threads=1)
    assert (bundle.settings.smoothing, bundle.settings.detect_every) == (0.5, 7)
    assert bundle.settings.labels == EXPRESSIONS
    assert (bundle.emoji["happy"] == 203).all() and bundle.emoji["happy"].shape == (256, 256, 4)  # the personal ones


def test_the_runner_says_what_the_network_says_at_its_temperature(exported: Path, inputs: dict[str, Path]) -> None:
    bundle = Bundle.load(zipfile.Path(exported / "emoji_cam.pyz") / "realtime" / "assets", threads=1)
    crops = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 1), np.uint8)
    shown = Recogniser(bundle, min_face=40, detect_every=5).probabilities(list(crops))
    said = predict.probabilities(weights.load(inputs["fer@base"] / "weights.npz")[0], crops, mirror=True)
    np.testing.assert_allclose(shown, tempered(said, 2.5), atol=1e-5)
    assert np.abs(shown - said).max() > 1e-3
    assert "temperature: 2.5" in (exported / "card.md").read_text()


def test_every_network_was_checked_and_agrees(exported: Path) -> None:
    figures = json.loads((exported / "metrics.json").read_text())
    for name in ("classifier", "pnet", "rnet", "onet", "san", "reader"):
        assert 0 < figures[f"difference_{name}"] < 1e-5
    assert figures["bytes"] == (exported / "emoji_cam.pyz").stat().st_size


def test_the_archive_hides_faces_as_the_autoencoder_does(exported: Path, inputs: dict[str, Path]) -> None:
    privacy = Bundle.load(zipfile.Path(exported / "emoji_cam.pyz") / "realtime" / "assets", threads=1).privacy
    assert (privacy.attribute, privacy.classes, privacy.size, privacy.align) == ("gender", GENDERS, 48, True)
    network, _ = san_weights.load(inputs["san"] / "weights.npz")
    packed = np.random.default_rng(0).random((3, 48, 48, 7), np.float32)
    expected = network(packed[..., :1], packed[..., 1:4], packed[..., 4:])
    np.testing.assert_allclose(privacy.san(packed)[0], expected, atol=1e-5)
    with np.load(inputs["prototypes"] / "prototypes.npz") as stored:
        np.testing.assert_array_equal(privacy.prototypes, stored["aligned"])
        np.testing.assert_array_equal(privacy.canonical, stored["canonical"])


def test_faces_made_into_features_leave_out_what_hides_them(inputs: dict[str, Path], tmp_path: Path) -> None:
    without = stage(inputs, tmp_path)
    without.params = replace(without.params, faces=replace(without.params.faces, features="hog"))
    export.run(without)
    carried = zipfile.Path(tmp_path / "emoji_cam.pyz") / "realtime" / "assets"
    assert Bundle.load(carried, threads=1).privacy is None and "--privacy" not in (tmp_path / "card.md").read_text()


def test_about_may_be_read_by_half(exported: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "emoji_cam.pyz", "--about"], cwd=exported, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_about_prints_data_and_figures(exported: Path) -> None:
    done = subprocess.run(
        [sys.executable, "emoji_cam.pyz", "--about"], cwd=exported, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == (exported / "card.md").read_text().strip()
    for expected in ("synthetic", "0.4321", "weights.npz", "MTCNN", "differ by at most", "StyleGAN2", "--privacy hides: gender (woman, man)",
                     "AUC of gender@port: before 0.875"):
        assert expected in done.stdout


def test_the_same_run_gives_the_same_bytes(exported: Path, inputs: dict[str, Path], tmp_path: Path) -> None:
    export.run(stage(inputs, tmp_path, smoothing=0.5, detect_every=7))
    assert (tmp_path / "emoji_cam.pyz").read_bytes() == (exported / "emoji_cam.pyz").read_bytes()


def test_a_network_that_differs_stops_the_export(inputs: dict[str, Path], tmp_path: Path, monkeypatch) -> None:
    other = MiniXception(rngs=nnx.Rngs(1))
    genuine = export.export

    def swapped(network, shape, outputs, name):
        return genuine(other if name == "classifier" else network, shape, outputs, name)

    monkeypatch.setattr(export, "export", swapped)
    with pytest.raises(ParityError, match="classifier"):
        export.run(stage(inputs, tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_classifier_of_features_that_the_runner_does_not_compute_is_refused(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "fer"
    folder.mkdir()
    weights.save(folder / "weights.npz", MiniXception(rngs=nnx.Rngs(0)), CARD | {"features": "clahe_5_4"})
    with pytest.raises(ValueError, match="faces.features clahe_5_4.*export.classifier to released"):
        export.run(stage(inputs | {"fer@base": folder}, tmp_path))
