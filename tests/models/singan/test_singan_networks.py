"""SinGAN's networks and gradient penalty against numbers recorded from the authors' program."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

sys.path.insert(0, str(Path(__file__).parent))
import recorded as theirs

from models.layers import product_convolution
from models.singan.losses import critic_loss, gradient_penalty
from models.singan.model import draw_noise
from models.singan.networks import Critic, Generator, width_at


@pytest.fixture(scope="module")
def arrays(shared):
    return dict(np.load(shared / "parity/singan.npz"))


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_the_generator_is_theirs_and_so_are_its_running_statistics(arrays, train):
    generator = theirs.network(arrays, "G0/", Generator)
    noisy, before = theirs.picture(arrays["net/z"]), theirs.picture(arrays["net/prev"])
    made = nnx.jit(lambda g: g(noisy, before[:, 5:-5, 5:-5], train))(generator)
    expected = arrays["net/G0_train" if train else "net/G0_eval"]
    np.testing.assert_allclose(made, theirs.picture(expected), atol=5e-6)
    if train:
        _, after = nnx.state(generator, nnx.Param, nnx.BatchStat)
        after = nnx.to_pure_dict(after)["trunk"]["norms"]
        for number, block in enumerate(("head", "body.block1", "body.block2", "body.block3")):
            for ours, name in (("mean", "running_mean"), ("var", "running_var")):
                expected = arrays[f"net/G0_after_train/{block}.norm.{name}"]
                np.testing.assert_allclose(after[number][ours], expected, atol=5e-6)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_the_critic_is_theirs(arrays, train):
    critic = theirs.network(arrays, "D/", Critic)
    scores = nnx.jit(lambda critic, pictures: critic(pictures, train))(critic, theirs.picture(arrays["net/Dx"]))
    expected = arrays["net/D_train" if train else "net/D_eval"]
    np.testing.assert_allclose(scores[..., 0], expected[:, 0], atol=5e-6)


def test_the_gradient_penalty_and_its_own_gradient_are_theirs(arrays):
    graph = nnx.graphdef(nnx.eval_shape(lambda: Critic(32, rngs=nnx.Rngs(0))))
    state = theirs.weights(arrays, "D/", Critic)
    real, fake = (theirs.picture(arrays[f"gp/{name}"]) for name in ("real", "fake"))
    share = jnp.asarray(arrays["gp/alpha"][0, 0])

    def penalty(params, train):
        scores_of = lambda x: nnx.merge(graph, params, state["stats"], copy=True)(x, train)  # noqa: E731
        return 0.1 * gradient_penalty(scores_of, real, fake, share)

    value, slope = jax.jit(lambda params: jax.value_and_grad(penalty)(params, True))(state["params"])
    assert value == pytest.approx(float(arrays["gp/value_train_lambda0.1"]), rel=1e-5)
    assert penalty(state["params"], False) == pytest.approx(float(arrays["gp/value_eval_lambda0.1"]), rel=1e-5)
    expected = theirs.weights(arrays, "gp/grad/", Critic)["params"]
    for ours, recorded in zip(jax.tree.leaves(slope), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(ours, recorded, atol=1e-4 * max(1e-3, float(jnp.abs(recorded).max())))


def test_pictures_in_a_batch_do_not_see_each_other():
    critic = Critic(4, rngs=nnx.Rngs(0))
    pictures = jax.random.normal(jax.random.key(0), (3, 14, 15, 3))
    run = nnx.jit(lambda critic, pictures: critic(pictures, True))
    together, alone = run(critic, pictures), run(critic, pictures[1:2])
    np.testing.assert_allclose(together[1:2], alone, atol=1e-5)


@pytest.mark.parametrize("channels, features", [(3, 4), (4, 3)])
def test_the_products_are_a_convolution(channels, features):
    x = jax.random.normal(jax.random.key(0), (2, 7, 6, channels))
    kernel = jax.random.normal(jax.random.key(1), (3, 3, channels, features))
    plain = jax.lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    np.testing.assert_allclose(product_convolution(x, kernel), plain, atol=1e-5)


def test_widths_and_sizes_are_those_of_the_paper():
    assert [width_at(scale) for scale in (0, 3, 4, 7, 8, 12)] == [32, 32, 64, 64, 128, 128]
    counts = {}
    for kind in (Generator, Critic):
        params = nnx.state(kind(32, rngs=nnx.Rngs(0)), nnx.Param)
        counts[kind.__name__] = sum(leaf.size for leaf in jax.tree.leaves(params))
    assert counts == {"Generator": 29763, "Critic": 29185}


def test_the_critic_is_paid_for_telling_real_from_fake():
    scores = jnp.array([[1.0, 3.0]]), jnp.array([[0.0, 1.0]])
    assert critic_loss(*scores) == pytest.approx(-1.5)


def test_a_flat_score_has_a_penalty_and_a_finite_gradient():
    pictures = jnp.zeros((1, 4, 4, 3))
    penalty = lambda a: gradient_penalty(lambda x: a * x, pictures, pictures, jnp.float32(0.5))  # noqa: E731
    value, slope = jax.value_and_grad(penalty)(jnp.float32(0.0))
    assert value == 1 and np.isfinite(slope)


def test_noise_has_a_border_of_zeros_or_of_noise_and_one_channel_at_the_coarsest_scale():
    edge = lambda noise: np.abs(noise[:, :5]).max()  # noqa: E731
    zeros, noise = (draw_noise(jax.random.key(0), 2, (12, 13), 1, border) for border in ("zeros", "noise"))
    assert zeros.shape == noise.shape == (2, 22, 23, 3)
    assert edge(zeros) == 0 < edge(noise)
    coarsest = draw_noise(jax.random.key(0), 1, (12, 13), 0, "noise")
    assert np.all(coarsest[..., 0] == coarsest[..., 2]) and np.any(noise[..., 0] != noise[..., 2])
