"""The commands that work on a picture of one's own: `one`, by SinGAN, and `edit`, by GANimation."""

import cv2
import jax
import numpy as np
import pytest
from flax import nnx

from data.png import write_png
from data.synthetic import draw
from flows import edit, one
from models.action_units import weights as reader_weights
from models.fer.mini_xception import MiniXception
from models.ganimation import weights
from models.ganimation.critic import Critic, Pair
from models.ganimation.generator import Architecture, Generator
from untrained import untrained_pyramids

ARCH = Architecture(size=48, width=4, blocks=1, outer=3, critic_width=4, critic_layers=2)


@pytest.fixture
def pictures(tmp_path):
    """A picture, one of its size, a mask, and one of another size, as files."""
    noise = np.random.default_rng(0).integers(0, 256, (2, 40, 48, 3), np.uint8)
    mask = np.zeros((40, 48, 3), np.uint8)
    mask[10:20, 10:20] = 255
    for name, picture in {"a": noise[0], "b": noise[1], "mask": mask, "small": noise[0, :10, :10]}.items():
        write_png(tmp_path / f"{name}.png", picture)
    return tmp_path


@pytest.mark.parametrize(
    ("use", "size"),
    [("sample", (20, 24)), ("super-resolve", (40, 48)), ("paint", (20, 24)), ("harmonise", (20, 24)), ("edit", (20, 24))],
)
def test_every_use_of_one_picture_writes_pictures(pictures, monkeypatch, use, size):
    monkeypatch.setattr(one, "trained", lambda *_: untrained_pyramids(jax.random.key(0), 1))
    given = ["--reference", str(pictures / "b.png"), "--mask", str(pictures / "mask.png")]
    out = pictures / "made"
    one.main([use, str(pictures / "a.png"), *given, "--factor", "2", "--count", "2", "--out", str(out)])
    made = sorted(out.iterdir())
    assert len(made) == (1 if use == "super-resolve" else 2)
    assert all(cv2.imread(str(each)).shape == (*size, 3) for each in made)


def test_a_film_of_one_picture_has_its_frames(pictures, monkeypatch):
    monkeypatch.setattr(one, "trained", lambda *_: untrained_pyramids(jax.random.key(0), 1))
    one.main(["animate", str(pictures / "a.png"), "--count", "5", "--out", str(pictures / "made")])
    film = cv2.imreadanimation(str(pictures / "made" / "animate.gif"))[1]
    assert len(film.frames) == 5 and film.frames[0].shape[:2] == (20, 24)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["paint", "a.png"], "paint needs --reference"),
        (["edit", "a.png", "--reference", "b.png"], "edit needs --mask"),
        (["edit", "a.png", "--reference", "b.png", "--mask", "small.png"], r"small.png is 10×10, expected 48×40"),
        (["sample", "a.png", "--count", "0"], "--count 0, --start 1, --factor 4: expected at least 1"),
        (["sample", "small.png"], "the picture is 10×10, expected at least"),
    ],
)
def test_what_does_not_fit_is_named(pictures, monkeypatch, arguments, message):
    monkeypatch.setattr(one, "KEPT", pictures / "kept")
    arguments = [str(pictures / each) if each.endswith(".png") else each for each in arguments]
    with pytest.raises(ValueError, match=message):
        one.main(arguments)


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """Untrained networks where the command looks for them, and a drawn face."""
    pair = Pair(Generator(ARCH, rngs=nnx.Rngs(0)), Critic(ARCH, rngs=nnx.Rngs(1)))
    weights.save(tmp_path / "editor.npz", pair, {})
    reader = MiniXception(17, 1, rngs=nnx.Rngs(0))
    reader_weights.save(tmp_path / "reader.npz", reader, {"network": "mini_xception", "size": 48})
    monkeypatch.setattr(edit, "EDITOR", tmp_path / "editor.npz")
    monkeypatch.setattr(edit, "READER", tmp_path / "reader.npz")
    image, _ = next(draw(seed=5, count=1, size=128))
    write_png(tmp_path / "face.png", image)
    write_png(tmp_path / "nobody.png", np.full((128, 128, 3), 128, np.uint8))
    return tmp_path


def test_an_edited_picture_keeps_what_is_not_the_face(editor):
    edit.main([str(editor / "face.png"), "--expression", "happy", "--unit", "45=1", "--out", str(editor / "happy.png")])
    before, after = (cv2.imread(str(editor / name)).astype(int) for name in ("face.png", "happy.png"))
    changed = np.abs(after - before).max(axis=2) > 0
    assert changed.mean() > 0.1 and not changed[:3].any() and not changed[:, :3].any()
    edit.main([str(editor / "face.png"), "--unit", "12=1", "--film", "--out", str(editor / "film.gif")])
    assert len(cv2.imreadanimation(str(editor / "film.gif"))[1].frames) == edit.FRAMES


def test_what_cannot_be_edited_is_named(editor):
    face, out = str(editor / "face.png"), ["--out", str(editor / "x.png")]
    with pytest.raises(ValueError, match="give --expression, --unit"):
        edit.main([face, *out])
    with pytest.raises(ValueError, match="no face was found"):
        edit.main([str(editor / "nobody.png"), "--expression", "sad", *out])
    for unit in ("3=1", "12=2", "12", "x=1", "12=nan"):
        with pytest.raises(ValueError, match=f"--unit {unit}: expected"):
            edit.main([face, "--unit", unit, *out])
