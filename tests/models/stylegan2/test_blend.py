"""Snapshots on disk, and blending: exact at its ends, layer by layer in between, refused for strangers."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from flax import nnx

from models.stylegan2 import snapshot
from models.stylegan2.blend import Swap, blend, shares_of_ws
from models.stylegan2.discriminator import Discriminator
from models.stylegan2.generator import Architecture, Generator
from models.stylegan2.train import Pair, plain
from models.weights_file import WeightsError

ARCH = Architecture(resolution=32, channel_base=128, channel_max=8, latent=8, mapping_layers=2)
CARDS = ({"lineage": ("a",)}, {"lineage": ("a", "b")})


def pair(seed, arch=ARCH):
    return Pair(Generator(arch, rngs=nnx.Rngs(seed)), Discriminator(arch, 2, rngs=nnx.Rngs(seed)))


@pytest.fixture(scope="module")
def faces():
    return pair(0)


@pytest.fixture(scope="module")
def emoji():
    return pair(1)


def values(generator):
    params, buffers, _ = plain(Pair(generator, pair(0).discriminator))
    return {
        jax.tree_util.keystr(path): np.asarray(leaf)
        for path, leaf in jax.tree_util.tree_leaves_with_path((params, buffers))
    }


def test_a_snapshot_comes_back_whole_and_in_half_the_space(tmp_path, faces):
    snapshot.save(tmp_path / "full.npz", faces, {"lineage": ("a",), "kimg": 3.0}, half=False)
    again, card = snapshot.load(tmp_path / "full.npz")
    assert again.generator.arch == ARCH and again.discriminator.group == 2 and card["kimg"] == 3.0
    for before, after in zip(jax.tree.leaves(plain(faces)), jax.tree.leaves(plain(again))):
        np.testing.assert_array_equal(before, after)
    snapshot.save(tmp_path / "half.npz", faces, card)
    assert (tmp_path / "half.npz").stat().st_size < 0.7 * (tmp_path / "full.npz").stat().st_size
    for before, after in zip(
        jax.tree.leaves(plain(faces)), jax.tree.leaves(plain(snapshot.load(tmp_path / "half.npz")[0]))
    ):
        np.testing.assert_allclose(before, after, rtol=1e-3, atol=1e-6)


def test_a_file_that_is_no_snapshot_is_named(tmp_path, faces):
    path = tmp_path / "x.npz"
    snapshot.save(path, faces, {"lineage": ("a",)})
    with np.load(path) as stored:
        arrays = dict(stored)
    lost = "generator/params/synthesis/blocks/0/const"
    np.savez(path, **{name: value for name, value in arrays.items() if name != lost})
    with pytest.raises(WeightsError, match=f"x.npz lacks {lost}"):
        snapshot.load(path)
    np.savez(path, **{name: value for name, value in arrays.items() if name != "card"})
    with pytest.raises(WeightsError, match="x.npz is not a weights file"):
        snapshot.load(path)


def test_a_run_adds_to_its_lineage():
    first = snapshot.descend((), {"seed": 0})
    second, other = (snapshot.descend(first, {"seed": seed}) for seed in (0, 1))
    assert second[:1] == first == other[:1] and len({*second, *other}) == 3
    assert snapshot.related({"lineage": second}, {"lineage": other})
    assert not snapshot.related({"lineage": second}, {"lineage": snapshot.descend((), {"seed": 5})})


def test_at_its_ends_a_blend_is_the_one_or_the_other(faces, emoji):
    none = blend(faces.generator, emoji.generator, Swap(32, level=1, inclusive=False), CARDS)
    assert all(np.array_equal(a, b) for a, b in zip(values(none).values(), values(faces.generator).values()))
    everything = Swap(4, inclusive=True, mapping="second", average="second", noise="second")
    whole = blend(faces.generator, emoji.generator, everything, CARDS)
    for name, value in values(whole).items():
        np.testing.assert_array_equal(value, values(emoji.generator)[name], err_msg=name)


@pytest.mark.parametrize("inclusive, first_of_second", [(False, 16), (True, 8)])
def test_a_hard_swap_takes_whole_layers(faces, emoji, inclusive, first_of_second):
    """At 8, level 0, the authors' program begins with the layer that grows to 16."""
    mixed, mine, theirs = (
        values(each)
        for each in (
            blend(faces.generator, emoji.generator, Swap(8, inclusive=inclusive), CARDS),
            faces.generator,
            emoji.generator,
        )
    )
    for name in mine:
        number = name.split("['blocks'][")[1].split("]")[0] if "blocks" in name else None
        from_second = number is not None and 4 * 2 ** int(number) >= first_of_second and "'noise']" not in name
        np.testing.assert_array_equal(mixed[name], (theirs if from_second else mine)[name], err_msg=name)


def test_a_soft_swap_is_half_and_half_at_its_layer_and_grows_with_resolution():
    swap = Swap(16, width=1.0)
    assert swap.share(16, "grow") == 0.5
    shares = [swap.share(r, layer) for r in (8, 16, 32) for layer in ("grow", "conv")]
    assert shares == sorted(shares) and 0 < shares[0] < 0.2 and shares[-1] > 0.9
    assert Swap(8).share(4, "conv") == 0 and Swap(4, inclusive=True).share(4, "conv") == 1


def test_the_layers_of_a_blend_and_their_ws_are_of_the_same_generator():
    assert shares_of_ws(Swap(16, level=1, inclusive=True), ARCH).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert shares_of_ws(Swap(4, inclusive=True), ARCH).tolist() == [1] * ARCH.layers
    soft = shares_of_ws(Swap(16, width=1.0), ARCH)
    assert soft[3] == 0.5 and np.all(np.diff(soft[:-1]) > 0)


def test_a_blend_makes_pictures(faces, emoji):
    z = jax.random.normal(jax.random.key(0), (2, 8))
    picture = blend(faces.generator, emoji.generator, Swap(8, width=1.0), CARDS)(z)
    assert picture.shape == (2, 32, 32, 3)
    assert np.abs(picture - faces.generator(z)).max() > 0.01 < np.abs(picture - emoji.generator(z)).max()


def test_strangers_and_other_architectures_are_refused(faces, emoji):
    with pytest.raises(ValueError, match="share no ancestor"):
        blend(faces.generator, emoji.generator, Swap(8), ({"lineage": ("a",)}, {"lineage": ("c",)}))
    other = Generator(replace(ARCH, mapping_layers=3), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="different architectures"):
        blend(faces.generator, other, Swap(8), CARDS)
    with pytest.raises(ValueError, match="swap is at 64 pixels, the generators make 32"):
        blend(faces.generator, emoji.generator, Swap(64), CARDS)
    with pytest.raises(ValueError, match="level is 2"):
        Swap(8, level=2)
