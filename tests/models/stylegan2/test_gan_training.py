"""StyleGAN2's training program at its smallest: exact resume with all its memory, transfer, frozen layers, labels."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from models.stylegan2.generator import Architecture
from models.stylegan2.recipe import Recipe
from models.stylegan2.train import discriminator_of, fit, lazy_adam, plain, program, trained_layers
from watchers import Interrupting

ARCH = Architecture(resolution=16, channel_base=64, channel_max=4, latent=8, mapping_layers=2, labels=7)
RECIPE = Recipe(
    kimg=0.048, batch_size=8, group=2, learning_rate=0.01, falling=0.5, gamma=1.0, mismatch=1.0,
    ema_kimg=0.02, mixing=0.9, mirror=True, ada_kimg=0.1, freeze=3,
)  # fmt: skip
PICTURES = np.random.default_rng(0).integers(0, 256, (24, 16, 16, 3), np.uint8)
LABELS = np.arange(24) % 7


def learn(folder, recipe=RECIPE, arch=ARCH, watch=None, start=None):
    return fit(
        recipe, arch, PICTURES, LABELS, seed=0, checkpoints=folder, watch=watch or Interrupting(),
        examine=lambda generator: {}, preview=lambda generator, history: {}, start=start,
    )  # fmt: skip


def bytes_of(pair):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(plain(pair))]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Six steps with everything switched on: both regularisations, augmentation, labels, frozen layers."""
    return learn(tmp_path_factory.mktemp("whole"))


def test_resume_is_exact_with_the_strength_of_augmentation_and_the_mean_length(tmp_path, saved_at_every_step, whole):
    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path, watch=Interrupting(fail_after=5))
    pair, outcome = learn(tmp_path)
    assert bytes_of(pair) == bytes_of(whole[0]) and outcome.history == whole[1].history
    assert outcome.state["step"] == 6 and outcome.state["path"] > 0
    assert np.abs(outcome.state["buffers"]["mapping"]["average"]).max() > 0


def test_transfer_starts_where_the_other_ended_and_frozen_layers_stay(tmp_path, whole):
    start, _ = whole
    pair, _ = learn(tmp_path, replace(RECIPE, kimg=0.02), start=start)
    before, after = (plain(each)[2] for each in (start, pair))
    mask = trained_layers(before, 3)
    same = jax.tree.map(lambda a, b: bool(np.array_equal(a, b)), before, after)
    for (path, trained), equal in zip(jax.tree_util.tree_leaves_with_path(mask), jax.tree.leaves(same)):
        if not trained:
            assert equal, path
    assert jax.tree.leaves(mask).count(0.0) == 6  # kernel and bias of from_rgb, conv and down
    assert not all(jax.tree.leaves(same))
    assert bytes_of(pair) != bytes_of(start)


def test_the_rate_stays_and_then_falls_to_nothing_however_many_steps_are_lazy():
    adam = lazy_adam(RECIPE, steps=16, every=4)  # which makes 20 changes
    weights = np.zeros((), np.float32)
    memory, changes = adam.init(weights), []
    for _ in range(20):
        with jax.numpy_dtype_promotion("standard"):
            change, memory = adam.update(np.ones((), np.float32), memory)
        changes.append(-float(change))
    rate = RECIPE.learning_rate * 4 / 5
    np.testing.assert_allclose(changes[:10], rate, rtol=1e-4)
    np.testing.assert_allclose(changes[10:], rate * (1 - np.arange(10) / 10), rtol=1e-4)


def test_a_real_picture_beside_the_other_label_counts_as_false_by_its_weight():
    arch = replace(ARCH, labels=2)
    batch = {"images": jax.numpy.asarray(PICTURES[:8]), "labels": jax.numpy.asarray(LABELS[:8] % 2, "int32")}
    losses = []
    for mismatch in (0.0, 0.5):
        recipe = replace(RECIPE, mismatch=mismatch, mirror=False, ada_kimg=0, freeze=0)
        training = program(recipe, arch, 10, lambda generator: {}, lambda generator, history: {})
        state = training.init(jax.random.key(0))
        losses.append(float(jax.jit(training.step)(state, batch, jax.random.key(1))[1]["loss_d"]))
    critic = discriminator_of(arch, recipe.group)(state["discriminator"])
    others = jax.nn.one_hot(1 - batch["labels"], 2)
    logits = critic(batch["images"].astype("float32") / 127.5 - 1, others)
    assert losses[1] - losses[0] == pytest.approx(0.5 * float(jax.nn.softplus(logits).mean()), rel=1e-4)


def test_labels_change_the_picture(whole):
    z = np.broadcast_to(np.random.default_rng(0).normal(size=(1, 8)).astype(np.float32), (2, 8))
    pictures = whole[0].generator(jax.numpy.asarray(z), jax.nn.one_hot(np.array([0, 1]), 7))
    assert np.abs(pictures[0] - pictures[1]).max() > 1e-3


def test_what_does_not_fit_is_refused(tmp_path, whole):
    with pytest.raises(ValueError, match="pictures are .16, 16, 3., the generator makes .32, 32, 3."):
        learn(tmp_path, arch=replace(ARCH, resolution=32))
    with pytest.raises(ValueError, match="to start from"):
        learn(tmp_path, arch=replace(ARCH, mapping_layers=3), start=whole[0])
    with pytest.raises(ValueError, match="freeze is 99"):
        trained_layers(plain(whole[0])[2], 99)
    with pytest.raises(ValueError, match="no multiple of two groups of 3"):
        replace(RECIPE, group=3)
