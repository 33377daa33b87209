"""Pictures are whole PNGs of the same bytes every time, whatever the user's matplotlib settings, and show the data."""

import cv2
import matplotlib
import numpy as np
import pandas as pd
import pytest

from metrics.plots import confusion_picture, learning_curve_picture, roc_picture
from metrics.roc import roc_curve

NAMES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def confusion(path, seed=0):
    matrix = np.random.default_rng(seed).integers(0, 500, (7, 7))
    confusion_picture({"public_test": matrix, "private_test": matrix.T}, NAMES, path)


def roc(path, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.random(400) < 0.3
    curves = {name: roc_curve(truth, truth * shift + rng.random(400)) for name, shift in (("happy", 0.9), ("sad", 0.3))}
    roc_picture({"test": curves}, path)


def learning_curve(path, seed=0):
    rate = 0.2 + seed / 10
    history = pd.DataFrame({"epoch": range(10), "loss": [2 * np.exp(-rate * i) for i in range(10)]})
    history["validation_accuracy"] = [0.1 * i if i % 3 == 0 else None for i in range(10)]
    learning_curve_picture(history, {"loss": ["loss"], "accuracy": ["validation_accuracy"]}, path)


@pytest.mark.parametrize("draw", [confusion, roc, learning_curve])
def test_a_picture_is_a_png_and_repeats_byte_for_byte(tmp_path, draw):
    draw(tmp_path / "a.png")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.dpi": 40}):  # somebody's own style
        draw(tmp_path / "b.png")
    draw(tmp_path / "c.png", seed=1)
    first = (tmp_path / "a.png").read_bytes()
    assert first == (tmp_path / "b.png").read_bytes()
    assert first != (tmp_path / "c.png").read_bytes()
    assert b"Software" not in first and b"tEXt" not in first
    assert min(cv2.imread(str(tmp_path / "a.png")).shape[:2]) > 300
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png", "c.png"]  # nothing half-written beside


def test_nothing_to_draw_and_missing_columns_are_errors(tmp_path):
    with pytest.raises(ValueError, match="nothing to draw"):
        roc_picture({}, tmp_path / "a.png")
    with pytest.raises(ValueError, match="no column accuracy in the history; it has epoch, loss"):
        learning_curve_picture(
            pd.DataFrame({"epoch": [0], "loss": [1.0]}), {"accuracy": ["accuracy"]}, tmp_path / "a.png"
        )
