"""Editing faces with a GANimation (Pumarola et al. 2018, section 6): to wanted action units, one unit at several
levels, from one expression to another, and back into the picture that the face was cut from.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from models.action_units.units import UNITS, checked
from models.ganimation.generator import Edited, Generator
from models.pixels import to_uint8

LEVELS = (0.0, 0.33, 0.66, 1.0)  # of one unit, as single-unit sheets show them
COLLAPSED = 0.05  # how close to 0 or to 1 nearly all of a collapsed mask is
SEAM = 1 / 12  # of the box's side in which an edit fades out towards its border


@jax.jit
def _edited(graph_and_state: tuple[nnx.GraphDef, Any], pictures: Array, units: Array) -> Edited:
    return nnx.merge(*graph_and_state)(pictures.astype(jnp.float32) / 127.5 - 1.0, units)


def edit(generator: Generator, pictures: Any, units: Any, batch_size: int = 64) -> Edited:
    """Pictures (N, S, S, 3) uint8 brought to units (N, 17) in [0, 1], as host arrays.

    Raises ValueError for pictures of another shape or type than the generator's, and what `checked` raises.
    """
    side = generator.arch.size
    if pictures.dtype != np.uint8 or pictures.shape[1:] != (side, side, 3):
        raise ValueError(f"pictures are {pictures.dtype} {pictures.shape}, expected uint8 (N, {side}, {side}, 3)")
    units = checked(units, len(pictures))
    batch_size = min(batch_size, 1 << max(len(pictures) - 1, 0).bit_length())
    graph_and_state = nnx.split(generator)
    result = Edited(*(np.zeros((len(pictures), side, side, channels), np.float32) for channels in (3, 3, 1)))
    for start in range(0, len(pictures), batch_size):
        rows = slice(start, start + batch_size)
        batch = np.asarray(pictures[rows])
        missing = batch_size - len(batch)  # filled up, so that one program serves all batches
        filled = np.pad(batch, ((0, missing), (0, 0), (0, 0), (0, 0))), np.pad(units[rows], ((0, missing), (0, 0)))
        for whole, part in zip(result, _edited(graph_and_state, *filled)):
            whole[rows] = part[: len(batch)]
    return result


def levels(generator: Generator, picture: np.ndarray, units: Any, unit: int, at: Sequence[float] = LEVELS) -> Edited:
    """One picture (S, S, 3) uint8 with its units (17,), of which `unit`, by its FACS number, is set to each of `at`.

    Raises ValueError for a unit that is not one of `UNITS`, and what `edit` raises.
    """
    if unit not in UNITS:
        raise ValueError(f"action unit {unit} is not one of {UNITS}")
    wanted = np.repeat(np.asarray(units, np.float32)[None], len(at), axis=0)
    wanted[:, UNITS.index(unit)] = at
    return edit(generator, np.repeat(picture[None], len(at), axis=0), wanted)


def between(generator: Generator, picture: np.ndarray, first: Any, last: Any, frames: int) -> Edited:
    """One picture (S, S, 3) uint8 on the straight way from units `first` to `last`, (17,) each, both of them included.

    Raises ValueError for fewer than two frames, and what `edit` raises.
    """
    if frames < 2:
        raise ValueError(f"frames is {frames}, expected at least 2: the first expression and the last")
    share = np.linspace(0, 1, frames, dtype=np.float32)[:, None]
    wanted = (1 - share) * np.asarray(first, np.float32)[None] + share * np.asarray(last, np.float32)[None]
    return edit(generator, np.repeat(picture[None], frames, axis=0), wanted)


def collapsed(attention: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of N masks (N, H, W, 1) have collapsed, two (N,) of bool: to 1, so that the input is copied, and to 0, so
    that the whole picture is repainted. One pixel in a hundred may be otherwise.
    """
    low, high = np.quantile(np.asarray(attention), (0.01, 0.99), axis=(1, 2, 3))
    return low > 1 - COLLAPSED, high < COLLAPSED


def paste(picture: np.ndarray, box: Sequence[float], colour: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) uint8 whose face in `box` is edited: what `colour` (S, S, 3) and `attention` (S, S, 1) say.

    Colour and mask grow to the box; where the mask keeps the face, it keeps the picture's own pixels at their own
    resolution, and towards the box's border the edit fades out. Nothing outside the box changes.

    Args:
        box: x, y, width, height in pixels, rounded; it may reach beyond the picture, but not lie outside.

    Raises ValueError for another kind of picture, a mask of another size than the colour, and a box that is empty or
    outside.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"the picture is {picture.dtype} {picture.shape}, expected uint8 (H, W, 3)")
    if attention.shape != (*colour.shape[:2], 1):
        raise ValueError(f"the mask is {attention.shape}, expected {(*colour.shape[:2], 1)} as of the colour")
    left, top, width, height = (int(value) for value in np.rint(box))
    rows = np.arange(max(top, 0), min(top + height, picture.shape[0]))
    columns = np.arange(max(left, 0), min(left + width, picture.shape[1]))
    if not len(rows) or not len(columns):
        raise ValueError(f"the box {tuple(box)} has no pixel of a picture of {picture.shape[1]} × {picture.shape[0]}")
    down, right = (rows - top + 0.5) / height, (columns - left + 0.5) / width  # in [0, 1] of the box
    layers = np.concatenate([colour, attention], axis=2)
    spread = [_linear(place, side) for place, side in zip((down, right), layers.shape)]
    grown = np.einsum("hi,wj,ijc->hwc", *spread, layers, optimize=True)
    fade = [np.clip(np.minimum(place, 1 - place) / SEAM, 0, 1) for place in (down, right)]
    share = (fade[0][:, None] * fade[1][None])[..., None] * (1 - grown[..., 3:])
    result = picture.copy()
    inside = np.ix_(rows, columns)
    blended = (1 - share) * (picture[inside] / 127.5 - 1) + share * grown[..., :3]
    result[inside] = to_uint8(blended)
    return result


def _linear(places: np.ndarray, count: int) -> np.ndarray:
    """(P, count) weights of linear interpolation at `places` in [0, 1] of a row of `count` pixels, ends repeated."""
    centres = np.clip(places * count - 0.5, 0, count - 1)
    return np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(count)[None]))
