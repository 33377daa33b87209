"""Emoji: the curves that action units give a drawn face, exaggerated, on a yellow disc; one for each expression.

Faces and emoji share their geometry: both are laid out by `data.synthetic.head` from an identity and its action units.
"""

from functools import lru_cache

import cv2
import numpy as np

from data.faceset import EXPRESSIONS
from data.synthetic import action_units as facs
from data.synthetic.head import Eye, Face, lay_out, spline, strip
from data.synthetic.identity import Identity

OVERSAMPLE = 4  # drawn larger by this much and averaged, so that every edge is smooth
SMALLEST = 16
# Which of an expression's mixtures reads best at a glance.
SHOWN = {"angry": 2, "disgust": 1, "fear": 1, "happy": 2, "sad": 2, "surprise": 0, "neutral": 0}
EXAGGERATION = 1.45
PLAIN = Identity(age=0.0, brow_arch=0.5)  # whose face an emoji is, if nobody's

LIT, BODY, RIM = np.array([(255, 233, 112), (255, 205, 52), (233, 146, 20)], np.float32) / 255
DARK = np.array((74, 40, 20), np.float32) / 255
MOUTH = np.array((112, 24, 30), np.float32) / 255
TONGUE = np.array((240, 98, 104), np.float32) / 255
WHITE = np.array((255, 253, 248), np.float32) / 255
WATER = np.array((86, 178, 246), np.float32) / 255
# Colour that floods the disc, and where it is strongest: y from -1 (top) to 1, and how far it spreads.
TINTS = {"angry": ((226, 44, 30), -0.9, 1.0, 0.85), "disgust": ((120, 176, 40), 0.9, 1.5, 0.85),
         "fear": ((96, 150, 235), -1.0, 0.75, 0.9), "sad": ((150, 170, 200), 1.0, 0.9, 0.25)}


def draw_emoji(expression: str, size: int) -> np.ndarray:
    """Draws the emoji of one expression: (size, size, 4) uint8 RGBA, alpha straight (colours not multiplied by it).

    Raises ValueError for an expression outside `EXPRESSIONS` or a size below 16 pixels.
    """
    if expression not in EXPRESSIONS:
        raise ValueError(f"unknown expression {expression!r}; expected one of {', '.join(EXPRESSIONS)}")
    return draw_emoji_of(facs.vector(facs.MIXTURES[expression][SHOWN[expression]]), size, expression)


def draw_emoji_of(
    action_units: np.ndarray, size: int, expression: str = "neutral", identity: Identity = PLAIN
) -> np.ndarray:
    """Draws a face's action units as an emoji: (size, size, 4) uint8 RGBA, alpha straight.

    `action_units` (17,) are intensities in [0, 1] in the order of `ACTION_UNITS`, `identity` gives eyes, brows and
    mouth their shape. `expression` adds what these muscles do not: a tint, a tear, the tongue; "neutral" adds nothing.
    """
    if size < SMALLEST:
        raise ValueError(f"an emoji needs at least {SMALLEST} pixels, got {size}")
    facs.check(action_units)
    motion = {name: EXAGGERATION * value for name, value in facs.motion(action_units).items()}
    face = lay_out(identity, motion)
    picture, disc = _disc(expression, size * OVERSAMPLE)
    for eye, brow in zip(face.eyes, face.brows):
        _draw_eye(picture, eye)
        _draw_brow(picture, brow, 0.095 * identity.brow_thickness)
    _draw_mouth(picture, face, tongue_out=expression == "disgust")
    if expression == "disgust":
        _draw_wrinkles(picture)
    if expression == "sad":
        _draw_tear(picture, face.eyes[1])
    colours = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(disc, (size, size), interpolation=cv2.INTER_AREA)
    return np.round(np.clip(np.dstack([colours, alpha]), 0, 1) * 255).astype(np.uint8)


def eyes_and_mouth() -> tuple[np.ndarray, np.ndarray]:
    """Where a neutral emoji has its right eye and the middle of its mouth: (2,) each, x, y in half sides from its middle."""
    face = lay_out(PLAIN, facs.motion(np.zeros(len(facs.ACTION_UNITS), np.float32)))
    mouth = np.concatenate([face.mouth.inner_upper, face.mouth.inner_lower])
    return _place(max((eye.centre for eye in face.eyes), key=lambda centre: centre[0])), _place(mouth.mean(axis=0))


@lru_cache(maxsize=2)
def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """x (1, side) and y (side, 1) from -1 to 1."""
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1
    return axis[None], axis[:, None]


def _disc(expression: str, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The bare head (side, side, 3), shaded like a ball, painted beyond its edge too; its coverage (side, side)."""
    x, y = _grid(side)
    radius = np.sqrt(x**2 + y**2) / 0.97
    gleam = np.clip(1 - np.sqrt((x + 0.22) ** 2 + (y + 0.42) ** 2) / 1.1, 0, 1)[..., None] ** 0.9
    picture = BODY + gleam * (LIT - BODY)
    picture += (np.clip((radius - 0.62) / 0.38, 0, 1) ** 2.2 * (0.55 + 0.25 * y))[..., None] * (RIM - picture)
    if expression in TINTS:
        colour, centre, spread, strength = TINTS[expression]
        flood = strength * np.exp(-(((y - centre) / spread) ** 2)) * np.ones_like(x)
        tint = np.array(colour, np.float32) / 255
        picture += flood[..., None] * (tint * (0.72 + 0.38 * picture.mean(2, keepdims=True)) - picture)
    if expression == "happy":
        for side_x in (-0.60, 0.60):
            blush = 0.45 * np.exp(-((x - side_x) / 0.17) ** 2 - ((y - 0.17) / 0.12) ** 2)
            picture += blush[..., None] * (np.array([1.0, 0.42, 0.30], np.float32) - picture)
    return picture.astype(np.float32), (radius <= 1).astype(np.float32)


def _place(points: np.ndarray) -> np.ndarray:
    """Head-frame points on the disc's plane, -1 to 1."""
    return (points - (0.0, 0.38)) * (0.76, 0.66)


def _cover(picture: np.ndarray, polygon: np.ndarray, soft: float = 0.0) -> np.ndarray:
    """(H, W, 1) coverage of a polygon (N, 2) in the disc's plane."""
    side = len(picture)
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round((polygon + 1) / 2 * side * 16 - 8).astype(np.int32)], 255, cv2.LINE_AA, 4)
    mask = mask.astype(np.float32) / 255
    return (cv2.GaussianBlur(mask, (0, 0), soft * side / 2) if soft else mask)[..., None]


def _lay(picture: np.ndarray, mask: np.ndarray, colour: np.ndarray) -> None:
    picture += mask * (colour - picture)


def _stroke(line: np.ndarray, width: float) -> np.ndarray:
    """A rounded brush stroke along `line`, full in the middle: its polygon."""
    along = np.linspace(-1, 1, len(line))
    return strip(line, width / 2 * (1 - 0.999 * np.abs(along) ** 6) ** 0.5)


def _ellipse(centre: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1) * radii + centre


def _draw_eye(picture: np.ndarray, eye: Eye) -> None:
    centre = _place(eye.centre)
    upper, lower = (centre + (_place(lid) - centre) * (1.0, 2.1) for lid in (eye.upper, eye.lower))
    opening = np.concatenate([upper, lower[::-1]])
    inside = _cover(picture, opening)
    _lay(picture, _cover(picture, opening + (0, 0.02), soft=0.03) * 0.35, RIM * 0.8)
    _, y = _grid(len(picture))
    white = WHITE * (1 - 0.25 * np.clip((upper[:, 1].min() + 0.10 - y) / 0.12, 0, 1))[..., None]
    _lay(picture, inside, white)
    middle = centre + (-0.015 * eye.side, 0.0)
    _lay(picture, inside * _cover(picture, _ellipse(middle, (0.098, 0.115))), DARK * 1.15)
    _lay(picture, inside * _cover(picture, _ellipse(middle, (0.060, 0.073))), DARK * 0.25)
    _lay(picture, inside * _cover(picture, _ellipse(middle + (-0.035, -0.045), (0.030, 0.035))), WHITE)
    _lay(picture, _cover(picture, _stroke(upper, 0.042)), DARK)


def _draw_brow(picture: np.ndarray, brow: np.ndarray, width: float) -> None:
    rest = -0.33
    line = _place((brow - (0, rest)) * (1.0, 1.3) + (0, rest - 0.16))
    _lay(picture, _cover(picture, _stroke(line, width)), DARK)


def _draw_mouth(picture: np.ndarray, face: Face, tongue_out: bool) -> None:
    mouth = face.mouth
    upper, lower = _place(mouth.inner_upper) * (1.2, 1.0), _place(mouth.inner_lower) * (1.2, 1.0)
    if (lower - upper)[:, 1].max() < 0.02:
        _lay(picture, _cover(picture, _stroke(spline(((upper + lower) / 2)[::8], 40), 0.066)), DARK)
        return
    opening = np.concatenate([upper, lower[::-1]])
    inside = _cover(picture, opening)
    _, y = _grid(len(picture))
    top, bottom = upper[:, 1].min(), lower[:, 1].max()
    _lay(picture, inside, MOUTH * (0.65 + 0.5 * np.clip((y - top) / (bottom - top), 0, 1))[..., None])
    deep = bottom - top
    _lay(picture, inside * _cover(picture, _ellipse((0, bottom + 0.02), (0.22, 0.45 * deep))), TONGUE)
    teeth = np.concatenate([upper, (upper + (0, min(0.11, 0.42 * deep)))[::-1]])
    _lay(picture, inside * _cover(picture, teeth), WHITE)
    for edge in (upper, lower):
        _lay(picture, _cover(picture, _stroke(edge, 0.03)), DARK)
    if tongue_out:
        tip = (upper[16, 1] + bottom) / 2
        corners = [(-0.13, tip), (-0.14, tip + 0.13), (0.0, tip + 0.25), (0.14, tip + 0.13), (0.13, tip)]
        shape = spline(np.array(corners), 40)
        _lay(picture, _cover(picture, shape + (0, 0.012), soft=0.008), DARK)
        _lay(picture, _cover(picture, shape), TONGUE)
        groove = np.array([(0, tip + 0.02), (0, tip + 0.09), (0, tip + 0.15)])
        _lay(picture, _cover(picture, _stroke(groove, 0.02)), TONGUE * 0.7)


def _draw_wrinkles(picture: np.ndarray) -> None:
    for height, half in ((-0.20, 0.06), (-0.12, 0.075)):
        arc = spline(np.array([(-half, height + 0.02), (0, height - 0.015), (half, height + 0.02)]), 16)
        _lay(picture, _cover(picture, _stroke(arc, 0.03)) * 0.8, DARK)


def _draw_tear(picture: np.ndarray, eye: Eye) -> None:
    x, y = _place(eye.centre) + (0.10, 0.20)
    outline = np.array([(0, -0.13), (0.055, 0.0), (0.085, 0.10), (0.0, 0.19), (-0.085, 0.10), (-0.055, 0.0)])
    drop = spline(outline + (x, y), 60, closed=True)
    _lay(picture, _cover(picture, drop + (0, 0.015), soft=0.015) * 0.4, RIM * 0.7)
    _lay(picture, _cover(picture, drop), WATER)
    _lay(picture, _cover(picture, _ellipse((x - 0.03, y + 0.09), (0.02, 0.045)), soft=0.006), WHITE)
