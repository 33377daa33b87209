"""Projection: a picture made from a known w is found again; noise stays noise; pictures do not touch each other."""


import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.stylegan2.generator import Architecture, Generator
from models.stylegan2.project import (
    Search, average_and_spread, perceptual, pixel_pyramid, project, renormalise, structure,
)
from watchers import Silent

TINY = Architecture(16, channel_base=128, channel_max=8, latent=8, mapping_layers=2)


@pytest.fixture(scope="module")
def generator():
    generator = Generator(TINY, rngs=nnx.Rngs(0))
    for block in generator.synthesis.blocks:
        for layer in block.layers():
            layer.noise_strength[...] = jnp.float32(0.05)
    return generator


@pytest.fixture(scope="module")
def known(generator):
    """Pictures of two z, about as far apart as pictures are."""
    z = jnp.asarray(np.random.default_rng(3).normal(size=(2, 8)), jnp.float32)
    return np.asarray(generator(z))


@pytest.mark.parametrize("space", ["w", "w+"])
def test_a_picture_of_a_known_w_is_found_again(generator, known, space):
    found = project(generator, known, pixel_pyramid, Search(steps=240, frames=4, space=space), 0, Silent())
    assert (found.distances[-1] < found.distances[0] / 10).all()
    assert found.distances.shape == (240, 2) and found.way.shape == (4, 2, 16, 16, 3)
    again = generator.synthesis(jnp.asarray(found.ws), [jnp.asarray(noise) for noise in found.noise])
    np.testing.assert_allclose(again, found.pictures, rtol=1e-4, atol=1e-4)
    assert np.ptp(found.ws, axis=1).max() == 0 if space == "w" else np.ptp(found.ws, axis=1).min(axis=1).max() > 0


def test_pictures_do_not_touch_each_other(generator, known):
    search = Search(steps=10, frames=1)
    found = [project(generator, both, pixel_pyramid, search, 0, Silent()) for both in (known, known[[0, 0]])]
    np.testing.assert_allclose(found[0].ws[0], found[1].ws[0], rtol=1e-3, atol=1e-4)
    assert np.abs(found[0].ws[1] - found[1].ws[1]).max() > 0.01


def test_noise_that_pictures_something_is_seen():
    noise = jax.random.normal(jax.random.key(0), (3, 32, 32))
    smooth = renormalise((noise + jnp.roll(noise, 1, 1) + jnp.roll(noise, 1, 2)) / 3 + 5)
    assert float(structure(smooth)) > 20 * float(structure(renormalise(noise)))
    np.testing.assert_allclose(smooth.mean(axis=(1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose((smooth**2).mean(axis=(1, 2)), 1, rtol=1e-4)


def test_the_schedule_is_that_of_the_paper():
    search, t = Search(), jnp.asarray([0.0, 0.025, 0.05, 0.5, 0.75, 0.875, 1.0])
    np.testing.assert_allclose(search.rate(t), [0, 0.05, 0.1, 0.1, 0.1, 0.05, 0], atol=1e-6)
    np.testing.assert_allclose(search.jitter_at(t), 0.05 * np.maximum(0, 1 - np.asarray(t) / 0.75) ** 2, atol=1e-7)


def test_average_and_spread_are_those_of_the_mapping(generator):
    average, spread = average_and_spread(generator, 1)
    w = np.asarray(generator.mapping(jax.random.normal(jax.random.key(5), (4000, 8))))
    np.testing.assert_allclose(average, w.mean(axis=0), atol=0.1 * float(spread))
    assert float(spread) == pytest.approx(np.sqrt(((w - w.mean(axis=0)) ** 2).sum(axis=1).mean()), rel=0.05)


def test_perceptual_features_have_length_one():
    maps = perceptual(lambda x: [x * 7, x[:, ::2]])(jax.random.normal(jax.random.key(0), (2, 8, 8, 3)))
    for y in maps:
        np.testing.assert_allclose(jnp.sum(y**2, axis=-1), 1, rtol=1e-4)


def test_pictures_and_settings_that_do_not_fit_are_refused(generator):
    with pytest.raises(ValueError, match=r"makes pictures \(N, 16, 16, 3\), got \(1, 32, 32, 3\)"):
        project(generator, np.zeros((1, 32, 32, 3), np.float32), pixel_pyramid, Search(10, 1), 0, Silent())
    for field, value in {"frames": 3, "space": "z", "learning_rate": 0.0, "jitter": -1.0}.items():
        with pytest.raises(ValueError, match=f"{field} is"):
            Search(**{"steps": 10, "frames": 1, field: value})
