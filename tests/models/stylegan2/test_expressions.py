"""Expression directions on a planted world: three axes of w are expressions, the others who somebody is."""

import numpy as np
import pytest

from models.stylegan2.expressions import directions, walk

NAMES = ("happy", "sad", "neutral")
LAYERS, LATENT = 4, 12


def judge(pictures: np.ndarray) -> np.ndarray:
    """Softmax of the first three values of a "picture", which is the w itself."""
    logits = pictures[:, 0, :3]
    logits = np.exp(3 * (logits - logits.max(axis=1, keepdims=True)))
    return logits / logits.sum(axis=1, keepdims=True)


def make(ws: np.ndarray) -> np.ndarray:
    return ws


@pytest.fixture(scope="module")
def learnt():
    ws = np.random.default_rng(0).normal(size=(20_000, LATENT))
    return directions(ws, judge(ws[:, None]), NAMES)


def test_directions_are_the_planted_axes_and_leave_the_person_alone(learnt):
    assert learnt.shape == (3, LATENT)
    assert (learnt[:, :3].argmax(axis=1) == [0, 1, 2]).all()
    assert np.abs(learnt[:, 3:]).max() < 0.1 * np.abs(learnt[:, :3]).max()


def test_a_rare_expression_does_not_move_the_middle():
    rng = np.random.default_rng(1)
    ws = rng.normal(size=(20_000, LATENT)) + np.r_[2.0, np.zeros(LATENT - 1)]  # nearly everybody is happy
    learnt = directions(ws, judge(ws[:, None]), NAMES)
    assert (learnt[:, :3].argmax(axis=1) == [0, 1, 2]).all()


def test_a_walk_ends_at_the_first_step_that_is_seen(learnt):
    ws = np.repeat(np.random.default_rng(2).normal(size=(5, 1, LATENT)), LAYERS, axis=1)
    steps = np.linspace(0, 8, 33)
    moved = walk(make, judge, ws, learnt, steps, wanted=0.9)
    assert moved.ws.shape == (5, 3, LAYERS, LATENT) and (moved.chances >= 0.9).all()
    for person in range(5):
        for kind in range(3):
            np.testing.assert_allclose(
                moved.ws[person, kind], ws[person] + moved.steps[person, kind] * learnt[kind], rtol=1e-5, atol=1e-5
            )
            before = ws[[person]] + (moved.steps[person, kind] - 0.25) * learnt[kind]
            assert moved.steps[person, kind] == 0 or judge(before)[0, kind] < 0.9


def test_a_walk_that_never_arrives_stops_where_it_was_nearest(learnt):
    def fades(pictures):
        chances = judge(pictures) * 0.5
        return np.where(np.abs(pictures[:, 0, :3]).max(axis=1, keepdims=True) > 3, 0, chances)

    ws = np.zeros((1, LAYERS, LATENT))
    steps = [0.0, 1.0, 2.0, 50.0]
    moved = walk(make, fades, ws, learnt, steps, wanted=0.9)
    assert (moved.steps == 2.0).all() and (moved.chances < 0.9).all()


def test_what_the_generator_does_not_make_is_named():
    ws = np.random.default_rng(0).normal(size=(50, LATENT))
    chances = np.tile([0.5, 0.0, 0.5], (50, 1))
    with pytest.raises(ValueError, match=r"of 50 generated faces too few look sad \(0.0\)"):
        directions(ws, chances, NAMES)
    with pytest.raises(ValueError, match="expected ascending"):
        walk(make, judge, ws[:1, None], np.zeros((3, LATENT)), [1.0, 0.0], 0.9)
