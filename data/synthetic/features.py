"""Brows, lips and beard, which colour the skin before it is lit; eyes, mouth and glasses, which are laid on after."""

import cv2
import numpy as np

from data.synthetic.canvas import EVERYWHERE, Canvas, Window, grain, lay, strands
from data.synthetic.head import EYE, SIDES, Eye, Face, spline, strip
from data.synthetic.identity import Identity
from data.synthetic.skin import Surface

LASH = np.array([0.07, 0.05, 0.045], np.float32)
SEAM = np.array([0.20, 0.07, 0.07], np.float32)
TEETH = np.array([0.88, 0.86, 0.80], np.float32)
THROAT = np.array([0.16, 0.05, 0.05], np.float32)
TONGUE = np.array([0.66, 0.30, 0.31], np.float32)
SCLERA = np.array([0.93, 0.91, 0.89], np.float32)


def paint_brows(skin: np.ndarray, identity: Identity, face: Face, canvas: Canvas) -> None:
    """Brows on the skin (H, W, 3), in place: a tapered strip broken up into hairs."""
    colour = np.array(identity.hair, np.float32) * 0.62
    taper = np.interp(np.linspace(0, 1, 20), (0, 0.15, 0.6, 1), (0.75, 1, 0.8, 0.15))
    thickness = 0.040 * identity.brow_thickness * taper
    for line in face.brows:
        window, mask = canvas.fill(strip(line, thickness), soft=0.018)
        hairs = strands()[identity.texture % 400:, identity.texture % 300:][:mask.shape[0], :mask.shape[1]]
        lay(skin, window, np.clip(mask * (0.82 + 0.20 * hairs), 0, 0.92), colour)


def paint_lips(skin: np.ndarray, identity: Identity, face: Face, canvas: Canvas) -> None:
    """Both lips on the skin, in place; the upper one darker, for it faces down."""
    mouth, tone = face.mouth, np.array(identity.skin)
    natural = tone * (0.86, 0.58, 0.56) + (0.02, 0.0, 0.01)
    colour = natural + identity.lipstick * (np.array([0.70, 0.13, 0.18]) * (0.5 + 0.5 * tone[0]) - natural)
    for edge, inner, shade in ((mouth.upper, mouth.inner_upper, 0.86), (mouth.lower, mouth.inner_lower, 1.06)):
        window, mask = canvas.fill(np.concatenate([edge, inner[::-1]]), soft=0.010)
        lay(skin, window, mask * (0.75 + 0.2 * identity.lipstick), colour * shade)


def raise_lips(maps: Surface, face: Face, canvas: Canvas) -> None:
    """Adds the fullness of the lips, more of it the lower one's, to the slopes of the relief, in place."""
    mouth, scale = face.mouth, 0.05 * canvas.density / 8
    for edge, inner, fullness in ((mouth.lower, mouth.upper, 0.6), (mouth.lower, mouth.inner_lower, 0.7)):
        window, height = canvas.fill(np.concatenate([edge, inner[::-1]]), soft=0.02)
        maps.slope_x[window] += cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=fullness * scale)
        maps.slope_y[window] += cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=fullness * scale)


def paint_beard(skin: np.ndarray, identity: Identity, face: Face, canvas: Canvas) -> None:
    """A beard on the skin, in place. Stubble is a shade; the others are hair around the mouth or along the jaw."""
    if identity.beard == "none":
        return
    half = _beard_outlines(face)
    areas = {"stubble": half[::2], "moustache": half[:1], "goatee": half[:2], "full": half}[identity.beard]
    cover = np.zeros(canvas.shape, np.float32)
    for area in areas:
        window, mask = canvas.fill(np.concatenate([area, area[::-1] * (-1, 1)]), soft=0.045)
        np.maximum(cover[window], mask, out=cover[window])
    top, left = identity.texture % 271, identity.texture % 331
    noise = cv2.resize(grain()[top:top + 181, left:left + 181], canvas.shape[::-1])
    if identity.beard == "stubble":
        mask, colour = cover * (0.26 + 0.06 * noise), np.array(identity.hair, np.float32) * 0.5 + 0.10
    else:
        mask, colour = cover * (1.3 + 0.12 * noise), np.array(identity.hair, np.float32) * 0.85
    lay(skin, EVERYWHERE, np.clip(mask, 0, 0.93), colour * (1 + 0.16 * noise[..., None]))


def _beard_outlines(face: Face) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The right halves (N, 2), from midline to midline, of moustache, chin beard and the beard along the jaw."""
    lip, below, chin = face.mouth.upper[16, 1], face.mouth.lower[16, 1], face.chin
    nose = face.wings[1][1] + 0.08
    corner_x, corner_y = face.mouth.upper[-1]
    moustache = [(0, nose + 0.02), (0.17, nose + 0.03), (corner_x + 0.03, corner_y - 0.02),
                 (corner_x + 0.05, corner_y + 0.07), (corner_x - 0.08, corner_y - 0.02), (0.1, lip), (0, lip)]
    tuft = [(0, below + 0.05), (0.10, below + 0.07), (0.26, chin - 0.16), (0.2, chin + 0.05), (0, chin + 0.07)]
    jaw = [(0, below + 0.05), (corner_x + 0.02, below + 0.01), (corner_x + 0.16, corner_y - 0.12), (0.80, 0.55),
           (0.89, 0.05), (1.05, 0.05), (1.02, 0.75), (0.75, 1.3), (0.35, chin + 0.1), (0, chin + 0.1)]
    return np.array(moustache), np.array(tuft), np.array(jaw)


def paint_eyes(picture: np.ndarray, identity: Identity, face: Face, canvas: Canvas, gaze: tuple[float, float],
               lamp: np.ndarray, diffuse: np.ndarray) -> None:
    """Both eyes on the lit picture, in place.

    `gaze` moves the irises, in their radii; `lamp` (3,) is the direction mirrored in them; `diffuse` (H, W, 3) is the
    light on the skin around them.
    """
    strength = 0.72 + 0.25 * identity.lashes
    width = 0.024 + 0.022 * identity.lashes
    for eye in face.eyes:
        window, opening = canvas.fill(np.concatenate([eye.upper, eye.lower[::-1]]), soft=0.006)
        light = diffuse[window].mean(axis=(0, 1))
        lay(picture, window, opening, _eyeball(identity, eye, canvas, window, gaze, lamp) * (0.88 * light))
        dark = np.array(identity.skin, np.float32) * 0.40 * light
        lid = eye.upper[1:] - (0, 0.05 * identity.eye_size)
        _draw_line(picture, canvas, lid, 0.024, 0.014, 0.50, dark)
        _draw_line(picture, canvas, eye.lower[1:], 0.020, 0.006, 0.45, dark)
        _draw_line(picture, canvas, eye.upper - (0, 0.3 * width), width, 0.006, strength, LASH * light)
        if identity.lashes > 0.45:
            wing = eye.upper[-1] + np.array([(-0.06 * eye.side, -0.045), (0.0, -0.015), (0.055 * eye.side, -0.05)])
            _draw_line(picture, canvas, wing, 0.03, 0.008, identity.lashes, LASH * light)


def _draw_line(picture: np.ndarray, canvas: Canvas, line: np.ndarray, width: float, soft: float, strength: float,
               colour: np.ndarray) -> None:
    window, mask = canvas.stroke(line, width, soft)
    lay(picture, window, mask * np.float32(strength), colour)


def _eyeball(identity: Identity, eye: Eye, canvas: Canvas, window: Window, gaze: tuple[float, float],
             lamp: np.ndarray) -> np.ndarray:
    """(h, w, 3) white, iris, pupil and glint over a window."""
    x, y = canvas.x[window[1]][None], canvas.y[window[0]][:, None]
    edge = 0.9 / canvas.density
    turned = eye.centre + np.multiply(gaze, eye.radius)
    away = np.sqrt((x - turned[0]) ** 2 + (y - turned[1]) ** 2).astype(np.float32)
    lid = np.interp(x[0], *(eye.upper[::eye.side].T)).astype(np.float32)[None]
    shadow = np.clip(0.62 + (y - lid) * 5.5, 0.5, 1.0) * (1 - 1.8 * (x - eye.centre[0]) ** 2)
    ball = SCLERA * shadow[..., None]
    colour = np.array(identity.iris, np.float32)
    ring = colour * (1.15 - 0.75 * np.clip((away - 0.72 * eye.radius) / (0.28 * eye.radius), 0, 1))[..., None]
    ball += _disc(away, eye.radius, edge) * (ring * shadow[..., None] - ball)
    ball += _disc(away, 0.45 * eye.radius, edge) * (0.03 - ball)
    spot = turned + (0.42 * lamp[0] * eye.radius, (0.35 * lamp[1] - 0.12) * eye.radius)
    bright = np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / (2 * (0.20 * eye.radius) ** 2))
    return ball + (0.9 * bright)[..., None] * (1 - ball)


def _disc(away: np.ndarray, radius: float, edge: float) -> np.ndarray:
    return np.clip((radius - away) / edge + 0.5, 0, 1)[..., None]


def paint_mouth(picture: np.ndarray, face: Face, canvas: Canvas, diffuse: np.ndarray) -> None:
    """What shows between the lips on the lit picture, in place: throat, tongue, teeth; or the line where lips meet."""
    mouth = face.mouth
    gap = (mouth.inner_lower - mouth.inner_upper)[:, 1].max()
    window, opening = canvas.fill(np.concatenate([mouth.inner_upper, mouth.inner_lower[::-1]]), soft=0.006)
    light = diffuse[window].mean(axis=(0, 1))
    if gap > 0.02:
        x, y = canvas.x[window[1]][None], canvas.y[window[0]][:, None]
        ceiling = np.interp(x[0], *mouth.inner_upper.T)[None]
        floor = np.interp(x[0], *mouth.inner_lower.T)[None]
        half = mouth.upper[-1, 0]
        inside = np.broadcast_to(THROAT, (*opening.shape, 3)).copy()
        tongue = np.exp(-(x / (0.6 * half)) ** 2 - ((y - floor - 0.02) / (0.08 + 0.25 * gap)) ** 2) * min(1, 2.5 * gap)
        lay(inside, EVERYWHERE, tongue.astype(np.float32), TONGUE)
        row = np.clip(1 - 0.5 * np.abs(x / half) ** 2.5, 0, 1) * np.clip((y - ceiling) * 9 + 0.62, 0.55, 1)
        seams = 1 - 0.10 * np.exp(-(((x / 0.085) % 1.0 - 0.5) / 0.12) ** 2)
        teeth = (min(1.0, gap / 0.07) * row * seams)[..., None].astype(np.float32) * TEETH
        edge = 0.8 / canvas.density
        curve = 0.05 * (x / half) ** 2
        upper = np.clip((mouth.teeth - curve - y) / edge, 0, 1)
        lower = np.clip((y - mouth.lower_teeth - curve) / edge, 0, 1) * 0.85
        lay(inside, EVERYWHERE, np.maximum(upper, lower).astype(np.float32), teeth)
        lay(picture, window, opening, inside * light)
        _draw_line(picture, canvas, mouth.inner_upper, 0.022, 0.007, 0.6, SEAM * light)
    else:
        _draw_line(picture, canvas, (mouth.inner_upper + mouth.inner_lower)[1:-1] / 2, 0.022, 0.007, 0.85, SEAM * light)


def paint_glasses(picture: np.ndarray, identity: Identity, canvas: Canvas, level: float) -> None:
    """Glasses over the eyes, in place: a faint reflection in each lens, frame, bridge and temples."""
    colour = np.array(identity.frame, np.float32) * (0.5 + 0.5 * level)
    middle = EYE[0] + identity.eye_gap
    corners = np.array([(-0.29, -0.15), (-0.02, -0.19), (0.28, -0.17), (0.30, 0.05), (0.16, 0.21), (-0.12, 0.21),
                        (-0.27, 0.08)])
    for side in SIDES:
        rim = spline((corners + (middle, 0.04)) * (side, 1), 40, closed=True)
        window, lens = canvas.fill(rim)
        x, y = canvas.x[window[1]][None], canvas.y[window[0]][:, None]
        gleam = np.exp(-((x - y - 0.3 * side) / 0.10) ** 2) * 0.16 + 0.05
        lay(picture, window, lens * gleam.astype(np.float32), np.float32(level))
        lay(picture, *canvas.stroke(np.concatenate([rim, rim[:1]]), 0.036), colour)
        lay(picture, *canvas.stroke(np.array([(middle + 0.29, -0.05), (1.0, -0.08)]) * (side, 1), 0.036), colour)
    lay(picture, *canvas.stroke(spline(np.array([(-0.17, 0.0), (0, -0.05), (0.17, 0.0)]), 9), 0.036), colour)
