"""SAN's autoencoder: the recorded numbers of the official network, other sizes, and the two shortcuts it takes."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import lax

from models import onnx_export
from models.layers import NHWC
from models.san.autoencoder import Autoencoder, enlarged, enlarged_convolution
from models.san.published import AUTOENCODER, read_autoencoder
from models.torch_pickle import UntrustedPickleError, read_state
from models.weights_file import WeightsError, flat

OFFICIAL = "data/weights/san_conv-autoencoder-e20.pkl"


@pytest.fixture(scope="module")
def recorded(shared):
    return np.load(shared / "parity/san.npz")


@pytest.fixture(scope="module")
def official(shared):
    return read_autoencoder(shared / OFFICIAL)


@pytest.fixture(scope="module")
def inputs(recorded):
    """Faces and their own and the other prototypes, as the official program is given them."""
    faces = jnp.float32(recorded["in/gray_uint8"][..., None] / 255)
    prototypes = [recorded[f"in/proto_{which}_uint8_hwc"] / 255 for which in ("same", "opposite")]
    return faces, *(jnp.float32(np.stack([each] * 2)) for each in prototypes)


def test_it_has_the_paper_s_number_of_weights():
    state = nnx.eval_shape(lambda: nnx.state(Autoencoder(rngs=nnx.Rngs(0)), nnx.Param))
    assert sum(value.size for value in jax.tree.leaves(state)) == 324_248


def test_it_equals_the_official_network(recorded, official, inputs):
    faces, same, other = inputs
    share = jax.jit(official.share)(faces, same)
    for name, prototypes in (("same", same), ("opposite", other)):
        out = jax.nn.sigmoid(official.logits(share, prototypes))[..., 0]
        np.testing.assert_allclose(out, recorded[f"out/{name}"], atol=1e-5)
    uint8 = np.asarray(jax.nn.sigmoid(official.logits(share, same))[..., 0] * 255).astype(np.uint8)
    assert np.abs(uint8.astype(int) - recorded["out/uint8_same"]).max() <= 1


def test_its_maps_equal_the_official_ones(recorded, official, inputs):
    faces, same, other = (each[1:] for each in inputs)
    code = jnp.moveaxis(official.code(faces, same)[0], -1, 0)
    np.testing.assert_allclose(code, recorded["out/encoder_56x56_img1"], atol=1e-5)
    features = jnp.moveaxis(enlarged(official.features(faces, same))[0, ::4, ::4, :4], -1, 0)
    np.testing.assert_allclose(features, recorded["out/features_224_img1_first4ch_every4"], atol=1e-5)
    swapped = official(faces, other)[0, ::2, ::2, 0]
    np.testing.assert_allclose(swapped, recorded["out/swapped_same_img1_every2"], atol=1e-5)


def test_its_gradients_equal_the_official_ones(recorded, official, inputs):
    faces, same, _ = (each[:, 60:124, 60:124] for each in inputs)
    graph, params = nnx.split(official)

    def loss(params):
        return jnp.mean(jnp.abs(faces - nnx.merge(graph, params)(faces, same)))

    value, grads = jax.jit(jax.value_and_grad(loss))(params)
    np.testing.assert_allclose(value, recorded["loss/L1_crop60_124"], rtol=1e-5)
    for name, grad in flat(nnx.to_pure_dict(grads)).items():
        layer, kind = name.rsplit("/", 1)
        expected = recorded[f"gradnorm/L1_crop/{AUTOENCODER[layer]}.{'weight' if kind == 'kernel' else 'bias'}"]
        np.testing.assert_allclose(jnp.linalg.norm(grad.ravel()), expected, rtol=1e-4, err_msg=name)


def test_enlarging_and_convolving_in_one_is_the_same():
    keys = jax.random.split(jax.random.key(0))
    x, kernel = jax.random.normal(keys[0], (2, 3, 5, 4)), jax.random.normal(keys[1], (3, 3, 4, 6))
    plain = lax.conv_general_dilated(enlarged(x), kernel, (1, 1), "SAME", dimension_numbers=NHWC)
    np.testing.assert_allclose(enlarged_convolution(x, kernel), plain, atol=1e-5)


def test_even_sides_that_four_does_not_divide_come_back():
    network = Autoencoder((2, 3), (8, 4), rngs=nnx.Rngs(0))
    keys = jax.random.split(jax.random.key(0), 3)
    face, same, other = (jax.random.uniform(key, (1, 10, 14, c)) for key, c in zip(keys, (1, 3, 3)))
    out = network(face, same, other)
    assert out.shape == face.shape and 0 < float(out.min()) < float(out.max()) < 1
    assert float(jnp.abs(out - network(face, same)).max()) > 1e-3
    # As if the edge had been repeated by hand.
    padded = [jnp.pad(each, ((0, 0), (0, 2), (0, 2), (0, 0)), mode="edge") for each in (face, same, other)]
    np.testing.assert_allclose(network(*padded)[:, :10, :14], out, atol=1e-6)


def test_enlarging_small_faces_is_showing_them_with_each_pixel_repeated():
    plain, enlarging = (Autoencoder((2, 3), (8, 4), enlarge=each, rngs=nnx.Rngs(0)) for each in (False, True))
    keys = jax.random.split(jax.random.key(0), 3)
    face, same, other = (jax.random.uniform(key, (2, 10, 14, c)) for key, c in zip(keys, (1, 3, 3)))
    out = enlarging(face, same, other)
    np.testing.assert_allclose(enlarged(out), plain(*map(enlarged, (face, same, other))), atol=1e-5)
    np.testing.assert_allclose(out, enlarging(face, same, other, "grouped"), atol=1e-5)


def test_wrong_pictures_are_named():
    network = Autoencoder((2, 3), (8, 4), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match=r"\(1, 8, 8, 3\), expected grey ones"):
        network(jnp.zeros((1, 8, 8, 3)), jnp.zeros((1, 8, 8, 3)))
    with pytest.raises(ValueError, match="even sides"):
        network(jnp.zeros((1, 9, 8, 1)), jnp.zeros((1, 9, 8, 3)))
    with pytest.raises(ValueError, match=r"one for each face, \(2, 8, 8, 3\)"):
        network(jnp.zeros((2, 8, 8, 1)), jnp.zeros((1, 8, 8, 3)))


def test_a_hostile_file_is_refused(shared, tmp_path):
    whole = (shared / OFFICIAL).read_bytes()
    path = tmp_path / "hostile.pkl"
    path.write_bytes(whole.replace(b"collections\nOrderedDict", b"os\nsystem", 1))
    with pytest.raises(UntrustedPickleError, match="asks for os.system"):
        read_autoencoder(path)
    path.write_bytes(pickle.dumps(print))
    with pytest.raises(UntrustedPickleError):
        read_autoencoder(path)
    path.write_bytes(whole[:-100])
    with pytest.raises(UntrustedPickleError, match="cut short"):
        read_autoencoder(path)


def test_a_file_of_another_network_is_named(shared, monkeypatch):
    state = read_state(shared / OFFICIAL)
    monkeypatch.setattr("models.san.published.read_state", lambda path: dict(list(state.items())[2:]))
    with pytest.raises(WeightsError, match=r"lacks autoencoder\.0\.weight"):
        read_autoencoder("other.pkl")
    wrong = state | {"autoencoder.9.weight": np.zeros((128, 12, 3, 3), np.float32)}
    monkeypatch.setattr("models.san.published.read_state", lambda path: wrong)
    with pytest.raises(WeightsError, match=r"refine/kernel has shape \(3, 3, 12, 128\)"):
        read_autoencoder("other.pkl")


@pytest.mark.parametrize("enlarge", [False, True])
def test_it_converts_to_onnx_with_face_and_prototypes_as_one_input(enlarge):
    network = Autoencoder((2, 3), (8, 4), enlarge=enlarge, rngs=nnx.Rngs(0))

    def shown(x):
        return network(x[..., :1], x[..., 1:4], x[..., 4:], form="grouped")

    model = onnx_export.export(shown, ("N", 16, 16, 7), ["face"], "san")
    inputs = [np.random.default_rng(count).random((count, 16, 16, 7), np.float32) for count in (1, 3)]
    assert onnx_export.difference(model, shown, inputs) < 1e-5
    x = jnp.asarray(inputs[1])
    np.testing.assert_allclose(shown(x), network(x[..., :1], x[..., 1:4], x[..., 4:], "shifted"), atol=1e-6)
