"""GANimation against numbers recorded from the authors' program: networks, losses and their gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import lax

from models.ganimation import layers
from models.ganimation.critic import Critic
from models.ganimation.generator import Architecture, Generator
from models.ganimation.losses import attention_size, attention_variation, critic_terms, generator_terms
from models.ganimation.published import critic_weight, generator_weight, pair
from models.layers import NHWC


@pytest.fixture(scope="module")
def recorded(shared):
    return dict(np.load(shared / "parity/ganimation.npz"))


def part(recorded, letter):
    return {name[2:]: value for name, value in recorded.items() if name.startswith(letter + "/")}


@pytest.fixture(scope="module")
def networks(recorded):
    return pair(part(recorded, "G"), part(recorded, "D"), "ganimation.npz")


def picture(recorded, name):
    return jnp.asarray(recorded[name].transpose(0, 2, 3, 1))


@pytest.fixture(scope="module")
def given(recorded):
    return picture(recorded, "in/img"), *(jnp.asarray(recorded[f"in/{kind}_cond"]) for kind in ("real", "desired"))


@pytest.fixture(scope="module")
def edited(networks, given):
    return nnx.jit(lambda g, *inputs: g(*inputs))(networks.generator, given[0], given[2])


def test_architecture_is_read_from_the_shapes(networks):
    expected = Architecture(size=64, width=16, blocks=2, outer=7, critic_width=8, critic_layers=5)
    assert networks.generator.arch == networks.critic.arch == expected


def test_generator_and_critic_are_theirs(recorded, networks, given, edited):
    for ours, theirs in (("pictures", "composed"), ("colour", "color"), ("attention", "attention")):
        np.testing.assert_allclose(getattr(edited, ours), picture(recorded, f"out/{theirs}"), atol=3e-5)
    back = networks.generator(edited.pictures[:1], given[1][:1])
    np.testing.assert_allclose(back.pictures, picture(recorded, "out/rec_composed"), atol=3e-5)
    for inputs, suffix in ((given[0], ""), (edited.pictures, "_fake")):
        scores, units = nnx.jit(lambda d, x: d(x))(networks.critic, inputs)
        np.testing.assert_allclose(scores, recorded[f"out/D_prob{suffix}"], atol=3e-5)
        np.testing.assert_allclose(units, recorded[f"out/D_aus{suffix}"], atol=3e-5)


def weighted(terms, weights):
    return sum(weights[name] * value for name, value in terms.items())


class Norms(dict):
    """Recorded norms of gradients in place of weights; 0 for what has no gradient there."""

    def __init__(self, recorded, step):
        place = f"gradnorm/{step}/"
        super().__init__(
            {name.removeprefix(place): value.reshape(1, 1, 1, 1) for name, value in recorded.items() if place in name}
        )

    def __missing__(self, name):
        return np.zeros((1, 1, 1, 1), np.float32)


def assert_norms(grads, norm_of):
    for path, grad in jax.tree_util.tree_leaves_with_path(nnx.to_pure_dict(grads)):
        name = "/".join(str(key.key) for key in path)
        np.testing.assert_allclose(np.linalg.norm(grad), norm_of(name).item(), rtol=1e-4, atol=1e-6, err_msg=name)


def test_critic_losses_and_gradients_are_theirs(recorded, networks, given, edited):
    share = jnp.asarray(recorded["in/gp_alpha"])
    steps = {
        "D_step_A": {"adversarial": 1.0, "condition": 2000.0, "penalty": 0.0},  # 4000 / B of a batch of 2
        "D_step_B_gp": {"adversarial": 0.0, "condition": 0.0, "penalty": 10.0},
    }

    def terms(critic):
        return critic_terms(critic, given[0], given[1], edited.pictures, share)

    @nnx.jit
    def run(critic):
        grads = {step: nnx.grad(lambda critic: weighted(terms(critic), steps[step]))(critic) for step in steps}
        return terms(critic), grads

    found, grads = run(networks.critic)
    np.testing.assert_allclose(found["adversarial"], recorded["loss/d_real"] + recorded["loss/d_fake"], atol=1e-6)
    np.testing.assert_allclose(2000 * found["condition"], recorded["loss/d_cond"], rtol=1e-5)
    np.testing.assert_allclose(10 * found["penalty"], recorded["loss/d_gp_lambda10"], rtol=1e-5)
    for step in steps:
        assert_norms(grads[step], lambda name: critic_weight(Norms(recorded, step), name))
    theirs = recorded["grad/D_step_B_gp/main.4.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_allclose(grads["D_step_B_gp"]["kernels"][2][...], theirs, atol=1e-4 * np.abs(theirs).max())


def test_generator_losses_and_gradients_are_theirs(recorded, networks, given):
    weights = {"adversarial": 1.0, "condition": 2000.0, "cycle": 10.0, "attention": 0.1, "variation": 1e-5}

    @nnx.jit
    def run(generator, critic):
        def total(generator):
            terms = generator_terms(generator, critic, *given, "program")
            return weighted(terms, weights), terms

        grads, terms = nnx.grad(total, has_aux=True)(generator)
        return grads, terms, weighted(terms, weights)

    grads, terms, total = run(networks.generator, networks.critic)
    theirs = {
        "adversarial": ("masked_fake",), "condition": ("masked_cond",), "cycle": ("cyc",),
        "attention": ("mask_1", "mask_2"), "variation": ("mask_1_smooth", "mask_2_smooth"),
    }  # fmt: skip
    for name, parts in theirs.items():
        value = sum(recorded[f"loss/g_{part}"] for part in parts)
        np.testing.assert_allclose(weights[name] * terms[name], value, rtol=1e-5, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(total, recorded["loss/G_total"], rtol=1e-5)
    assert_norms(grads, lambda name: generator_weight(Norms(recorded, "G_step"), name, blocks=2))
    theirs = recorded["grad/G_step/main.11.weight"].transpose(2, 3, 0, 1)
    np.testing.assert_allclose(grads["up"][0][...], theirs, atol=1e-4 * np.abs(theirs).max())


def test_the_papers_attention_losses_by_hand():
    mask = jnp.asarray([[[0.0, 1.0], [0.0, 0.5]], [[1.0, 1.0], [1.0, 1.0]]])[..., None]
    np.testing.assert_allclose(attention_size(mask, "paper"), (np.sqrt(1.25) + 2) / 2, rtol=1e-6)
    np.testing.assert_allclose(attention_variation(mask, "paper"), (1 + 0.25 + 0.25) / 2, rtol=1e-6)
    np.testing.assert_allclose(attention_size(mask, "program"), 5.5 / 8, rtol=1e-6)
    np.testing.assert_allclose(attention_variation(mask, "program"), 1 + 0.5 + 0.5, rtol=1e-6)


def test_layers_are_the_plain_convolutions():
    rng = np.random.default_rng(0)

    def drawn(*shape):
        return jnp.asarray(rng.normal(size=shape), jnp.float32)

    def plain(x, kernel, stride, border):
        return lax.conv_general_dilated(x, kernel, (stride,) * 2, ((border, border),) * 2, dimension_numbers=NHWC)

    x = drawn(2, 8, 12, 3)
    for side in (1, 3, 5, 7):
        kernel = drawn(side, side, 3, 2)
        np.testing.assert_allclose(layers.outer(x, kernel), plain(x, kernel, 1, side // 2), atol=2e-5)
        spread = jnp.broadcast_to(x[:, :1, :1], x.shape)
        np.testing.assert_allclose(layers.planes(x[:, 0, 0], kernel, 8, 12), layers.outer(spread, kernel), atol=2e-5)
    kernel = drawn(4, 4, 3, 2)
    np.testing.assert_allclose(layers.halve(x, kernel), plain(x, kernel, 2, 1), atol=2e-5)
    _, transpose = jax.vjp(lambda y: plain(y, kernel.swapaxes(2, 3), 2, 1), jnp.zeros((2, 16, 24, 2)))
    np.testing.assert_allclose(layers.double(x, kernel), transpose(x)[0], atol=2e-5)


def test_the_papers_networks_have_its_number_of_weights():
    for network, count in ((Generator, 8_471_296), (Critic, 44_860_352)):
        blank = nnx.eval_shape(lambda: network(Architecture(), rngs=nnx.Rngs(0)))
        assert sum(leaf.size for leaf in jax.tree.leaves(nnx.state(blank, nnx.Param))) == count


def test_what_does_not_fit_is_refused(recorded):
    for fields, message in (
        ({"size": 50}, "multiple of 4"), ({"size": 100}, "multiple of 64"), ({"outer": 4}, "outer is 4"),
        ({"width": 0}, "width is 0"), ({"blocks": -1}, "blocks is -1"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            Architecture(**fields)
    generator, critic = part(recorded, "G"), part(recorded, "D")
    with pytest.raises(ValueError, match="lacks main.3.weight"):
        pair({name: value for name, value in generator.items() if name != "main.3.weight"}, critic, "a dict")
    with pytest.raises(ValueError, match="takes 5 action units"):
        pair(generator | {"main.0.weight": np.zeros((16, 8, 7, 7))}, critic, "a dict")
    with pytest.raises(ValueError, match="not GANimation"):
        pair(critic, generator, "the wrong way round")
