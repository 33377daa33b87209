"""Brows, lips and beard, which colour the skin before it is lit; eyes, mouth and glasses, which are laid on after.

What comes in pairs is painted in one go, over one window.
"""

import cv2
import numpy as np

from data.synthetic.canvas import EVERYWHERE, Canvas, Window, grain, lay, planes, strands
from data.synthetic.head import EYE, Eye, Face, mirrored, spline, strip
from data.synthetic.identity import Identity
from data.synthetic.skin import Surface

LASH = np.array([0.07, 0.05, 0.045], np.float32)
SEAM = np.array([0.20, 0.07, 0.07], np.float32)
TEETH = np.array([0.88, 0.86, 0.80], np.float32)
THROAT = np.array([0.16, 0.05, 0.05], np.float32)
TONGUE = np.array([0.66, 0.30, 0.31], np.float32)
SCLERA = np.array([0.93, 0.91, 0.89], np.float32)
BROW_TAPER = np.interp(np.linspace(0, 1, 20), (0, 0.15, 0.6, 1), (0.55, 0.95, 0.8, 0.15))


def paint_brows(skin: np.ndarray, identity: Identity, face: Face, canvas: Canvas) -> None:
    """Brows on the skin (3, H, W), in place: tapered strips broken up into hairs."""
    colour = np.array(identity.hair_colour, np.float32) * 0.62
    window, mask = canvas.fill(*strip(face.brows, 0.040 * identity.brow_thickness * BROW_TAPER), soft=0.018)
    hairs = canvas.cut(strands(), identity.texture, window)
    lay(skin, window, np.clip(mask * (0.82 + 0.20 * hairs), 0, 0.92), colour)


def paint_lips(skin: np.ndarray, maps: Surface, identity: Identity, face: Face, canvas: Canvas) -> None:
    """Both lips on the skin and their fullness on the slopes of the relief, in place.

    The upper lip is darker, for it faces down; the lower one fuller.
    """
    mouth, tone = face.mouth, np.array(identity.skin)
    natural = tone * (0.86, 0.58, 0.56) + (0.02, 0.0, 0.01)
    colour = natural + identity.lipstick * (np.array([0.70, 0.13, 0.18]) * (0.5 + 0.5 * tone[0]) - natural)
    rise = 0.05 * canvas.density / 8
    for edge, inner, shade, full in ((mouth.upper, mouth.inner_upper, 0.86, 0.6),
                                     (mouth.lower, mouth.inner_lower, 1.06, 1.2)):
        window, mask = canvas.fill(np.concatenate([edge, inner[::-1]]), soft=0.014)
        lay(skin, window, mask * np.float32(0.75 + 0.2 * identity.lipstick), colour * shade)
        maps.slope_x[window] += cv2.Sobel(mask, cv2.CV_32F, 1, 0, scale=full * rise)
        maps.slope_y[window] += cv2.Sobel(mask, cv2.CV_32F, 0, 1, scale=full * rise)


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
    window = slice(int(np.searchsorted(canvas.y, -0.1)), canvas.shape[0]), slice(None)  # no beard is higher
    noise, cover = canvas.cut(grain(), identity.texture, window), cover[window]
    hairs = 0.5 * noise + 0.7 * canvas.cut(strands(), identity.texture, window)
    hair = np.array(identity.hair_colour, np.float32)
    if identity.beard == "stubble":
        mask, colour = cover * (0.26 + 0.06 * noise), hair * 0.5 + 0.10
    else:
        mask, colour = cover * (1.3 + 0.12 * noise) + 0.6 * cover * (1 - cover) * hairs, hair * 0.85  # a ragged edge
    lay(skin, window, np.clip(mask, 0, 0.93), planes(colour) * (1 + 0.20 * hairs))


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
    """Both eyes on the lit picture (3, H, W), in place.

    `gaze` moves the irises, in their radii; `lamp` (3,) is the direction mirrored in them; `diffuse` (3, H, W) is the
    light on the skin around them.
    """
    left, right = face.eyes
    window, opening = canvas.fill(*(np.concatenate([eye.upper, eye.lower[::-1]]) for eye in face.eyes), soft=0.006)
    around = diffuse[:, *window]
    middle = int(np.searchsorted(canvas.x[window[1]], 0.0))
    lights = [around[..., :middle].mean(axis=(1, 2)), around[..., middle:].mean(axis=(1, 2))]
    light = np.repeat(np.stack(lights, axis=1), (middle, around.shape[2] - middle), axis=1)[:, None]
    lay(picture, window, opening, _eyeballs(identity, left, right, canvas, window, gaze, lamp) * (0.88 * light))
    light = (lights[0] + lights[1]) / 2
    dark = np.array(identity.skin, np.float32) * np.float32(0.40) * light
    width = 0.024 + 0.022 * identity.lashes
    uppers, lowers = np.stack([left.upper, right.upper]), np.stack([left.lower, right.lower])
    _draw_lines(picture, canvas, uppers[:, 1:] - (0, 0.05 * identity.eye_size), 0.024, 0.014, 0.50, dark)
    _draw_lines(picture, canvas, lowers[:, 1:], 0.020, 0.006, 0.45, dark)
    _draw_lines(picture, canvas, uppers - (0, 0.3 * width), width, 0.006, 0.72 + 0.25 * identity.lashes, LASH * light)
    if identity.lashes > 0.45:
        wing = np.array([(-0.06, -0.045), (0.0, -0.015), (0.055, -0.05)])
        wings = uppers[:, -1:] + np.stack([wing * (-1, 1), wing])
        _draw_lines(picture, canvas, wings, 0.03, 0.008, identity.lashes, LASH * light)


def _draw_lines(picture: np.ndarray, canvas: Canvas, lines: np.ndarray, width: float, soft: float, strength: float,
                colour: np.ndarray) -> None:
    """Lines (K, N, 2) of one `colour`, in place."""
    window, mask = canvas.stroke(*lines, width=width, soft=soft)
    lay(picture, window, mask * np.float32(strength), colour)


def _eyeballs(identity: Identity, left: Eye, right: Eye, canvas: Canvas, window: Window, gaze: tuple[float, float],
              lamp: np.ndarray) -> np.ndarray:
    """(3, h, w) white, iris, pupil and glint of both eyes over a window: each column belongs to the nearer one."""
    x, y, radius = canvas.x[window[1]], canvas.y[window[0]][:, None], right.radius
    middle = np.where(x < 0, left.centre[0], right.centre[0]).astype(np.float32)
    beside, below = x - middle, y - np.float32(right.centre[1])
    sideways = beside - np.float32(gaze[0] * radius)
    down = below - np.float32(gaze[1] * radius)
    away = np.sqrt(sideways ** 2 + down ** 2)
    lids = np.concatenate([left.upper[::-1], right.upper])
    lid = np.interp(x, lids[:, 0], lids[:, 1]).astype(np.float32)
    shadow = np.clip((0.62 - 5.5 * lid) + 5.5 * y, 0.5, 1.0) * (1 - 1.8 * beside ** 2)
    edge = 0.9 / canvas.density
    ring = np.clip((away - 0.72 * radius) / (0.28 * radius), 0, 1)
    ball = planes(SCLERA) * shadow
    ball += _disc(away, radius, edge) * (planes(identity.iris) * (shadow * (1.15 - 0.75 * ring)) - ball)
    ball += _disc(away, 0.45 * radius, edge) * (np.float32(0.03) - ball)
    glint_x, glint_y = 0.42 * float(lamp[0]) * radius, (0.35 * float(lamp[1]) - 0.12) * radius
    ball += 0.9 * np.exp(((sideways - glint_x) ** 2 + (down - glint_y) ** 2) / (-2 * (0.20 * radius) ** 2)) * (1 - ball)
    return ball


def _disc(away: np.ndarray, radius: float, edge: float) -> np.ndarray:
    return np.clip((radius / edge + 0.5) - away / edge, 0, 1)


def paint_mouth(picture: np.ndarray, face: Face, canvas: Canvas, diffuse: np.ndarray) -> None:
    """What shows between the lips on the lit picture, in place: throat, tongue, teeth; or the line where lips meet."""
    mouth = face.mouth
    gap = float((mouth.inner_lower - mouth.inner_upper)[:, 1].max())
    window, opening = canvas.fill(np.concatenate([mouth.inner_upper, mouth.inner_lower[::-1]]), soft=0.006)
    light = diffuse[:, *window].mean(axis=(1, 2))
    line = mouth.inner_upper
    if gap > 0.02:
        lay(picture, window, opening, _inside(face, canvas, window, gap) * planes(light))
    else:
        line = (line + mouth.inner_lower)[1:-1] / 2
    _draw_lines(picture, canvas, line[None], 0.022, 0.007, 0.6 if gap > 0.02 else 0.85, SEAM * light)


def _inside(face: Face, canvas: Canvas, window: Window, gap: float) -> np.ndarray:
    """(3, h, w) throat, tongue and teeth over the window of a mouth that is open by `gap`."""
    mouth = face.mouth
    x, y = canvas.x[window[1]], canvas.y[window[0]][:, None]
    ceiling = np.interp(x, *mouth.inner_upper.T).astype(np.float32)
    floor = np.interp(x, *mouth.inner_lower.T).astype(np.float32)
    across = np.abs(x / np.float32(mouth.upper[-1, 0]))
    deep = (y - floor - 0.02) / (0.08 + 0.25 * gap)
    tongue = np.exp(-(across / 0.6) ** 2 - deep ** 2) * np.float32(min(1, 2.5 * gap))
    inside = planes(THROAT) + tongue * planes(TONGUE - THROAT)
    seams = 1 - 0.10 * np.exp(-(((x / 0.085) % 1.0 - 0.5) / 0.12) ** 2)
    row = np.clip(1 - 0.5 * across ** 2.5, 0, 1) * seams * np.float32(min(1.0, gap / 0.07))
    white = row * np.clip((y - ceiling) * 9 + 0.62, 0.55, 1)
    edge, curve = 0.8 / canvas.density, 0.05 * across ** 2
    upper = np.clip((mouth.teeth - curve - y) / edge, 0, 1)
    lower = np.clip((y - mouth.lower_teeth - curve) / edge, 0, 1) * np.float32(0.85)
    lay(inside, EVERYWHERE, np.maximum(upper, lower), planes(TEETH) * white)
    return inside


def paint_glasses(picture: np.ndarray, identity: Identity, canvas: Canvas, level: float) -> None:
    """Glasses over the eyes, in place: a faint reflection in each lens, frame, bridge and temples."""
    colour = np.array(identity.frame, np.float32) * (0.5 + 0.5 * level)
    middle = EYE[0] + identity.eye_gap
    corners = np.array([(-0.29, -0.15), (-0.02, -0.19), (0.28, -0.17), (0.30, 0.05), (0.16, 0.21), (-0.12, 0.21),
                        (-0.27, 0.08)])
    rims = mirrored(spline(corners + (middle, 0.04), 40, closed=True))
    temples = mirrored(np.array([(middle + 0.29, -0.05), (1.0, -0.08)]))
    bridge = spline(np.array([(-0.17, 0.0), (0, -0.05), (0.17, 0.0)]), 9)
    window, lens = canvas.fill(*rims)
    x, y = canvas.x[window[1]], canvas.y[window[0]][:, None]
    gleam = np.exp(-((x - y - 0.3 * np.sign(x)) / 0.10) ** 2) * 0.16 + 0.05
    lay(picture, window, lens * gleam.astype(np.float32), (level, level, level))
    frame = [*(np.concatenate([rim, rim[:1]]) for rim in rims), *temples, bridge]
    lay(picture, *canvas.stroke(*frame, width=0.036), colour)
