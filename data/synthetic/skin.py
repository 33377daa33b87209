"""Skin: the relief of the face as a sum of Gaussian bumps, and the light on it (Lambert, wrapped as skin scatters).

Bumps are separable, so a map of all of them is one matrix product: map = Gyᵀ diag(a) Gx, and so are its slopes. The
head below them is a sum of a curve in x and one in y, two more terms of that product.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from data.synthetic.canvas import Canvas, canvas, face_canvas, grain, planes
from data.synthetic.folds import press_folds
from data.synthetic.head import SIDES, Face, base_depth
from data.synthetic.identity import Identity

# How far light wraps round to the shadow side, for red, green and blue: red scatters deepest in skin.
WRAP = np.array([0.38, 0.24, 0.18], np.float32)
ALONE = 200_000  # multiplications that BLAS does not divide among threads


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
    """Maps over the face: slopes of the relief, and how dark and how red the skin is; float32."""

    slope_x: np.ndarray  # (H, W) as the others
    slope_y: np.ndarray
    occlusion: np.ndarray
    redness: np.ndarray
    depth: np.ndarray  # over the whole sheet, for the pose


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


def surface(identity: Identity, face: Face, size: int) -> Surface:
    """The relief of `face` for pictures of `size` pixels, its folds pressed in."""
    sheet, (window, part) = canvas(size), face_canvas(size)
    x, y, sigma_x, sigma_y, height, occlusion, redness = (column[:, None] for column in _bumps(identity, face).T)
    across, down = (sheet.x - x) / sigma_x, (sheet.y - y) / sigma_y
    bell_x, bell_y = np.exp(-across ** 2 / 2), np.exp(-down ** 2 / 2)
    depth = _sum(height * bell_y, bell_x, base_depth(np.float32(0), sheet.y), base_depth(sheet.x, np.float32(0)))
    rows, columns = window
    across, bell_x, down, bell_y = across[:, columns], bell_x[:, columns], down[:, rows], bell_y[:, rows]
    side, tall = part.x, part.y - np.float32(0.1)
    slope_x = _sum(height * bell_y, -across / sigma_x * bell_x, 0 * tall, -(0.8 * side + 0.95 * side ** 3))
    slope_y = _sum(height * (-down / sigma_y * bell_y), bell_x, -(0.24 * tall + 0.20 * tall ** 3), 0 * side)
    folds = press_folds(identity, face, part)
    bend = cv2.GaussianBlur(folds, (0, 0), 0.02 * part.density)
    slope_x += cv2.Sobel(bend, cv2.CV_32F, 1, 0, scale=-0.0125 * part.density)
    slope_y += cv2.Sobel(bend, cv2.CV_32F, 0, 1, scale=-0.0125 * part.density)
    folds *= np.float32(0.34)
    folds += _sum(occlusion * bell_y, bell_x)
    return Surface(slope_x, slope_y, folds, _sum(redness * bell_y, bell_x), depth)


def _sum(down: np.ndarray, across: np.ndarray, *more: np.ndarray) -> np.ndarray:
    """(H, W) downᵀ @ across of (K, H) and (K, W), plus a column (H,) and a row (W,) where given.

    In double precision and so few rows at a time that BLAS does not share them among threads: the same bytes on any
    number of cores.
    """
    some = down.any(axis=1)
    down, across = down[some].astype(float), across[some].astype(float)
    if more:
        column, row = more
        down = np.concatenate([down, column[None], np.ones_like(column)[None]])
        across = np.concatenate([across, np.ones_like(row)[None], row[None]])
    total = np.empty((down.shape[1], across.shape[1]), np.float32)
    rows = max(1, ALONE // across.size)
    for start in range(0, len(total), rows):
        total[start:start + rows] = down[:, start:start + rows].T @ across
    return total


def albedo(identity: Identity, maps: Surface, canvas: Canvas) -> np.ndarray:
    """(3, H, W) colour of the bare skin: redder where blood is near, blotches, pores, freckles."""
    blotches = canvas.cut(grain(), identity.texture)
    rough = 1 + np.float32(0.012 + 0.012 * identity.age) * blotches
    skin = rough - planes((0.0, 0.20, 0.17)) * (maps.redness * np.float32(identity.flush))
    if identity.freckles > 0.1:
        fine = blotches - cv2.GaussianBlur(blotches, (0, 0), 0.07 * canvas.density)
        spots = np.clip(1.6 * fine - 0.9, 0, 1) * np.clip(maps.redness * np.float32(2.5), 0, 1)
        spots *= np.float32(identity.freckles)
        skin -= planes((0.25, 0.38, 0.42)) * spots
    skin *= planes(identity.skin)
    return skin


def illuminate(slope_x: np.ndarray, slope_y: np.ndarray, light: Light, towards: np.ndarray,
               eye: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Light on a surface of the given slopes.

    Args:
        slope_x, slope_y: of the surface's height, of shapes that broadcast to (H, W).
        towards: (3,) the lamp's direction in the head frame, `eye` the viewer's.

    Returns:
        Diffuse light (3, H, W), about 0.3 to 1.2, and the highlight (H, W) in [0, 1].
    """
    length = 1 / np.sqrt(slope_x ** 2 + slope_y ** 2 + 1)
    half = (towards + eye) / np.linalg.norm(towards + eye)
    (x, y, z), (half_x, half_y, half_z) = towards.tolist(), half.tolist()
    facing = (z - x * slope_x - y * slope_y) * length
    sky = light.ambient * (0.80 + (0.25 * slope_y + 0.2) * length)
    diffuse = np.clip(facing + planes(WRAP), 0, None)
    diffuse *= planes(light.strength * light.colour() / (1 + WRAP))
    diffuse += sky
    glance = np.clip((half_z - half_x * slope_x - half_y * slope_y) * length, 0, None)
    for _ in range(4):
        glance *= glance
    return diffuse, glance
