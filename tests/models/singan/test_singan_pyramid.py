"""SinGAN's pyramid against the sizes, matrices and pictures that the authors' program made."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from models.singan.pyramid import plan_scales, real_pyramid, resize, resize_matrix


@pytest.fixture(scope="module")
def recorded(shared):
    return np.load(shared / "parity/singan.npz")


@pytest.fixture(scope="module")
def info(recorded):
    return json.loads(str(recorded["info_json"]))


def as_read(levels: np.ndarray) -> jax.Array:
    """8-bit levels as the authors' program normalises them, to the last bit."""
    return jnp.asarray(((levels / 255).astype(np.float32) - np.float32(0.5)) * np.float32(2))


def test_sizes_and_factor_of_ten_pictures_are_theirs(info):
    for name, theirs in info["pyramid_table"].items():
        plan = plan_scales(tuple(map(int, name.split("x"))))
        assert plan.finest == theirs["stop_scale"]
        assert plan.factor == pytest.approx(theirs["scale_factor"], rel=1e-15)
        assert [list(size) for size in plan.sizes] == theirs["sizes"]


def test_resize_matrices_are_theirs_with_their_lopsided_border(recorded, info):
    for pair in info["resize_pairs"]:
        ours = resize_matrix(pair["n_in"], pair["scale"], pair["n_out"])
        np.testing.assert_allclose(ours, recorded[f"resize/{pair['name']}_f64"], atol=1e-12)


@pytest.mark.parametrize("run", [real_pyramid, jax.jit(real_pyramid, static_argnums=(1, 2))], ids=["plain", "jitted"])
def test_the_pyramid_through_8_bits_is_theirs(recorded, run):
    for scale, ours in enumerate(run(as_read(recorded["in/image64_uint8_hwc"]), plan_scales((64, 64)), True)):
        np.testing.assert_allclose(ours, recorded[f"pyr/real{scale}"].transpose(1, 2, 0), atol=1e-6)


def test_the_pyramid_in_float_is_theirs_but_for_the_truncation(recorded):
    for scale, ours in enumerate(real_pyramid(as_read(recorded["in/image64_uint8_hwc"]), plan_scales((64, 64)))):
        theirs = recorded[f"pyr/real{scale}"].transpose(1, 2, 0)
        assert 0 < np.mean(ours - theirs) < 2 / 255  # two passes lower each level by less than one
        np.testing.assert_allclose(ours, theirs, atol=3 * 2 / 255)


def test_a_picture_larger_than_the_largest_is_shrunk_first(recorded):
    row, column = np.mgrid[:188, :270][..., None]
    levels = np.clip(128 + 90 * np.sin(row / 11) * np.array([1, -1, 0.5]) + 30 * np.cos(column / 7), 0, 255)
    pyramid = real_pyramid(as_read(levels.astype(np.uint8)), plan_scales((188, 270)), quantise=True)
    for scale in (0, 2):
        errors = np.abs(pyramid[scale] - recorded[f"pyr/188x270_real{scale}"].transpose(1, 2, 0))
        # Where the picture saturates, a level sits on the edge of a truncation and may fall to either side.
        assert np.mean(errors > 1e-6) < 0.04 and errors.max() < 1.01 * 2 / 255


def test_resizing_up_and_down_is_theirs(recorded):
    x = jnp.asarray(recorded["resize/x"].transpose(1, 2, 0))
    for name, scale in (("x_down", 0.77), ("x_up", 1.3)):
        theirs = recorded[f"resize/{name}"].transpose(1, 2, 0)
        np.testing.assert_allclose(resize(x, scale, quantise=True), theirs, atol=1e-6)


def test_a_size_crops_or_mirrors_below_and_at_the_right():
    x = jnp.linspace(-1, 1, 6 * 5 * 3).reshape(6, 5, 3)
    whole = resize(x, 1.5)
    assert whole.shape == (9, 8, 3)
    np.testing.assert_allclose(resize(x, 1.5, (7, 8)), whole[:7], atol=1e-6)
    larger = resize(x, 1.0, (7, 5))
    np.testing.assert_allclose(larger[:6], x, atol=1e-6)
    np.testing.assert_allclose(larger[6], x[5], atol=1e-6)


def test_a_picture_below_the_coarsest_scale_is_refused():
    with pytest.raises(ValueError, match="10×64, expected at least 25 pixels"):
        plan_scales((10, 64))
    with pytest.raises(ValueError, match="shrinks to 10×250"):
        plan_scales((40, 1000))
