"""SinGAN's training: an iteration against the authors' program, exact resume, pictures side by side, refusals."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import recorded as theirs

from models import training
from models.singan.model import climb, generator_of
from models.singan.networks import Critic, Generator, pad
from models.singan.recipe import PAPER
from models.singan.train import fit, teach_critic, teach_generator

TINY = replace(
    PAPER, iterations=24, chunk=4, critic_steps=1, generator_steps=1, learning_rate=3e-3, width=4, min_size=12,
    redraw=True,
)  # fmt: skip
RAMP = np.linspace(20, 230, 14)[:, None] * np.ones(3) + np.zeros((12, 1, 1))
PICTURES = np.stack([RAMP, 255 - RAMP]).astype(np.uint8)  # whose two scales are of one size


class Watcher:
    """Stops after so many chunks over all scales."""

    def __init__(self, stop_after=None):
        self.stop_after, self.seen = stop_after, 0

    log = metrics = picture = lambda *args: None

    def progress(self, done, total, text=""):
        self.seen += 1
        if self.seen == self.stop_after:
            raise KeyboardInterrupt


def learn(folder, recipe=TINY, pictures=PICTURES, watch=None):
    return fit(
        recipe, pictures, seed=0, checkpoints=folder, watch=watch or Watcher(), preview=lambda pyramids, history: {}
    )


def bytes_of(pyramids):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(pyramids.scales)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return learn(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def arrays(shared):
    return dict(np.load(shared / "parity/singan.npz"))


@pytest.mark.parametrize("scale", [0, 1])
def test_an_iteration_changes_the_networks_as_theirs_does(arrays, scale):
    descent = optax.sgd(0.02)  # recorded with it because Adam's first steps are signs, which rounding turns
    prefix = "G0/" if scale == 0 else "G1/"
    generator, critic = theirs.weights(arrays, prefix, Generator), theirs.weights(arrays, "D/", Critic)
    real = theirs.picture(arrays[f"pyr/real{scale}"])
    noises = [pad(theirs.picture(arrays[f"iter/scale{scale}/noise{n}"])) for n in range(3 if scale == 0 else 5)]
    befores, known, kept, noise = befores_of(arrays, scale, real, noises)
    state = {
        "generator": generator["params"], "stats": generator["stats"], "critic": critic["params"],
        "critic_stats": critic["stats"], "real": real[0], "before": known[0], "noise": kept[0],
        "amp": jnp.float32(arrays[f"iter/scale{scale}/noise_amp"]),
        "memory": {"generator": descent.init(generator["params"]), "critic": descent.init(critic["params"])},
    }  # fmt: skip
    teach = [jax.jit(partial(each, PAPER, descent)) for each in (teach_critic, teach_generator)]
    for j in range(3):
        share = jnp.asarray(arrays[f"iter/scale{scale}/gp_alpha"][j])
        state, figures = teach[0](state, befores[j], noise, share)
        ours = [-figures["real"], figures["fake"], figures["penalty"]]
        np.testing.assert_allclose(ours, arrays[f"iter_sgd/scale{scale}/loss_D_real_fake_gp"][j], rtol=1e-3, atol=1e-5)
    for j in range(3):
        state, figures = teach[1](state, befores[2], noise)
        expected = arrays[f"iter_sgd/scale{scale}/loss_G_adv_rec"][j, 1]
        np.testing.assert_allclose(10 * figures["reconstruction"], expected, rtol=1e-3)
    # To draw its last picture their program lets z* through once more, in training mode.
    last = generator_of(state["generator"], state["stats"])
    last(state["amp"] * kept + pad(known), known, True)
    stats = theirs.plain_stats(last)
    for kind, name, ours in (
        (Generator, "G_after", {"params": state["generator"], "stats": stats}),
        (Critic, "D_after", {"params": state["critic"]}),
    ):
        recorded = theirs.weights(arrays, f"iter_sgd/scale{scale}/{name}/", kind)
        for part, values in ours.items():
            for a, b in zip(jax.tree.leaves(values), jax.tree.leaves(recorded[part]), strict=True):
                np.testing.assert_allclose(a, b, atol=1e-3 * float(jnp.abs(b).max()) + 1e-7)


def befores_of(arrays, scale, real, noises):
    """The pictures of the scales below for each step of the critic, that of z*, z* itself, and the noise."""
    if scale == 0:
        return [jnp.zeros_like(real)] * 3, jnp.zeros_like(real), noises[1], noises[2]
    below = theirs.weights(arrays, "G0/", Generator) | {"amp": jnp.float32(1)}
    start, factor = jnp.zeros((1, 25, 25, 3)), float(arrays["pyr/scale_factor_f64"])
    up = lambda noise: climb([below], [noise], start, [real.shape[1:3]], factor, True)  # noqa: E731
    known = up(pad(theirs.picture(arrays["sample/z_opt0"])))
    return [up(noise) for noise in noises[2:]], known, pad(0 * real), noises[1]


def test_resume_is_exact_in_the_middle_of_a_scale(tmp_path, monkeypatch, whole):
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path, watch=Watcher(stop_after=9))  # the third chunk of the second scale
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]
    pyramids, histories = learn(tmp_path)
    assert bytes_of(pyramids) == bytes_of(whole[0]) and histories == whole[1]


def test_the_first_picture_does_not_depend_on_its_neighbours(tmp_path, whole):
    alone, _ = learn(tmp_path, pictures=PICTURES[:1])
    for ours, others in zip(jax.tree.leaves(alone.scales), jax.tree.leaves(whole[0].scales), strict=True):
        np.testing.assert_allclose(ours[0], others[0], atol=1e-4)


def test_a_scale_learns_to_give_the_picture_back_and_the_next_needs_little_noise(whole):
    pyramids, histories = whole
    assert histories[0][-1]["reconstruction"] < 0.5 * histories[0][0]["reconstruction"]
    assert np.all(pyramids.scales[0]["amp"] == 1)
    assert np.all((pyramids.scales[1]["amp"] > 0) & (pyramids.scales[1]["amp"] < 0.1))


def test_z_is_fixed_or_redrawn(tmp_path, whole):
    fixed, _ = learn(tmp_path, replace(TINY, redraw=False))
    first, redrawn = fixed.scales[0]["noise"], whole[0].scales[0]["noise"]
    assert np.abs(first - redrawn).max() > 0.1
    assert np.all(fixed.scales[1]["noise"] == 0)
    assert np.all(first[:, :5] == 0) and np.all(first[..., 0] == first[..., 2]) and np.std(first[:, 5:-5, 5:-5]) > 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chunk": 5}, "chunk is 5, expected a divisor of the 24"),
        ({"min_size": 9}, "min_size is 9"),
        ({"factor": 1.0}, "factor is 1.0"),
        ({"border": "mirror"}, "border is 'mirror'"),
    ],
)
def test_a_recipe_out_of_range_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)


def test_pictures_that_do_not_suit_are_refused(tmp_path):
    with pytest.raises(ValueError, match="expected uint8"):
        learn(tmp_path, pictures=PICTURES / 255)
    with pytest.raises(ValueError, match="10×10, expected at least 12"):
        learn(tmp_path, pictures=PICTURES[:, :10, :10])
