"""Judges in files: whichever network a file holds, it is shown grey pictures in [0, 1] and says what the network would."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.face_matcher import weights as matcher_weights
from models.face_matcher.network import FaceMatcher
from models.fer import weights as fer_weights
from models.fer.mini_xception import MiniXception
from models.fer.predict import probabilities
from models.san import judges, weights
from models.san.gender import PortClassifier

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), np.uint8)


def test_san_s_own_classifiers_see_pictures_as_they_are(tmp_path):
    network = PortClassifier(2, 32, rngs=nnx.Rngs(0))
    weights.save(tmp_path / "w.npz", network, {"labels": ["woman", "man"]})
    judge, card = judges.classifier(tmp_path / "w.npz")
    assert card["labels"] == ["woman", "man"]
    np.testing.assert_allclose(judges.said(judge, PICTURES), network(jnp.float32(PICTURES / 255)), atol=1e-5)


@pytest.mark.parametrize("mirror", [False, True])
def test_expression_networks_see_their_range_and_the_mirror_image_where_their_card_says_so(tmp_path, mirror):
    network = MiniXception(2, rngs=nnx.Rngs(0))
    card = {"network": "mini_xception", "labels": ["a", "b"], "size": 32, "channels": 1, "mirror": mirror}
    fer_weights.save(tmp_path / "w.npz", network, card)
    logits = judges.said(judges.classifier(tmp_path / "w.npz")[0], PICTURES)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(chances, probabilities(network, PICTURES, mirror), atol=1e-5)


def test_a_matcher_of_colour_sees_grey_in_all_channels(tmp_path):
    network = FaceMatcher(3, 8, rngs=nnx.Rngs(0))
    matcher_weights.save(tmp_path / "w.npz", network, {"size": 32})
    described = judges.said(judges.matcher(tmp_path / "w.npz"), PICTURES)
    expected = matcher_weights.embed(network, PICTURES.repeat(3, axis=3))
    np.testing.assert_allclose(described, expected, atol=5e-3)  # kept in half precision
