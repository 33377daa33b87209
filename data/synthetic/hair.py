"""Hair: an outline around the skull with the hairline cut out, strands that run away from the parting, a soft gleam."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from data.synthetic.canvas import Canvas, canvas, grain, strands
from data.synthetic.head import spline
from data.synthetic.identity import Identity


@dataclass(frozen=True)
class Hair:
    """The hair of one person over the canvas, the same in every picture of theirs; float32."""

    front: np.ndarray  # (H, W) outline of the hair over the head, in [0, 1]
    cover: np.ndarray  # (H, W) how much it hides of what is under it, in [0, 1]
    shadow: np.ndarray  # (H, W) light that it leaves to the skin beside it, in [0, 1]
    colour: np.ndarray  # (H, W, 3) with strands and gleam, not yet lit
    slopes: tuple[np.ndarray, np.ndarray]  # (H, W) of the surface it lies on, smoother than the face
    back: np.ndarray | None  # (H, W, 4) the mass behind head and neck, colours multiplied by alpha; None if cut short


@lru_cache(maxsize=4)
def grow(identity: Identity, size: int) -> Hair:
    """The hair of a person for pictures of `size` pixels."""
    sheet, cut = canvas(size), identity.cut
    texture, length = _flow(identity, sheet)
    outer = _ragged(_mass(identity, sheet), texture, 0.10 + 0.30 * cut.curl)
    face = _ragged(_window(identity, sheet), texture, 0.30)
    front = outer * (1 - face) * (cut.density > 0)
    roots = np.minimum(1.6 * cv2.GaussianBlur(face, (0, 0), 0.09 * sheet.density), 1)
    gleam = 0.28 * np.exp(-(((length - 0.85) / 0.2) ** 2))
    hanging = np.clip(sheet.y[:, None] - 0.2, 0, 1.2)
    shade = 1 + (0.17 + 0.05 * cut.curl) * texture + gleam - 0.30 * roots - 0.18 * hanging
    colour = np.array(identity.hair, np.float32) * np.clip(shade, 0.35, 1.8)[..., None] + 0.10 * gleam[..., None]
    shadow = 1 - 0.30 * cut.density * cv2.GaussianBlur(front, (0, 0), 0.07 * sheet.density)
    slopes = (np.broadcast_to(-0.96 * sheet.x[None], sheet.shape),
              np.broadcast_to(np.clip(-0.55 * (sheet.y[:, None] + 0.3), -1, 1), sheet.shape))
    behind = np.dstack([colour * 0.45, np.ones_like(outer)]) * outer[..., None] if cut.length > 0.3 else None
    return Hair(front, cut.density * front, shadow, colour, slopes, behind)


def _flow(identity: Identity, sheet: Canvas) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) noise combed away from the parting, and how far along the strands a point lies, 0 at the parting."""
    x = sheet.x[None] - np.float32(identity.parting)
    y = sheet.y[:, None] + 1.9
    length = np.sqrt(x**2 + y**2)
    angle = np.arctan2(x, y)
    curl = identity.cut.curl
    wave = curl * 0.06 * np.sin(7 * length + 3 * angle + identity.texture)
    columns = (angle + wave) * 210 + identity.texture % 512
    rows = length * 45 + identity.texture % 97
    combed = cv2.remap(strands(), (columns % 511).astype(np.float32), (rows % 511).astype(np.float32), cv2.INTER_LINEAR)
    if curl > 0.5:
        frizz = cv2.resize(grain()[:230, :230], sheet.shape[::-1])
        combed = combed * (1.3 - curl) + frizz * (curl - 0.3) * 1.2
    return combed, length


def _ragged(mask: np.ndarray, texture: np.ndarray, ragged: float) -> np.ndarray:
    """A blurred mask with its edge broken up by the strands."""
    return np.clip((mask + ragged * texture * mask * (1 - mask) * 4 - 0.35) / 0.3, 0, 1)


def _mass(identity: Identity, sheet: Canvas) -> np.ndarray:
    """(H, W) blurred coverage of all hair, as if there were no face."""
    cut = identity.cut
    top, side, end = cut.top, cut.side, cut.length
    hem = 1.2 - 0.9 * cut.curl  # curls are round, other hair hangs
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


def _window(identity: Identity, sheet: Canvas) -> np.ndarray:
    """(H, W) blurred coverage of the face that the hair leaves free, from the hairline down."""
    cut, lean = identity.cut, np.sign(identity.parting)
    top, lock, temples = cut.hairline, cut.lock, cut.temples

    def half(fall: float) -> list[tuple[float, float]]:
        """From beside the middle of the hairline, which falls by `fall` on this side, down past the cheek."""
        return [(0.34, top - 0.5 * temples + 0.02 + 0.6 * fall), (0.64, top - temples + 0.14 + fall),
                (0.82, max(-0.55, top - temples + 0.3) + fall), (0.88, -0.2), (lock, 0.15), (lock - 0.02, 0.7),
                (lock - 0.08, 1.2), (lock, 2.6)]

    right, left = half(cut.sweep * (lean < 0)), half(cut.sweep * (lean > 0))
    outline = spline(np.array([(0.0, top), *right, *((-x, y) for x, y in left[::-1])]), 110, closed=True)
    return _map(sheet, outline, 0.03 if cut.hairline > -0.7 else 0.055)  # a fringe ends sharply


def _map(sheet: Canvas, outline: np.ndarray, soft: float) -> np.ndarray:
    window, mask = sheet.fill(outline, soft)
    result = np.zeros(sheet.shape, np.float32)
    result[window] = mask
    return result
