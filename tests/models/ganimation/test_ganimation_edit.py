"""Editing with a generator, trained or not: what is asked of it, collapse of its mask, pasting back."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.action_units.units import UNITS
from models.ganimation.critic import Critic, Pair
from models.ganimation.edit import between, collapsed, edit, levels, paste
from models.pixels import to_uint8
from models.ganimation.generator import Architecture, Generator
from models.ganimation.weights import load, save
from models.weights_file import WeightsError

ARCH = Architecture(size=16, width=4, blocks=1, outer=3, critic_width=4, critic_layers=2)
RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (5, 16, 16, 3), np.uint8)
WANTED = RNG.random((5, 17), np.float32)


def drawn(network):
    """A network with weights large enough to show; to compile its own draws would take longer than all else."""
    graph, state = nnx.split(nnx.eval_shape(lambda: network(ARCH, rngs=nnx.Rngs(0))))
    rng = np.random.default_rng(1)
    return nnx.merge(graph, jax.tree.map(lambda leaf: jnp.asarray(rng.normal(0, 0.3, leaf.shape), leaf.dtype), state))


@pytest.fixture(scope="module")
def generator():
    return drawn(Generator)


def test_the_last_batch_is_filled_up_and_nobody_sees_it(generator):
    whole, parts = edit(generator, PICTURES, WANTED), edit(generator, PICTURES, WANTED, batch_size=2)
    inputs = jnp.asarray(PICTURES, jnp.float32) / 127.5 - 1, jnp.asarray(WANTED)
    direct = nnx.jit(lambda g, *inputs: g(*inputs))(generator, *inputs)
    for ours, theirs, plain in zip(parts, whole, direct):
        assert ours.shape == plain.shape
        np.testing.assert_allclose(ours, plain, atol=1e-4)
        np.testing.assert_allclose(theirs, plain, atol=1e-4)


def test_one_unit_moves_and_the_others_stay(generator):
    column = UNITS.index(12)
    shown = levels(generator, PICTURES[0], WANTED[0], 12, at=(0.0, float(WANTED[0, column]), 1.0))
    np.testing.assert_allclose(shown.pictures[1], edit(generator, PICTURES[:1], WANTED[:1]).pictures[0], atol=1e-4)
    assert np.abs(shown.pictures[0] - shown.pictures[2]).max() > 1e-3
    with pytest.raises(ValueError, match="action unit 3 is not one of"):
        levels(generator, PICTURES[0], WANTED[0], 3)


@pytest.mark.parametrize("frames", [2, 7])
def test_a_way_between_two_expressions_begins_and_ends_with_them(generator, frames):
    way = between(generator, PICTURES[0], WANTED[0], WANTED[1], frames).pictures
    ends = edit(generator, PICTURES[[0, 0]], WANTED[:2]).pictures
    assert len(way) == frames
    np.testing.assert_allclose(way[[0, -1]], ends, atol=1e-4)
    steps = np.abs(np.diff(way, axis=0)).mean(axis=(1, 2, 3))
    assert steps.max() < 3 * steps.mean()
    with pytest.raises(ValueError, match="frames is 1"):
        between(generator, PICTURES[0], WANTED[0], WANTED[1], 1)


def test_collapse_is_told_from_a_small_edit():
    masks = np.ones((5, 16, 16, 1), np.float32)
    masks[1] = 0.01
    masks[2, 10:12, 6:10] = 0.1  # a mouth: 3 % of the picture
    masks[3] = 0.5
    masks[4, 0, 0] = 0  # one pixel does not save a mask
    copied, repainted = collapsed(masks)
    assert copied.tolist() == [True, False, False, False, True]
    assert repainted.tolist() == [False, True, False, False, False]


def test_pasting_changes_the_box_alone_and_where_the_mask_says():
    picture = RNG.integers(0, 256, (40, 50, 3), np.uint8)
    colour, attention = np.full((16, 16, 3), 0.5, np.float32), np.ones((16, 16, 1), np.float32)
    assert np.array_equal(paste(picture, (10, 5, 24, 24), colour, attention), picture)
    attention[4:12] = 0
    result = paste(picture, (10, 5, 24, 24), colour, attention)
    assert np.all(result[5 + 8 : 5 + 16, 18:26] == to_uint8(np.float32(0.5)))
    outside = np.ones((40, 50), bool)
    outside[5 + 5 : 5 + 19, 10:34] = False  # the mask's open rows, grown, with their soft border
    assert np.array_equal(result[outside], picture[outside])
    beyond = paste(picture, (-8, 28, 24, 24), colour, np.zeros_like(attention))
    assert np.array_equal(beyond[:28], picture[:28]) and not np.array_equal(beyond[30:, :14], picture[30:, :14])
    with pytest.raises(ValueError, match="the mask is .8, 8, 1."):
        paste(picture, (0, 0, 24, 24), colour, attention[:8, :8])
    with pytest.raises(ValueError, match="no pixel of a picture of 50 × 40"):
        paste(picture, (50, 0, 24, 24), colour, attention)
    with pytest.raises(ValueError, match="float64"):
        paste(picture / 255, (0, 0, 24, 24), colour, attention)


def test_a_picture_of_another_size_and_units_out_of_range_are_refused(generator):
    with pytest.raises(ValueError, match=r"uint8 \(1, 10, 10, 3\), expected uint8 \(N, 16, 16, 3\)"):
        edit(generator, PICTURES[:1, :10, :10], WANTED[:1])
    with pytest.raises(ValueError, match="action unit 1 of row 0 is 2.0"):
        edit(generator, PICTURES[:1], np.full((1, 17), 2.0))


def test_a_file_gives_back_both_networks(tmp_path, generator):
    pair = Pair(generator, drawn(Critic))
    save(tmp_path / "pair.npz", pair, {"maker": "a test"}, half=False)
    found, card = load(tmp_path / "pair.npz")
    assert card["maker"] == "a test" and found.generator.arch == ARCH
    same = edit(found.generator, PICTURES[:2], WANTED[:2]).pictures
    np.testing.assert_array_equal(same, edit(generator, PICTURES[:2], WANTED[:2]).pictures)
    np.testing.assert_array_equal(found.critic.score[...], pair.critic.score[...])
    np.savez(tmp_path / "other.npz", card=np.array(json.dumps({"architecture": ARCH.as_dict()})))
    with pytest.raises(WeightsError, match="lacks generator/"):
        load(tmp_path / "other.npz")
