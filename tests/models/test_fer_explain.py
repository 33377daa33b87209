"""Grad-CAM: a network that looks at one corner is found to, and each of ours can be looked into."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.fer.explain import grad_cam, parts
from models.fer.networks import NETWORKS, sized, standardise

PICTURES = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1), np.uint8)


def test_a_network_that_looks_at_one_corner_is_found_to():
    """Class 1 is how bright the corner at the lower left is, class 0 how dark the rest is."""
    corner = np.zeros((8, 8, 1), np.float32)
    corner[6:, :2] = 1.0

    def maps(pictures):
        n, h, w, c = pictures.shape
        bright = jnp.mean(pictures.reshape(n, 8, h // 8, 8, w // 8, c), axis=(2, 4)) + 1
        return jnp.concatenate([bright * corner[None], 1 - bright * (1 - corner)[None] / 2], axis=-1)

    def decide(found, pictures):
        return jnp.stack([jnp.mean(found[..., 1], axis=(1, 2)), jnp.mean(found[..., 0], axis=(1, 2))], axis=1)

    heat = grad_cam(np.full((2, 32, 32, 1), 200, np.uint8), np.array([1, 0]), maps, decide)
    assert heat.shape == (2, 32, 32) and heat.dtype == np.float32
    assert heat[0, 26:, :6].min() > 0.9 and heat[0, :22].max() == 0 and heat[0, :, 10:].max() == 0
    assert heat[1, 8:24, 16:].min() > 0


def test_what_speaks_against_a_class_is_not_shown():
    pictures = np.full((1, 32, 32, 1), 255, np.uint8)
    heat = grad_cam(pictures, np.array([0]), lambda x: x, lambda found, _: -jnp.mean(found, axis=(1, 2)))
    assert heat.max() == 0


@pytest.mark.parametrize("name", ["mini_xception", "vgg", "residual", "alizadeh_hybrid", "yu_zhang"])
def test_the_parts_of_a_network_say_what_it_says(name):
    network = NETWORKS[name](7, 1, rngs=nnx.Rngs(0), **sized(name, 32))
    maps, decide = parts(network)
    pictures = standardise(jnp.asarray(PICTURES))
    apart, whole = jax.jit(lambda pictures: (decide(maps(pictures), pictures), network(pictures)))(pictures)
    np.testing.assert_allclose(apart, whole, rtol=1e-5, atol=1e-5)
