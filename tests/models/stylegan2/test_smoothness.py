"""Perceptual path length: zero for a generator that draws one picture, quadratic in how fast its pictures change."""

import jax.numpy as jnp
import pytest
from flax import nnx

from models.stylegan2.generator import Architecture, Generator
from models.stylegan2.smoothness import perceptual_path_length

ARCH = Architecture(16, channel_base=64, channel_max=8, latent=8, mapping_layers=1, labels=3)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(ARCH, rngs=nnx.Rngs(0))


def test_it_grows_with_the_square_of_the_change(generator):
    """Features that are twice as large make ways twice as long, and their squares four times."""
    once, twice = (perceptual_path_length(generator, lambda x, k=k: [k * x], 60, 0) for k in (1.0, 2.0))
    assert once > 1e-3
    assert twice == pytest.approx(4 * once, rel=1e-3)


def test_pictures_that_do_not_change_have_none(generator):
    assert perceptual_path_length(generator, lambda x: [jnp.zeros_like(x)], 60, 0) == 0


def test_it_is_the_same_whatever_the_noise_of_a_seed_and_needs_two_ways(generator):
    first, again = (perceptual_path_length(generator, lambda x: [x], 60, seed) for seed in (1, 1))
    assert first == again != perceptual_path_length(generator, lambda x: [x], 60, 2)
    with pytest.raises(ValueError, match="at least 2"):
        perceptual_path_length(generator, lambda x: [x], 1, 0)
