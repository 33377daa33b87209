"""Ten crops: corners and middle, mirrored too, and their mean."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from models.fer.networks import standardise
from models.fer.predict import over_ten_crops, probabilities, ten_crops


class Corners(nnx.Module):
    """Says how bright two corners are."""

    def __init__(self):
        self.gain = nnx.Param(jnp.ones(()))

    def __call__(self, pictures):
        return self.gain[...] * jnp.stack([pictures[:, 2, 2, 0], pictures[:, -2, -3, 0]], axis=1)


def test_the_word_over_ten_crops_is_the_mean_of_ten_words():
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), np.uint8)
    views = ten_crops(standardise(jnp.asarray(images)))
    assert len(views) == 10 and {each.shape for each in views} == {(3, 48, 48, 1)}
    by_hand = np.mean([jax.nn.softmax(Corners()(each), axis=-1) for each in views], axis=0)
    np.testing.assert_allclose(probabilities(Corners(), images, crops=True), by_hand, rtol=1e-4, atol=1e-6)
    assert np.abs(by_hand - probabilities(Corners(), images)).max() > 1e-2


def test_crops_leave_what_is_beyond_them():
    """A network that says how bright the lower right pixel is: the crop at the upper left does not see the last 8."""
    picture = jnp.full((1, 48, 48, 1), -1.0).at[:, 41:, 41:].set(1.0)
    seen = [float(each[0, -1, -1, 0]) for each in ten_crops(picture)]
    assert seen[6] == 1.0 and seen[0] == -1.0
    said = over_ten_crops(lambda x: jnp.stack([x[:, -1, -1, 0], -x[:, -1, -1, 0]], axis=1))(picture)
    chance = 1 / (1 + np.exp(-2 * np.array(seen)))
    np.testing.assert_allclose(jnp.exp(said)[0, 0], chance.mean(), rtol=1e-5)
