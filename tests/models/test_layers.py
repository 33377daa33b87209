"""The fast forms of the layers against the compiler's own, forwards and backwards."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models import layers


def draw(*shape: int, seed: int = 7) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def assert_same_with_gradients(fast, plain, *args, tolerance=2e-5):
    out, pull_fast = jax.vjp(fast, *args)
    expected, pull_plain = jax.vjp(plain, *args)
    np.testing.assert_allclose(out, expected, atol=tolerance, rtol=tolerance)
    grad = draw(*out.shape, seed=8)
    for got, wanted in zip(pull_fast(grad), pull_plain(grad)):
        np.testing.assert_allclose(got, wanted, atol=tolerance * float(jnp.abs(wanted).max()), rtol=0)


@pytest.mark.parametrize("side", [6, 11])
def test_depthwise(side):
    assert_same_with_gradients(
        lambda x, k: layers.depthwise(x, k, "shifted"),
        lambda x, k: layers.depthwise(x, k, "grouped"),
        draw(4, side, side, 5),
        draw(3, 3, 5),
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_convolution(channels):
    assert_same_with_gradients(
        lambda x, k: layers.convolution(x, k, "shifted"),
        lambda x, k: layers.convolution(x, k, "grouped"),
        draw(4, 9, 8, channels),
        draw(3, 3, channels, 6),
    )


@pytest.mark.parametrize("side", [6, 7, 11])
def test_max_pool_at_odd_and_even_sizes(side):
    assert_same_with_gradients(
        lambda x: layers.max_pool(x, "shifted"), lambda x: layers.max_pool(x, "grouped"), draw(3, side, side + 1, 2)
    )


def test_batch_norm_gradient_is_that_of_its_formula():
    def formula(x, scale, bias):
        mean = x.mean(axis=(0, 1, 2), keepdims=True)
        var = jnp.square(x - mean).mean(axis=(0, 1, 2), keepdims=True)
        return (x - mean) / jnp.sqrt(var + 1e-3) * layers.channelwise(scale) + layers.channelwise(bias)

    normalise = lambda x, scale, bias: layers._normalise(x, scale, bias, 1e-3)[0]
    assert_same_with_gradients(normalise, formula, draw(4, 5, 6, 3) + 2, draw(3), draw(3))


def test_batch_norm_uses_what_it_has_seen():
    norm, x = layers.BatchNorm(3, momentum=0.0), draw(8, 4, 4, 3) * 3 + 1
    trained = norm(x, train=True)
    np.testing.assert_allclose(norm(x, train=False), trained, atol=1e-5)  # momentum 0: the last batch is all it knows
    assert not jnp.allclose(layers.BatchNorm(3)(x, train=False), trained, atol=0.1)
    assert nnx.state(norm, nnx.BatchStat)["mean"][...].shape == (3,)
