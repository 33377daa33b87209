"""The runner with the real detector, an untrained classifier and plain emoji, and a small film."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

import cv2
import drawn_film
import numpy as np
import pytest

from data.faceset import EXPRESSIONS
from realtime.bundle import Bundle, Settings


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings(
        labels=EXPRESSIONS, size=48, channels=1, scale=1 / 127.5, offset=-1.0, temperature=1.0, align=True, margin=0.0,
        smoothing=0.6, detect_every=5, min_face=40, thresholds=(0.8, 0.7, 0.7), factor=0.709,
    )  # fmt: skip


@pytest.fixture(scope="session")
def assets(settings: Settings) -> dict[str, bytes]:
    """What the archive carries beside the code, by name."""
    from flax import nnx

    from models.fer.mini_xception import MiniXception
    from models.mtcnn.weights import network
    from models.onnx_export import export

    classifier = partial(MiniXception(rngs=nnx.Rngs(0)), form="grouped")
    files = {
        "classifier.onnx": export(classifier, ("N", 48, 48, 1), ["logits"], "classifier"),
        "pnet.onnx": export(network("pnet"), ("N", "H", "W", 3), ["face", "box"], "pnet"),
        "rnet.onnx": export(network("rnet"), ("N", 24, 24, 3), ["face", "box"], "rnet"),
        "onet.onnx": export(network("onet"), ("N", 48, 48, 3), ["face", "box", "landmarks"], "onet"),
        "model.json": json.dumps(asdict(settings)).encode(),
        "card.md": b"# a card\n",
    }
    for number, label in enumerate(EXPRESSIONS):
        picture = np.full((64, 64, 4), (30 * number, 0, 255, 255), np.uint8)
        files[f"emoji/{label}.png"] = cv2.imencode(".png", picture)[1].tobytes()
    return files


@pytest.fixture(scope="session")
def folder(assets: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a folder."""
    folder = tmp_path_factory.mktemp("assets")
    (folder / "emoji").mkdir()
    for name, content in assets.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def bundle(folder: Path) -> Bundle:
    return Bundle.load(folder, threads=1)


@pytest.fixture(scope="session")
def face() -> np.ndarray:
    return drawn_film.face()


@pytest.fixture(scope="session")
def frames(face: np.ndarray) -> list[np.ndarray]:
    return drawn_film.frames(face)


@pytest.fixture(scope="session")
def film(frames: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    drawn_film.write(path, frames)
    return path
