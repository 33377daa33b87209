"""An exported network gives the network's numbers, at any batch and picture size, or is refused."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.fer.mini_xception import MiniXception
from models.mtcnn.weights import network
from models.onnx_export import ParityError, difference, export, require_parity


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def test_the_classifier_as_trained_and_as_exported_agree_on_any_batch() -> None:
    trained = MiniXception(rngs=nnx.Rngs(0))
    model = export(partial(trained, form="grouped"), ("N", 48, 48, 1), ["logits"], "classifier")
    assert difference(model, trained, [noise(1, 48, 48, 1), noise(8, 48, 48, 1)]) < 1e-5


def test_pictures_of_any_size_go_through_p_net() -> None:
    pnet = network("pnet")
    model = export(pnet, ("N", "H", "W", 3), ["face", "box"], "pnet")
    assert difference(model, pnet, [noise(1, 12, 12, 3), noise(1, 37, 64, 3), noise(2, 50, 33, 3)]) < 1e-5


def test_a_model_that_differs_is_refused_by_name() -> None:
    def network(x: jax.Array) -> jax.Array:
        return x.sum(axis=1)

    model = export(network, ("N", 4), ["sum"], "sum")
    with pytest.raises(ParityError, match="tripler"):
        require_parity("tripler", model, lambda x: 3 * network(x), [noise(2, 4)], 1e-4)


def test_a_model_that_gives_no_numbers_is_refused() -> None:
    model = export(jnp.log, ("N", 4), ["log"], "log")
    with pytest.raises(ParityError):
        require_parity("log", model, jnp.log, [-np.ones((1, 4), np.float32)], 1e-4)
