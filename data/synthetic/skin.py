"""Skin: the relief of the face as a sum of Gaussian bumps, and the light on it (Lambert, wrapped as skin scatters).

Bumps are separable, so a map of all of them is one matrix product: map = Gyᵀ diag(a) Gx, and so are its slopes.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from data.synthetic.canvas import FRACTION, Canvas, grain
from data.synthetic.head import SIDES, Face, base_depth, strip
from data.synthetic.identity import Identity

# How far light wraps round to the shadow side, for red, green and blue: red scatters deepest in skin.
WRAP = np.array([0.38, 0.24, 0.18], np.float32)


@dataclass(frozen=True)
class Light:
    """One lamp and the room. Angles in degrees from straight ahead."""

    azimuth: float = 25.0  # to the right of the picture
    elevation: float = 35.0  # up
    strength: float = 0.75
    ambient: float = 0.42
    warmth: float = 0.0  # -1 blue to 1 orange

    def direction(self) -> np.ndarray:
        """(3,) unit vector towards the lamp, in the viewer's frame (y down)."""
        azimuth, elevation = np.radians((self.azimuth, self.elevation))
        return np.array([np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])

    def colour(self) -> np.ndarray:
        return np.array([1 + 0.10 * self.warmth, 1.0, 1 - 0.16 * self.warmth], np.float32)


@dataclass(frozen=True)
class Surface:
    """Maps over the canvas: slopes of the relief, depth for the pose, and how dark and how red the skin is."""

    slope_x: np.ndarray
    slope_y: np.ndarray
    depth: np.ndarray
    occlusion: np.ndarray
    redness: np.ndarray


def _bumps(identity: Identity, face: Face) -> np.ndarray:
    """(K, 7) x, y, sigma x, sigma y, height, occlusion, redness of every bump."""
    m, age, stands = face.motion, identity.age, identity.nose_height
    gap, base = identity.eye_gap, face.wings[1][1] + 0.06
    mouth = face.mouth.inner_upper[16]
    corner = face.mouth.upper[-1]
    apple = m["cheek"]
    narrow = identity.nose_width
    brow = face.brows[1][7]
    one = [
        (0.0, 0.02, 0.10 * narrow, 0.16, 0.09 * stands, 0, 0),
        (0.0, 0.20, 0.115 * narrow, 0.14, 0.11 * stands, 0, 0.1),
        (0.0, base - 0.26, 0.125 * narrow, 0.12, 0.13 * stands, 0, 0.3),
        (0.0, base - 0.13, 0.125 * narrow, 0.09, 0.115 * stands, 0, 0.35),
        (0.0, base + 0.03, 0.13 * narrow, 0.035, 0, 0.16, 0),  # shadow under the nose
        (0.0, (base + mouth[1]) / 2 - 0.01, 0.035, 0.06, -0.02, 0.08, 0),  # philtrum
        (0.0, mouth[1], 0.34, 0.22, 0.07, 0, 0),  # teeth behind the lips
        (0.0, face.mouth.lower[16][1] + 0.06, 0.2, 0.05, -0.04, 0.25, 0),
        (0.0, face.chin - 0.17 - 0.03 * m["chin_up"], 0.17 * identity.chin, 0.12, 0.09 + 0.10 * m["chin_up"], 0, 0.15),
        (0.0, -0.75, 0.5, 0.22, 0.06, 0, 0),
        (0.0, -0.16, 0.09, 0.10, 0.02 + 0.04 * m["frown"], 0.10 * m["frown"], 0),
        (0.0, face.chin + 0.02, 0.5, 0.10, 0, 0.35, 0),
    ]
    two = [
        (0.44 + gap, -0.02, 0.21, 0.12, -0.085, 0.14 + 0.06 * age, 0.1),  # eye socket
        (0.21 + gap, 0.0, 0.075, 0.13, -0.07, 0.12, 0.1),
        (0.44 + gap, -0.10, 0.16, 0.045, 0.035, 0, 0.1),  # upper lid
        (abs(brow[0]), brow[1] + 0.03, 0.22, 0.06, 0.035 + 0.03 * identity.gender, 0, 0),  # brow ridge
        (abs(face.wings[1][0]) * 0.98, face.wings[1][1], 0.06 * narrow, 0.06, 0.085 * stands, 0, 0.3),
        (abs(face.wings[1][0]) + 0.075, face.wings[1][1] + 0.02, 0.04, 0.06, -0.01, 0.16, 0),
        (0.62, 0.33 - 0.05 * apple, 0.20, 0.17, 0.07 - 0.03 * age, 0, 0.5),  # cheekbone
        (0.54, 0.40 - 0.06 * apple, 0.15, 0.12, 0.085 * apple, 0, 0.35 * apple),
        (0.66, 0.80, 0.16, 0.22, -0.03 - 0.04 * age, 0.06 + 0.05 * age, 0),  # hollow of the cheek
        (0.44 + gap, 0.19, 0.15, 0.05, 0.02 * age, 0.08 + 0.14 * age, 0),  # below the eye
        (corner[0] + 0.03, corner[1], 0.05, 0.05, -0.02 - 0.03 * m["dimple"], 0.14 + 0.2 * m["dimple"], 0),
        (0.09 * narrow, base - 0.005, 0.034 * narrow, 0.020, 0, 0.70, 0),  # nostril
        (0.84, -0.55, 0.14, 0.25, -0.05, 0.10, 0),  # temple
        (0.30, face.chin - 0.10, 0.12, 0.14, 0.03, 0, 0),
    ]
    mirrored = [(side * bump[0], *bump[1:]) for bump in two for side in SIDES]
    return np.array(one + mirrored, np.float32)


def surface(identity: Identity, face: Face, canvas: Canvas) -> Surface:
    """The relief of `face` on `canvas`, its folds pressed in."""
    x, y, sigma_x, sigma_y, height, occlusion, redness = (column[:, None] for column in _bumps(identity, face).T)
    across, down = (canvas.x - x) / sigma_x, (canvas.y - y) / sigma_y
    bell_x, bell_y = np.exp(-across**2 / 2), np.exp(-down**2 / 2)
    side, tall = canvas.x[None], canvas.y[:, None]
    slope_x = _sum(height, bell_y, -across / sigma_x * bell_x) - (0.8 * side + 0.95 * side**3)
    slope_y = _sum(height, -down / sigma_y * bell_y, bell_x) - (0.24 * (tall - 0.1) + 0.20 * (tall - 0.1) ** 3)
    depth = _sum(height, bell_y, bell_x) + base_depth(side, tall)
    folds = press_folds(face, canvas)
    bend = cv2.GaussianBlur(folds, (0, 0), 0.02 * canvas.density)
    slope_x += cv2.Sobel(bend, cv2.CV_32F, 1, 0, scale=-0.0125 * canvas.density)
    slope_y += cv2.Sobel(bend, cv2.CV_32F, 0, 1, scale=-0.0125 * canvas.density)
    shade = _sum(occlusion, bell_y, bell_x) + 0.34 * folds
    return Surface(slope_x, slope_y, depth, shade, _sum(redness, bell_y, bell_x))


def _sum(weights: np.ndarray, down: np.ndarray, across: np.ndarray) -> np.ndarray:
    """downᵀ diag(weights) across: (K, 1), (K, H) and (K, W) to (H, W). Not by BLAS, see `head.product`."""
    some = weights[:, 0] != 0
    return np.einsum("ky,kx->yx", (weights * down)[some], across[some])


def press_folds(face: Face, canvas: Canvas) -> np.ndarray:
    """(H, W) how deep the skin is folded, in [0, 1]."""
    folds = sorted((fold for fold in face.folds if fold.depth > 0.04), key=lambda fold: fold.depth)
    mask = np.zeros(canvas.shape, np.uint8)
    if folds:
        lines = np.stack([fold.line for fold in folds])
        widths = np.array([[0.8 * fold.width] for fold in folds])
        taper = np.sin(np.linspace(0.12, 0.95, lines.shape[1]) * np.pi)  # folds begin and end in smooth skin
        for fold, path in zip(folds, canvas.path(strip(lines, widths * taper))):
            cv2.fillPoly(mask, [path], round(255 * fold.depth), cv2.LINE_AA, FRACTION)
    return cv2.GaussianBlur(mask, (0, 0), 0.014 * canvas.density).astype(np.float32) * np.float32(1 / 255)


def albedo(identity: Identity, maps: Surface, canvas: Canvas) -> np.ndarray:
    """(H, W, 3) colour of the bare skin: redder where blood is near, blotches, pores, freckles."""
    top, left = identity.texture % 173, identity.texture % 311
    blotches = cv2.resize(grain()[top:top + 182, left:left + 140], canvas.shape[::-1])
    rough = 1 + np.float32(0.012 + 0.012 * identity.age) * blotches
    red = maps.redness * np.float32(identity.flush)
    spots = np.float32(0)
    if identity.freckles > 0.1:
        spots = np.clip(blotches - 1.0, 0, 1) * np.minimum(maps.redness * 2.5, 1) * np.float32(identity.freckles)
    fade = zip(np.array(identity.skin, np.float32), (0.0, 0.20, 0.17), (0.25, 0.38, 0.42))
    return cv2.merge([tone * (rough - blush * red - fleck * spots) for tone, blush, fleck in fade])


def illuminate(slope_x: np.ndarray, slope_y: np.ndarray, light: Light, towards: np.ndarray,
               eye: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Light on a surface of the given slopes.

    Args:
        slope_x, slope_y: (H, W) of the surface's height.
        towards: (3,) the lamp's direction in the head frame, `eye` the viewer's.

    Returns:
        Diffuse light (H, W, 3), about 0.3 to 1.2, and the highlight (H, W) in [0, 1].
    """
    length = 1 / np.sqrt(slope_x**2 + slope_y**2 + 1)
    towards, half = towards.astype(np.float32), (towards + eye).astype(np.float32)
    half /= np.linalg.norm(half)
    facing = (towards[2] - towards[0] * slope_x - towards[1] * slope_y) * length
    glance = np.maximum((half[2] - half[0] * slope_x - half[1] * slope_y) * length, 0)
    sky = light.ambient * (0.80 + (0.25 * slope_y + 0.2) * length)
    strength = light.strength * light.colour() / (1 + WRAP)
    diffuse = cv2.merge([np.maximum(facing + wrap, 0) * lamp + sky for wrap, lamp in zip(WRAP, strength)])
    glance *= glance
    glance *= glance
    glance *= glance
    return diffuse, glance * glance
