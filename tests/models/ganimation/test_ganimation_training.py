"""GANimation's training program at its smallest: exact resume, the rhythm of its two networks, what it refuses."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from models.ganimation.generator import Architecture
from models.ganimation.recipe import Recipe
from models.ganimation.train import fit, plain
from watchers import Interrupting

ARCH = Architecture(size=16, width=4, blocks=1, outer=3, critic_width=4, critic_layers=2)
RECIPE = Recipe(
    epochs=2, batch_size=8, learning_rate=0.01, constant=0.5, critic_steps=2, adversarial=1.0, penalty=10.0,
    critic_condition=160.0, generator_condition=160.0, cycle=10.0, attention=0.1, variation=1e-5, form="program", blur=0.1, noise=0.1, mirror=True, ema=0.5,
)  # fmt: skip
RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (24, 16, 16, 3), np.uint8)
UNITS = RNG.random((24, 17), np.float32)


def learn(folder, recipe=RECIPE, arch=ARCH, pictures=PICTURES, units=UNITS, watch=None):
    return fit(
        recipe, arch, pictures, units, seed=0, checkpoints=folder, watch=watch or Interrupting(),
        examine=lambda generator: {}, preview=lambda generator, history: {},
    )  # fmt: skip


def bytes_of(network):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(plain(network))]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return learn(tmp_path_factory.mktemp("whole"))


def test_resume_is_exact_between_two_steps_of_the_generator(tmp_path, saved_at_every_step, whole):
    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path, watch=Interrupting(fail_after=5))
    generator, critic, outcome = learn(tmp_path)
    assert bytes_of(generator) == bytes_of(whole[0]) and bytes_of(critic) == bytes_of(whole[1])
    assert outcome.history == whole[2].history


def test_the_generator_takes_its_share_of_the_steps_and_the_rate_falls_to_nothing(whole):
    memory = whole[2].state["memory"]
    assert memory["critic"][0].count == 6 and memory["generator"][0].count == 3
    terms = {"critic": ("adversarial", "condition", "penalty"),
             "generator": ("adversarial", "condition", "cycle", "attention", "variation")}  # fmt: skip
    for row in whole[2].history:
        assert {f"{network}_{term}" for network, names in terms.items() for term in names} <= row.keys()


def test_learning_lowers_what_it_is_told_to(tmp_path):
    """With all weight on the way back, the way back becomes shorter; the paper's attention loss runs too."""
    recipe = replace(RECIPE, epochs=12, critic_steps=1, cycle=1000.0, form="paper")
    history = learn(tmp_path, recipe)[2].history
    assert history[-1]["generator_cycle"] < 0.5 * history[0]["generator_cycle"]


def test_what_does_not_fit_is_refused(tmp_path):
    for given, message in (
        ({"arch": replace(ARCH, size=32)}, "pictures are .16, 16, 3., the architecture is for .32, 32, 3."),
        ({"pictures": PICTURES.astype(np.float32)}, "pictures are float32"),
        ({"units": UNITS[:, :16]}, r"action units are \(24, 16\)"),
        ({"units": UNITS[:5]}, "5 rows of action units for 24 pictures"),
        ({"units": 5 * UNITS}, "action unit 1 of row 0 is"),
        ({"units": np.where(UNITS == UNITS[3, 1], np.nan, UNITS)}, "action unit 2 of row 3 is nan"),
    ):
        with pytest.raises(ValueError, match=message):
            learn(tmp_path, **given)
    for field, value in (("form", "mine"), ("constant", 1.5), ("ema", 1.0), ("cycle", -1.0), ("learning_rate", 0.0)):
        with pytest.raises(ValueError, match=f"{field} is"):
            replace(RECIPE, **{field: value})
