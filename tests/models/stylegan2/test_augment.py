"""Adaptive discriminator augmentation against pictures recorded from NVIDIA's program, and its probabilities."""

from dataclasses import fields, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erfinv

from models.stylegan2 import augment
from models.stylegan2.augment import Draws

NAMES = {
    "xflip": ["mirror"], "rotate90": ["quarter"], "xint": ["jump"], "scale": ["scale"], "rotate": ["before"],
    "aniso": ["stretch"], "xfrac": ["shift"], "brightness": ["brightness"], "contrast": ["contrast"],
    "lumaflip": ["negative"], "hue": ["hue"], "saturation": ["saturation"],
}  # fmt: skip
NAMES["blit"] = ["mirror", "quarter", "jump"]
NAMES["geom"] = ["scale", "before", "stretch", "after", "shift"]
NAMES["color"] = ["brightness", "contrast", "negative", "hue", "saturation"]
NAMES["bgc"] = NAMES["blit"] + NAMES["geom"] + NAMES["color"]


def nothing(count: int) -> Draws:
    pairs = {"jump", "shift"}
    return Draws(**{f.name: jnp.zeros((count, 2) if f.name in pairs else count) for f in fields(Draws)})


def at(percentile: float, names: list[str], count: int) -> Draws:
    """The draws of the program's debugging mode: every one at the same percentile of its distribution."""
    normal, even = float(erfinv(2 * percentile - 1)), 2 * percentile - 1
    values = {
        "mirror": np.floor(2 * percentile), "quarter": np.floor(4 * percentile), "jump": even * augment.SHIFT,
        "scale": normal * augment.SCALE, "before": even * np.pi, "stretch": normal * augment.SCALE, "after": 0.0,
        "shift": normal * augment.SHIFT, "brightness": normal * augment.BRIGHTNESS,
        "contrast": normal * augment.CONTRAST, "negative": np.floor(2 * percentile), "hue": even * np.pi,
        "saturation": normal * augment.SATURATION,
    }  # fmt: skip
    none = nothing(count)
    return replace(none, **{name: jnp.full_like(getattr(none, name), values[name]) for name in names})


@pytest.fixture(scope="module")
def recorded(shared):
    stored = np.load(shared / "parity/stylegan2_ops.npz")
    return {name: stored[name] for name in stored.files if name.startswith("ada/")}


@pytest.mark.parametrize("percentile", [0.1, 0.3, 0.5, 0.62, 0.9])
def test_the_whole_pipeline_is_theirs(recorded, percentile):
    pictures = jnp.asarray(recorded["ada/img"].transpose(0, 2, 3, 1))
    out = jax.jit(augment.apply)(at(percentile, NAMES["bgc"], 2), pictures)
    expected = recorded[f"ada/bgc_pct{percentile}"].transpose(0, 2, 3, 1)
    np.testing.assert_allclose(out, expected, atol=5e-5 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "bgc"])
def test_each_change_is_theirs(recorded, name):
    picture = jnp.asarray(recorded["ada/img"][:1].transpose(0, 2, 3, 1))
    for percentile in (0.3, 0.9):
        out = jax.jit(augment.apply)(at(percentile, NAMES[name], 1), picture)
        expected = recorded[f"ada/{name}_pct{percentile}"].transpose(0, 2, 3, 1)
        np.testing.assert_allclose(out, expected, atol=5e-5, err_msg=f"{name} at {percentile}")


def test_pictures_that_are_not_square_are_theirs(recorded):
    pictures = jnp.asarray(recorded["ada/img_rect_24x20"].transpose(0, 2, 3, 1))
    expected = recorded["ada/bgc_rect_pct0.3"].transpose(0, 2, 3, 1)
    np.testing.assert_allclose(augment.apply(at(0.3, NAMES["bgc"], 2), pictures), expected, atol=5e-5)


def test_without_probability_nothing_changes_much_and_with_it_everything():
    pictures = jax.random.uniform(jax.random.key(0), (16, 16, 16, 3), minval=-1.0)
    smooth = jax.jit(augment.augment)
    np.testing.assert_allclose(smooth(jax.random.key(1), pictures, jnp.float32(0.0)), pictures, atol=1e-4)
    changed = np.abs(smooth(jax.random.key(1), pictures, jnp.float32(1.0)) - pictures).max(axis=(1, 2, 3))
    assert (changed > 0.1).all()


def test_half_of_the_draws_happen_at_a_half():
    draws = augment.draw(jax.random.key(0), 4000, jnp.float32(0.5))
    assert abs(float((draws.hue != 0).mean()) - 0.5) < 0.03
    assert abs(float(draws.mirror.mean()) - 0.25) < 0.03
    turned = (draws.before != 0) | (draws.after != 0)
    assert abs(float(turned.mean()) - 0.5) < 0.03


def test_p_rises_while_real_pictures_are_known_too_well_and_falls_again():
    p = jnp.float32(0.0)
    for _ in range(10):
        p = augment.adapted(p, jnp.float32(0.9), 16, 0.64)
    np.testing.assert_allclose(p, 1.0, atol=1e-5)
    np.testing.assert_allclose(augment.adapted(p, jnp.float32(0.1), 16, 0.64), 0.9, atol=1e-5)
    assert augment.adapted(jnp.float32(0.0), jnp.float32(0.1), 16, 0.64) == 0
