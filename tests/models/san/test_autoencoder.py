"""The semi-adversarial autoencoder equals the authors' on recorded pictures; its file is read without trusting it."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.san.autoencoder import Autoencoder, Convolution, doubled
from models.san.weights import load, load_published, save
from models.torch_pickle import UntrustedPickleError
from models.weights_file import WeightsError


@pytest.fixture(scope="module")
def recorded(shared):
    return np.load(shared / "parity" / "san.npz")


@pytest.fixture(scope="module")
def official(shared) -> Autoencoder:
    return load_published(shared / "data" / "weights" / "san_conv-autoencoder-e20.pkl")


@pytest.fixture(scope="module")
def inputs(recorded) -> tuple[jax.Array, ...]:
    faces = recorded["in/gray_uint8"][..., None]
    prototypes = (recorded[f"in/proto_{name}_uint8_hwc"][None] for name in ("same", "opposite"))
    return tuple(jnp.asarray(each, jnp.float32) / 255 for each in (faces, *prototypes))


def test_it_has_the_papers_number_of_values():
    params = nnx.state(nnx.eval_shape(lambda: Autoencoder(rngs=nnx.Rngs(0))), nnx.Param)
    assert sum(each.size for each in jax.tree.leaves(params)) == 324_248


def test_faces_equal_the_recorded_ones(official, recorded, inputs):
    faces, same, opposite = inputs
    made = official(faces, same, same, opposite)
    for name, pictures in zip(("same", "opposite"), made):
        np.testing.assert_allclose(pictures[..., 0], recorded[f"out/{name}"], atol=1e-5)
    whole = np.floor(np.asarray(made[0][..., 0]) * 255).astype(int)
    assert np.abs(whole - recorded["out/uint8_same"]).max() <= 1
    (swapped,) = official(faces[1:], opposite, opposite)  # as if of the other kind
    np.testing.assert_allclose(swapped[0, ::2, ::2, 0], recorded["out/swapped_same_img1_every2"], atol=1e-5)


def test_a_convolution_of_doubled_pixels_is_that_of_the_doubled_picture():
    layer = Convolution(3, 5, nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(1), (2, 6, 4, 3))
    np.testing.assert_allclose(layer.of_doubled(x), layer(doubled(x)), atol=1e-5)


def test_weights_come_back(tmp_path):
    network = Autoencoder((2, 3, 8, 4), rngs=nnx.Rngs(0))
    save(tmp_path / "san.npz", network, {"size": 16, "attribute": "gender"})
    again, card = load(tmp_path / "san.npz")
    assert card["widths"] == [2, 3, 8, 4]
    faces, same = jnp.ones((1, 16, 16, 1)) / 3, jnp.ones((1, 16, 16, 3)) / 2
    np.testing.assert_array_equal(again(faces, same, same)[0], network(faces, same, same)[0])


def test_a_hostile_pickle_and_a_strangers_weights_are_refused(tmp_path, shared):
    class Hostile:
        def __reduce__(self):
            return print, ("owned",)

    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(UntrustedPickleError):
        load_published(tmp_path / "bad.pkl")
    save(tmp_path / "ours.npz", Autoencoder((2, 3, 8, 4), rngs=nnx.Rngs(0)), {"size": 16})
    with pytest.raises(WeightsError, match="attribute"):
        load(tmp_path / "ours.npz")
