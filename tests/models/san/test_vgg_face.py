"""VGG-Face at its smallest: both layouts give one network, and grey is corrected as the official program does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.layers import NHWC, channelwise
from models.san import vgg_face
from models.san.vgg_face import MEAN, VggFace, layers
from models.torch_pickle import UntrustedPickleError
from models.weights_file import WeightsError
from vgg_face_files import drawn, values, write_keras

@pytest.fixture(scope="module")
def network():
    return drawn()


def as_pytorch(network):
    """Our values by the published names, channels first."""
    state = {}
    for ours, theirs in layers().items():
        kernel = values(network)[f"{ours}/kernel"]
        if theirs == "fc6":
            kernel = kernel.reshape(2, 2, 6, 8).transpose(3, 2, 0, 1).reshape(8, -1)
        else:
            kernel = kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
        state |= {f"{theirs}.weight": kernel, f"{theirs}.bias": values(network)[f"{ours}/bias"]}
    return state


def test_its_size_is_that_of_the_publication():
    state = nnx.eval_shape(lambda: nnx.state(VggFace(rngs=nnx.Rngs(0)), nnx.Param))
    assert sum(value.size for value in jax.tree.leaves(state)) == 145_002_878  # VGG-16 with 2,622 outputs


def test_both_layouts_give_the_same_network(network, monkeypatch, tmp_path):
    state = as_pytorch(network)
    assert state["fc6.weight"].shape == (8, 24)
    monkeypatch.setattr(vgg_face, "read_state", lambda path: state)
    path = write_keras(network, tmp_path / "vgg.h5")
    for again in (vgg_face.read(tmp_path / "vgg.pth"), vgg_face.read(path)):
        assert again.side == 64
        for name, value in values(network).items():
            np.testing.assert_array_equal(values(again)[name], value)


def test_a_grey_face_is_seen_as_the_official_program_sees_it(network):
    """Summed kernels times 255, less the response to the mean colour with zeros around it."""
    grey = jax.random.uniform(jax.random.key(0), (1, 64, 64, 1))
    first = network.blocks[0][0]
    kernel = first.kernel[...]

    def convolved(x, kernel):
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=NHWC)

    correction = convolved(jnp.broadcast_to(jnp.asarray(MEAN).reshape(1, 1, 1, 3), (1, 64, 64, 3)), kernel)
    expected = convolved(255 * grey, kernel.sum(axis=2, keepdims=True)) - correction + channelwise(first.bias[...])
    seen = first(255 * jnp.tile(grey, (1, 1, 1, 3)) - jnp.asarray(MEAN).reshape(1, 1, 1, 3))
    np.testing.assert_allclose(seen, expected, atol=1e-3)
    described = jax.jit(network)(grey)
    np.testing.assert_allclose(jnp.linalg.norm(described, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(jax.jit(network)(jnp.tile(grey, (1, 1, 1, 3))), described, atol=1e-6)


def test_wrong_files_and_pictures_are_named(network, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="expected 64×64 pixels"):
        network(jnp.zeros((1, 32, 32, 1)))
    path = tmp_path / "vgg.pth"
    path.write_bytes(b"\x80\x02cos\nsystem\n.")
    with pytest.raises(UntrustedPickleError):
        vgg_face.read(path)
    state = as_pytorch(network)
    del state["conv3_2.bias"]
    monkeypatch.setattr(vgg_face, "read_state", lambda path: state)
    with pytest.raises(WeightsError, match="lacks conv3_2's bias"):
        vgg_face.read(path)
