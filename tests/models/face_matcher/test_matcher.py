"""The face matcher: unit vectors, the margin's arithmetic, people told apart, exact resume, and weights on disk."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.face_matcher.network import FaceMatcher, XceptionMatcher, placed
from models.face_matcher.train import Recipe, arcface, fit
from models.face_matcher.weights import embed, load, save
from models.weights_file import WeightsError
from watchers import Silent

RECIPE = Recipe(epochs=12, batch_size=16, learning_rate=3e-3, margin=0.2, scale=16.0, ema=0.9)


class Killed(RuntimeError):
    """What a test ends a training with."""


def people(count: int = 4, each: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noisy copies of one random pattern a person."""
    rng = np.random.default_rng(seed)
    patterns = np.random.default_rng(9).integers(30, 220, (count, 4, 4, 1)).repeat(4, axis=1).repeat(4, axis=2)
    subjects = np.arange(count * each) % count
    return np.clip(patterns[subjects] + rng.normal(0, 20, (len(subjects), 16, 16, 1)), 0, 255).astype(np.uint8), subjects


def learn(folder: Path, examine=lambda matcher: {}, recipe: Recipe = RECIPE):
    images, subjects = people()
    return fit(
        recipe, images, subjects, dimensions=8, seed=0, checkpoints=folder, watch=Silent(), examine=examine,
        preview=lambda matcher, history: {},
    )  # fmt: skip


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    return learn(tmp_path_factory.mktemp("run"))


def test_people_never_seen_noise_of_are_told_apart(learnt):
    images, subjects = people(each=6, seed=1)
    vectors = embed(learnt[0], images)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-4)
    alike = vectors @ vectors.T
    same = subjects[:, None] == subjects[None]
    assert alike[same].mean() - alike[~same].mean() > 0.5


def test_a_killed_training_ends_with_the_same_weights(learnt, tmp_path, saved_at_every_step):
    seen = []

    def die(matcher) -> dict[str, float]:
        seen.append(1)
        if len(seen) == 5:
            raise Killed
        return {}

    with pytest.raises(Killed):
        learn(tmp_path, die)
    again = learn(tmp_path)[0]
    for one, other in zip(*(jnp.concatenate([x.ravel() for x in _leaves(m)])[None] for m in (learnt[0], again))):
        np.testing.assert_array_equal(one, other)


def _leaves(matcher: FaceMatcher) -> list:
    import jax

    return jax.tree.leaves(nnx.to_pure_dict(nnx.state(matcher, (nnx.Param, nnx.BatchStat))))


def test_places_are_means_of_parts_which_share_what_does_not_divide():
    maps = np.arange(20, dtype=np.float32).reshape(1, 5, 4, 1)
    rows, columns = [(0, 2), (1, 4), (3, 5)], [(0, 2), (1, 3), (2, 4)]
    wanted = [maps[0, a:b, c:d].mean() for a, b in rows for c, d in columns]
    np.testing.assert_allclose(placed(maps)[0], wanted, rtol=1e-6)
    np.testing.assert_array_equal(placed(maps[:, :1, :1]), np.zeros((1, 9)))


def test_the_margin_widens_only_the_own_angle():
    angles = np.array([[0.5, 1.0, 2.0]], np.float32)
    logits = np.asarray(arcface(jnp.cos(angles), jnp.array([1]), margin=0.3, scale=10.0))
    np.testing.assert_allclose(logits, 10 * np.cos(angles + [[0, 0.3, 0]]), rtol=1e-5)
    turned = np.asarray(arcface(jnp.linspace(-0.999, 0.999, 100)[:, None], jnp.zeros(100, int), 0.5, 1.0))[:, 0]
    assert (np.diff(turned) > 0).all()  # it keeps falling with the cosine, also beyond π - m


def test_weights_come_back_and_a_file_of_another_shape_is_refused(learnt, tmp_path):
    save(tmp_path / "matcher.npz", learnt[0], {"size": 16})
    again, card = load(tmp_path / "matcher.npz")
    assert (card["size"], card["channels"], card["dimensions"]) == (16, 1, 8)
    images, _ = people(each=2)
    np.testing.assert_allclose(embed(again, images), embed(learnt[0], images), atol=5e-3)
    save(tmp_path / "other.npz", FaceMatcher(3, 8, rngs=nnx.Rngs(0)), {"size": 16, "channels": 1})
    with np.load(tmp_path / "other.npz") as stored:
        changed = {name: stored[name] for name in stored.files}
    changed["head/kernel"] = changed["head/kernel"][:, :4]
    np.savez(tmp_path / "other.npz", **changed)
    with pytest.raises(WeightsError, match="head/kernel has shape"):
        load(tmp_path / "other.npz")


def test_the_other_kind_learns_and_comes_back_as_what_it_was(tmp_path):
    images, subjects = people()
    images = images.repeat(2, axis=1).repeat(2, axis=2)
    matcher, _ = fit(RECIPE, images, subjects, dimensions=8, seed=0, checkpoints=tmp_path / "run", watch=Silent(),
                     examine=lambda matcher: {}, preview=lambda matcher, history: {}, kind="mini_xception")  # fmt: skip
    save(tmp_path / "matcher.npz", matcher, {"size": 32})
    again, card = load(tmp_path / "matcher.npz")
    assert isinstance(again, XceptionMatcher) and card["network"] == "mini_xception"
    vectors = embed(again, images)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-4)
    alike, same = vectors @ vectors.T, subjects[:, None] == subjects[None]
    assert alike[same].mean() - alike[~same].mean() > 0.3
    save(tmp_path / "matcher.npz", matcher, {"size": 32})
    with np.load(tmp_path / "matcher.npz") as stored:
        arrays = {name: stored[name] for name in stored.files} | {"card": np.array('{"network": "eye", "size": 1, "channels": 1, "dimensions": 8}')}
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(WeightsError, match="no face matcher is called 'eye'; known: convolutions, mini_xception"):
        load(tmp_path / "other.npz")


@pytest.mark.parametrize("field, value", [("epochs", 0), ("learning_rate", 0.0), ("margin", 2.0), ("ema", 1.0)])
def test_a_recipe_refuses_what_cannot_be(field, value):
    from dataclasses import replace

    with pytest.raises(ValueError, match=f"{field} is"):
        replace(RECIPE, **{field: value})


def test_one_person_cannot_be_told_apart(tmp_path):
    images, _ = people(1)
    with pytest.raises(ValueError, match="at least 2"):
        fit(RECIPE, images, np.zeros(len(images), int), dimensions=8, seed=0, checkpoints=tmp_path, watch=Silent(),
            examine=lambda matcher: {}, preview=lambda matcher, history: {})  # fmt: skip
