"""Adaptive discriminator augmentation, the pipeline "bgc": pixel blitting, geometry and colour (Karras et al. 2020,
"Training Generative Adversarial Networks with Limited Data", section 2 and appendix B), and the rule for its strength.

Every change is made to each picture with probability p, independently of the others. Geometry is one affine map a
picture, sampled between two smooth resamplings by the wavelet sym6 (Daubechies 1992), colour one matrix.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from models.stylegan2.resample import upfirdn
from models.warp import warp

TARGET = 0.6  # of the mean sign of the logits of real pictures
EVERY = 4  # steps between two corrections of p
SHIFT = 0.125  # of the side, in whole pixels and in fractions
SCALE, BRIGHTNESS, CONTRAST, SATURATION = 0.2, 0.2, 0.5, 1.0  # standard deviations; all but brightness in octaves
SYM6 = np.array([
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466,
    0.787641141030194, 0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578,
    0.0017677118642428036, -0.007800708325034148,
])  # fmt: skip
FILTER = SYM6 / SYM6.sum()
BEYOND = len(FILTER) // 4  # pixels around the result that its last filter reaches


@dataclass(frozen=True)
class Draws:
    """What is done to each of N pictures, (N,) or, where there are two axes, (N, 2) for x and y."""

    mirror: Array  # 0 or 1
    quarter: Array  # quarter turns, 0 to 3
    jump: Array  # of the side, rounded to whole pixels
    scale: Array  # octaves
    before: Array  # radians, turned before the stretch
    stretch: Array  # octaves, along x, and as much less along y
    after: Array  # radians
    shift: Array  # of the side
    brightness: Array
    contrast: Array  # octaves
    negative: Array  # 0 or 1: mirrored in luma
    hue: Array  # radians
    saturation: Array  # octaves


jax.tree_util.register_dataclass(Draws)


def augment(key: Array, pictures: Array, p: Array) -> Array:
    """(N, H, W, C) in [-1, 1], C 3 or 1, each picture changed in its own way; differentiable. `p` () in [0, …)."""
    return apply(draw(key, pictures.shape[0], p), pictures)


def adapted(p: Array, signs: Array, batch: int, kimg: float) -> Array:
    """p after `EVERY` steps of `batch` pictures in which real logits had the mean sign `signs`; from 0 to 1 in `kimg`."""
    step = batch * EVERY / (kimg * 1000)
    return jnp.maximum(p + jnp.sign(signs - TARGET) * step, 0.0)


def draw(key: Array, count: int, p: Array) -> Draws:
    """Draws what to do with `count` pictures."""
    keys = iter(jax.random.split(key, 26))

    def happens(chance: Array = p) -> Array:
        return (jax.random.uniform(next(keys), (count,)) < chance).astype(jnp.float32)

    def uniform(*shape: int) -> Array:
        return jax.random.uniform(next(keys), (count, *shape), minval=-1.0, maxval=1.0)

    def normal(*shape: int) -> Array:
        return jax.random.normal(next(keys), (count, *shape))

    def choice(options: int) -> Array:
        return jnp.floor(jax.random.uniform(next(keys), (count,)) * options)

    turns = 1 - jnp.sqrt(jnp.clip(1 - p, 0.0, 1.0))  # so that a picture is turned at all with probability p
    return Draws(
        mirror=choice(2) * happens(),
        quarter=choice(4) * happens(),
        jump=uniform(2) * SHIFT * happens()[:, None],
        scale=normal() * SCALE * happens(),
        before=uniform() * np.pi * happens(turns),
        stretch=normal() * SCALE * happens(),
        after=uniform() * np.pi * happens(turns),
        shift=normal(2) * SHIFT * happens()[:, None],
        brightness=normal() * BRIGHTNESS * happens(),
        contrast=normal() * CONTRAST * happens(),
        negative=choice(2) * happens(),
        hue=uniform() * np.pi * happens(),
        saturation=normal() * SATURATION * happens(),
    )


def apply(draws: Draws, pictures: Array) -> Array:
    """The changes of `draws` made to pictures (N, H, W, C)."""
    height, width = pictures.shape[1:3]
    return recolour(colour(draws), move(geometry(draws, height, width), pictures))


def geometry(draws: Draws, height: int, width: int) -> Array:
    """(N, 3, 3): from pixels of the result, about its middle, to pixels of the picture, about its middle."""
    size = jnp.array([[width, height]], jnp.float32)
    stretch = jnp.exp2(-draws.stretch)
    steps = [
        _scaled(1 - 2 * draws.mirror, jnp.ones_like(draws.mirror)),
        _turned(draws.quarter * (np.pi / 2)),
        _shifted(-jnp.round(draws.jump * size)),
        _scaled(jnp.exp2(-draws.scale), jnp.exp2(-draws.scale)),
        _turned(draws.before),
        _scaled(stretch, 1 / stretch),
        _turned(draws.after),
        _shifted(-draws.shift * size),
    ]
    product = steps[0]
    for step in steps[1:]:
        product = product @ step
    return product


def colour(draws: Draws) -> Array:
    """(N, 4, 4): the matrix of a colour (r, g, b, 1)."""
    count, eye = draws.hue.shape[0], jnp.eye(4)[None]
    luma = jnp.array([1.0, 1.0, 1.0, 0.0])[None] / np.sqrt(3)
    along = luma.T @ luma
    contrast = jnp.exp2(draws.contrast)
    bright = jnp.broadcast_to(eye, (count, 4, 4)).at[:, :3, 3].set(draws.brightness[:, None])
    scaled = eye.at[0, 3, 3].set(0.0) * contrast[:, None, None] + jnp.zeros((1, 4, 4)).at[0, 3, 3].set(1.0)
    negative = eye - 2 * along[None] * draws.negative[:, None, None]
    saturated = along[None] + (eye - along[None]) * jnp.exp2(draws.saturation)[:, None, None]
    saturated = saturated.at[:, 3, 3].set(1.0)
    return saturated @ _turned_about_luma(draws.hue) @ negative @ scaled @ bright


def move(inverse: Array, pictures: Array) -> Array:
    """Pictures (N, H, W, C) seen through `inverse` (N, 3, 3) of `geometry`; beyond their borders they are mirrored."""
    n, height, width, _ = pictures.shape
    taps = (2 * FILTER, 2 * FILTER)
    half = len(FILTER) // 2
    # Wide enough for whatever may be sampled: which margin is needed would depend on the draws.
    sides = ((0, 0), (height - 1, height - 1), (width - 1, width - 1), (0, 0))
    padded = jnp.pad(pictures, sides, mode="reflect")
    large = upfirdn(padded, taps, up=(2, 2), padding=((half, half - 1), (half, half - 1)))
    rows, columns = 2 * (height + 2 * BEYOND), 2 * (width + 2 * BEYOND)
    y = (jnp.arange(rows, dtype=jnp.float32) + 0.5 - rows / 2) / 2
    x = (jnp.arange(columns, dtype=jnp.float32) + 0.5 - columns / 2) / 2
    # Between the two resamplings a pixel is a half as large, and its middle lies a quarter of a pixel aside.
    places = jnp.stack(jnp.broadcast_arrays(x[None, :] + 0.25, y[:, None] + 0.25, jnp.ones((1, 1))), axis=-1)
    seen = jnp.einsum("nij,rcj->nrci", inverse[:, :2], places) - 0.25
    from_x = 2 * seen[..., 0] + large.shape[2] / 2 - 0.5
    from_y = 2 * seen[..., 1] + large.shape[1] / 2 - 0.5
    border = jnp.pad(large, ((0, 0), (1, 1), (1, 1), (0, 0)))  # black beyond the border, however far
    sampled = warp(border, from_y + 1, from_x + 1)
    turned = (FILTER[::-1], FILTER[::-1])
    return upfirdn(sampled, turned, down=(2, 2), padding=((-1, -1), (-1, -1)))


def recolour(matrix: Array, pictures: Array) -> Array:
    """Pictures (N, H, W, C) in the colours of `matrix` (N, 4, 4); grey ones take the mean of its rows."""
    if pictures.shape[-1] == 1:
        row = matrix[:, :3].mean(axis=1)
        return pictures * row[:, :3].sum(axis=1)[:, None, None, None] + row[:, 3][:, None, None, None]
    return jnp.einsum("nij,nhwj->nhwi", matrix[:, :3, :3], pictures) + matrix[:, None, None, :3, 3]


def _matrices(rows: list[list[Array | float]], count: int) -> Array:
    return jnp.stack(
        [jnp.stack([jnp.broadcast_to(jnp.float32(v), (count,)) for v in row], axis=1) for row in rows], axis=1
    )


def _scaled(x: Array, y: Array) -> Array:
    return _matrices([[x, 0, 0], [0, y, 0], [0, 0, 1]], x.shape[0])


def _shifted(by: Array) -> Array:
    return _matrices([[1, 0, by[:, 0]], [0, 1, by[:, 1]], [0, 0, 1]], by.shape[0])


def _turned(angle: Array) -> Array:
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return _matrices([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]], angle.shape[0])


def _turned_about_luma(angle: Array) -> Array:
    """(N, 4, 4), a rotation about (1, 1, 1) by Rodrigues' formula."""
    v, cos, sin = 1 / np.sqrt(3), jnp.cos(angle), jnp.sin(angle)
    a, b, c = v * v * (1 - cos) + cos, v * v * (1 - cos) - v * sin, v * v * (1 - cos) + v * sin
    return _matrices([[a, b, c, 0], [c, a, b, 0], [b, c, a, 0], [0, 0, 0, 1]], angle.shape[0])
