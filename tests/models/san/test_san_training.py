"""SAN's training: its losses by hand, exact resume across both parts, what each part changes, and wrong input."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.san import losses
from models.san.perturb import perturb
from models.san.recipe import Recipe
from models.san.train import fit, parts
from models.weights_file import flat
from watchers import Interrupting

RECIPE = Recipe(
    objective="paper", encoder=(2, 2), decoder=(4, 2), enlarge=False, first_epochs=2, epochs=2, batch_size=4, learning_rate=0.01, ema=0.0,
    pixel=0.1, attribute=1.0, identity=1.0, identity_of="own", keep=1.0, augment="none",
)  # fmt: skip
FACES = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1), np.uint8)
LABELS = np.arange(12) % 2
# Of class 1 the upper half is bright, of class 0 dark.
PROTOTYPES = np.random.default_rng(1).integers(80, 176, (2, 8, 8, 3), np.uint8)
PROTOTYPES[:, :4] += np.array([-70, 70]).reshape(2, 1, 1, 1).astype(np.uint8)


def bright(pictures):
    """A judge to whom the class is whether the upper half is bright."""
    level = jnp.mean(pictures[:, :4], axis=(1, 2, 3)) - 0.5
    return jnp.stack([-20.0 * level, 20.0 * level], axis=1)


def corner(pictures):
    return pictures[:, 6:, :, 0].reshape(pictures.shape[0], -1)


def learn(folder, recipe=RECIPE, watch=None, labels=LABELS, prototypes=PROTOTYPES, **options):
    return fit(recipe, FACES, labels, prototypes, [bright], [corner], seed=0, checkpoints=folder,
               watch=watch or Interrupting(), examine=lambda network: {}, preview=lambda network, history: {},
               **options)  # fmt: skip


def values(network):
    return flat(nnx.to_pure_dict(nnx.state(network)))


def test_the_pixels_cross_entropy_has_both_halves():
    logits, faces = jnp.array([[-1.0, 2.0]]).reshape(1, 1, 2, 1), jnp.array([0.25, 0.5]).reshape(1, 1, 2, 1)
    made = 1 / (1 + np.exp([1.0, -2.0]))
    expected = -(np.array([0.25, 0.5]) * np.log(made) + np.array([0.75, 0.5]) * np.log(1 - made)).mean()
    np.testing.assert_allclose(losses.pixel_cross_entropy(logits, faces), expected, rtol=1e-5)
    # The best picture is the face itself, not a white one.
    slope = jax.grad(losses.pixel_cross_entropy)(jnp.log(faces / (1 - faces)), faces)
    np.testing.assert_allclose(slope, 0, atol=1e-6)


def test_attribute_identity_and_keeping_by_hand():
    def judge(pictures):
        return pictures[:, 0, :2, 0]

    rng = np.random.default_rng(0)
    own, other, faces = (jnp.float32(rng.normal(size=(3, 1, 2, 1))) for _ in range(3))
    labels, others = jnp.array([0, 1, 1], jnp.int32), jnp.array([1, 0, 0], jnp.int32)
    a, b, x = (np.asarray(each)[:, 0, :, 0] for each in (own, other, faces))

    def entropy(logits, chosen):
        return -(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))[np.arange(3), chosen].mean()

    expected = entropy(a, np.asarray(labels)) + entropy(b, np.asarray(others))
    np.testing.assert_allclose(losses.attribute_loss([judge], own, labels, other, others), expected, rtol=1e-5)
    np.testing.assert_allclose(losses.identity_loss([judge], [own], faces), ((a - x) ** 2).sum(axis=1).mean(), rtol=1e-5)
    expected = (((a - x) ** 2).sum(axis=1).mean() + ((b - x) ** 2).sum(axis=1).mean()) / 2
    np.testing.assert_allclose(losses.identity_loss([judge], [own, other], faces), expected, rtol=1e-5)
    summed = (((a + b) / 2 - x) ** 2).sum()
    np.testing.assert_allclose(losses.mean_identity_loss([judge], own, other, faces), summed, rtol=1e-5)
    chances = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    logs = np.stack([each - np.log(np.exp(each).sum(axis=1, keepdims=True)) for each in (a, b)])
    expected = -(chances * logs).sum(axis=2).mean()
    np.testing.assert_allclose(losses.keeping_loss([judge], [own, other], faces), expected, rtol=1e-5)
    assert not jax.grad(lambda faces: losses.identity_loss([judge], [own], faces))(faces).any()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return learn(tmp_path_factory.mktemp("whole"), keepers=[bright])


@pytest.mark.parametrize("after", [4, 3])
def test_resume_is_exact_in_either_part(tmp_path, saved_at_every_step, whole, after):
    part = iter(range(2))

    class Failing(Interrupting):
        """Stops in the first part after 4 steps, or in the second after 3."""

        def log(self, text):
            if "part" in text:
                self.part = next(part)

        def progress(self, done, total, text=""):
            if (self.part, done) == (0 if after == 4 else 1, after):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path, watch=Failing(), keepers=[bright])
    network, outcome = learn(tmp_path, keepers=[bright])
    before, again = values(whole[0]), values(network)
    assert all(np.array_equal(before[name], again[name]) for name in before)
    assert outcome.history == whole[1].history


def test_the_history_is_of_both_parts(whole):
    history = whole[1].history
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert "identity" not in history[0] and {"pixel", "attribute", "identity", "keep", "loss"} < history[3].keys()


def test_the_official_program_has_the_identity_only_in_its_second_part():
    first, second = parts(replace(RECIPE, objective="official", identity=8.0))
    assert (first.identity, second.identity) == (0, 8) and first.attribute == second.attribute == 1
    assert first.pixel == second.pixel == RECIPE.pixel
    first, second = parts(RECIPE)
    assert (first.pixel, first.attribute, first.identity) == (1, 0, 0)


@pytest.mark.parametrize("objective, steps", [("paper", 6), ("official", 12)])  # of two epochs each, three steps an epoch
def test_the_optimiser_goes_on_where_the_official_program_s_does(tmp_path, objective, steps):
    outcome = learn(tmp_path, replace(RECIPE, objective=objective))[1]
    assert int(outcome.state["optimizer"][0].count) == steps


@pytest.mark.parametrize("objective", ["paper", "official"])
def test_it_learns_to_show_the_prototype_s_class(tmp_path, objective):
    """The judge sees the class of the prototype shown, and not that of the face."""
    recipe = replace(RECIPE, objective=objective, epochs=60, first_epochs=1, identity=0.1, learning_rate=0.02)
    network, outcome = learn(tmp_path, recipe)
    own, others = PROTOTYPES[LABELS], PROTOTYPES[1 - LABELS]
    made = perturb(network, FACES, own, {"SM": own, "OP": others})
    said = {name: np.asarray(bright(jnp.float32(pictures / 255)).argmax(axis=1)) for name, pictures in made.items()}
    assert (said["SM"] == LABELS).mean() > 0.9 and (said["OP"] == 1 - LABELS).mean() > 0.9
    assert outcome.history[-1]["attribute"] < outcome.history[1]["attribute"]


def test_prototypes_of_each_face_give_what_shared_ones_give(tmp_path, whole):
    own = np.broadcast_to(PROTOTYPES, (12, *PROTOTYPES.shape))
    network, _ = learn(tmp_path, prototypes=own, keepers=[bright])
    before, again = values(whole[0]), values(network)
    assert all(np.allclose(before[name], again[name], atol=1e-5) for name in before)


def test_wrong_input_is_named(tmp_path):
    with pytest.raises(ValueError, match="two classes or more; the faces have 1"):
        learn(tmp_path, labels=np.zeros(12, int))
    with pytest.raises(ValueError, match=r"prototypes are \(2, 4, 4, 3\), expected \(2, 8, 8, 3\)"):
        learn(tmp_path, prototypes=PROTOTYPES[:, :4, :4])
    with pytest.raises(ValueError, match="labels reach from 0 to 2"):
        learn(tmp_path, labels=np.arange(12) % 3)
    with pytest.raises(ValueError, match="expected two widths"):
        replace(RECIPE, decoder=(4,))
    with pytest.raises(ValueError, match="ema is 1.0"):
        replace(RECIPE, ema=1.0)
    with pytest.raises(ValueError, match="identity is -1"):
        replace(RECIPE, identity=-1.0)


def test_perturbing_gives_what_the_network_gives_for_any_number(whole):
    own, other = PROTOTYPES[LABELS[:5]], PROTOTYPES[0]
    made = perturb(whole[0], FACES[:5], own, {"NT": other}, batch_size=4)["NT"]
    shown = jnp.float32(np.broadcast_to(other, own.shape) / 255)
    expected = whole[0](jnp.float32(FACES[:5] / 255), jnp.float32(own / 255), shown) * 255
    assert made.dtype == np.uint8 and np.abs(made - np.asarray(expected)).max() <= 1.01
    assert perturb(whole[0], FACES[:0], own[:0], {"NT": other})["NT"].shape == (0, 8, 8, 1)
