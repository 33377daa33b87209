"""Hair: an outline around the skull with the hairline cut out, strands that run away from the parting, a soft gleam."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from data.synthetic.canvas import Canvas, canvas, face_canvas, grain, planes, strands
from data.synthetic.head import spline
from data.synthetic.identity import Identity
from data.synthetic.skin import Light, illuminate


COARSE = 4  # canvas pixels for each of those on which the light on hair, smoother than on skin, is reckoned


@dataclass(frozen=True)
class Hair:
    """The hair of one person over the canvas, the same in many pictures of theirs; float32."""

    cover: np.ndarray  # (H, W) how much it hides of what is under it, in [0, 1]
    shadow: np.ndarray  # light that it leaves to the skin beside it, in [0, 1]; over the face's part of the canvas
    colour: np.ndarray  # (3, H, W) with strands and gleam, not yet lit, multiplied by `cover`
    back: np.ndarray | None  # (4, H, W) the mass behind head and neck, colours multiplied by alpha; None if cut short


@lru_cache(maxsize=8)
def grow(identity: Identity, size: int) -> Hair:
    """The hair of a person for pictures of `size` pixels."""
    sheet, cut = canvas(size), identity.cut
    texture, length = _flow(identity.parting, cut.curl, identity.texture, size)
    outer = _ragged(_mass(identity, sheet), texture, 0.10 + 0.30 * cut.curl)
    fringe = cut.hairline > -0.7  # which ends sharply, where other hair leaves the skin strand by strand
    face = _ragged(_window(identity, sheet, 0.03 if fringe else 0.08), texture, 0.22, 0.3 if fringe else 0.5)
    front = outer * (1 - face) * (cut.density > 0)
    roots = np.minimum(1.6 * cv2.GaussianBlur(face, (0, 0), 0.09 * sheet.density), 1)
    gleam = 0.28 * np.exp(-(((length - 0.85) / 0.2) ** 2))
    hanging = np.clip(sheet.y[:, None] - 0.2, 0, 1.2)
    shade = 1 + (0.17 + 0.05 * cut.curl) * texture + gleam - 0.30 * roots - 0.18 * hanging
    colour = planes(identity.hair_colour) * np.clip(shade, 0.35, 1.8) + 0.10 * gleam
    shadow = 1 - 0.30 * cut.density * cv2.GaussianBlur(front, (0, 0), 0.07 * sheet.density)
    behind = np.concatenate([colour * 0.45, np.ones_like(outer)[None]]) * outer if cut.length > 0.3 else None
    cover = cut.density * front
    return Hair(cover, shadow[face_canvas(size)[0]], colour * cover, behind)


def light_hair(light: Light, towards: np.ndarray, eye: np.ndarray, size: int) -> np.ndarray:
    """(3, H, W) light on the hair over the canvas, as `skin.illuminate` has it on the round of the head."""
    sheet = canvas(size)
    x, y = sheet.x[None, ::COARSE], sheet.y[::COARSE, None]
    coarse, _ = illuminate(-0.96 * x, np.clip(-0.55 * (y + 0.3), -1, 1), light, towards, eye)
    fine = np.empty((3, *sheet.shape), np.float32)
    for plane, lit in zip(coarse, fine):
        cv2.resize(plane, sheet.shape[::-1], lit)
    return fine


@lru_cache(maxsize=2)
def _flow(parting: float, curl: float, texture: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) noise combed away from the parting, and how far along the strands a point lies, 0 at the parting."""
    sheet = canvas(size)
    x = sheet.x[None] - np.float32(parting)
    y = sheet.y[:, None] + 1.9
    length = np.sqrt(x**2 + y**2)
    angle = np.arctan2(x, y)
    wave = curl * 0.06 * np.sin(7 * length + 3 * angle + texture)
    columns = (angle + wave) * 210 + texture % 512
    rows = length * 45 + texture % 97
    combed = cv2.remap(strands(), (columns % 511).astype(np.float32), (rows % 511).astype(np.float32), cv2.INTER_LINEAR)
    if curl > 0.5:
        frizz = cv2.resize(grain()[:230, :230], sheet.shape[::-1])
        combed = combed * (1.3 - curl) + frizz * (curl - 0.3) * 1.2
    return combed, length


def _ragged(mask: np.ndarray, texture: np.ndarray, ragged: float, wide: float = 0.3) -> np.ndarray:
    """A blurred mask with its edge broken up by the strands; `wide` of the mask's range is made its edge."""
    return np.clip((mask + ragged * texture * mask * (1 - mask) * 4 - 0.5) / wide + 0.5, 0, 1)


def _mass(identity: Identity, sheet: Canvas) -> np.ndarray:
    """(H, W) blurred coverage of all hair, as if there were no face."""
    cut = identity.cut
    top, side, end = cut.top, cut.side, cut.length
    hem = 1.2 - 0.85 * cut.curl  # curls are round, other hair hangs
    half = [(0.0, -1.47 - top), (0.44 + 0.4 * top, -1.39 - 0.85 * top), (0.79 + 0.8 * side, -1.12 - 0.45 * top),
            (0.96 + side, -0.72), (1.0 + side, -0.2)]
    if end > 0.3:
        half += [(1.0 + 1.1 * side, 0.3 * end), (0.98 + hem * side, 0.65 * end),
                 (0.80 + (hem - 0.3) * side, end + 0.02), (0.5, end - 0.02), (0.0, end)]
    else:
        half += [(0.985 + 0.5 * side, end), (0.94, end + 0.22), (0.88, end + 0.1), (0.5, -0.2), (0.0, -0.2)]
    half = np.array(half)
    outline = spline(np.concatenate([half, half[-2:0:-1] * (-1, 1)]), 90, closed=True)
    return _map(sheet, outline, 0.03)


def _window(identity: Identity, sheet: Canvas, soft: float) -> np.ndarray:
    """(H, W) coverage, blurred by `soft`, of the face that the hair leaves free, from the hairline down."""
    cut, lean = identity.cut, np.sign(identity.parting)
    top, lock, temples = cut.hairline, cut.lock, cut.temples

    def half(fall: float) -> list[tuple[float, float]]:
        """From beside the middle of the hairline, which falls by `fall` on this side, down past the cheek."""
        return [(0.34, top - 0.5 * temples + 0.02 + 0.6 * fall), (0.64, top - temples + 0.14 + fall),
                (0.82, max(-0.55, top - temples + 0.3) + fall), (0.88, -0.2), (lock, 0.15), (lock - 0.02, 0.7),
                (lock - 0.08, 1.2), (lock, 2.6)]

    right, left = half(cut.sweep * (lean < 0)), half(cut.sweep * (lean > 0))
    outline = spline(np.array([(0.0, top), *right, *((-x, y) for x, y in left[::-1])]), 110, closed=True)
    return _map(sheet, outline, soft)


def _map(sheet: Canvas, outline: np.ndarray, soft: float) -> np.ndarray:
    window, mask = sheet.fill(outline, soft=soft)
    result = np.zeros(sheet.shape, np.float32)
    result[window] = mask
    return result
