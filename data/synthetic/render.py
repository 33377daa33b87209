"""Draws a person in a scene: a head laid out facing the viewer, lit from the turned lamp, then turned by its depth.

The head is painted once in its own frame. For every pixel of the picture the point of the head seen there solves
p = A (x, y) + b z(x, y), A and b from the pose, by fixed-point iteration; the painted head is read at that point.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from data.synthetic import action_units as facs
from data.synthetic import features
from data.synthetic.canvas import EVERYWHERE, X_RANGE, Y_RANGE, Canvas, canvas, lay
from data.synthetic.hair import Hair, grow
from data.synthetic.head import FACE_TOP, SIDES, Face, View, base_depth, lay_out, spline, view
from data.synthetic.identity import Identity
from data.synthetic.scenery import Scene, paint_background, paint_body, photograph
from data.synthetic.skin import Surface, albedo, illuminate, surface

SMALLEST = 32  # pixels of a picture's side; below, eyes and mouth are a pixel or two
STEPS = 5  # of the fixed-point iteration; each at least halves the error for the poses drawn here


@dataclass(frozen=True)
class DrawnFace:
    """A picture and where the face is in it, in pixels with the origin in the middle of the upper left pixel."""

    image: np.ndarray  # (size, size, 3) uint8 RGB
    box: np.ndarray  # (4,) x, y, width, height around the face from the forehead to the chin
    landmarks: np.ndarray  # (5, 2) left eye, right eye, nose, left and right mouth corner, as seen in the picture


def draw_face(identity: Identity, action_units: np.ndarray, scene: Scene, size: int) -> DrawnFace:
    """Draws `identity` in `scene` on a square picture of `size` pixels, at least `SMALLEST`.

    `action_units` (17,) are intensities in [0, 1] in the order of `ACTION_UNITS`; ValueError names one that is not.
    """
    if size < SMALLEST:
        raise ValueError(f"a drawn face needs a picture of at least {SMALLEST} pixels, got {size}")
    facs.check(action_units)
    sheet, seen = canvas(size), view(scene.pose, size)
    face = lay_out(identity, facs.motion(action_units))
    maps, hair = surface(identity, face, sheet), grow(identity, size)
    places = _see_through(maps.depth, seen, sheet, size)
    head = cv2.remap(_paint_head(identity, face, maps, hair, sheet, scene), *places, cv2.INTER_LINEAR)
    picture = paint_background(scene, size)
    if hair.back is not None:
        _lay_over(picture, cv2.remap(hair.back, *places, cv2.INTER_LINEAR))
    paint_body(picture, identity, scene, head[..., 3])
    _lay_over(picture, head)
    return DrawnFace(photograph(picture, scene), _box(face, seen, size), _landmarks(face, maps, sheet, seen))


def _lay_over(picture: np.ndarray, layer: np.ndarray) -> None:
    """Lays a layer (H, W, 4), colours multiplied by alpha, over (H, W, 3), in place."""
    picture *= 1 - layer[..., 3:]
    picture += layer[..., :3]


def _paint_head(identity: Identity, face: Face, maps: Surface, hair: Hair, sheet: Canvas, scene: Scene) -> np.ndarray:
    """(H, W, 4) the head facing the viewer, lit as it will be once turned, colours multiplied by alpha."""
    turn = scene.pose.rotation().astype(np.float32)
    lamp, viewer = (scene.light.direction().astype(np.float32)[:, None] * turn).sum(axis=0), turn[2]  # as the head is
    skin = albedo(identity, maps, sheet)
    features.paint_beard(skin, identity, face, sheet)
    features.paint_lips(skin, identity, face, sheet)
    features.paint_brows(skin, identity, face, sheet)
    features.raise_lips(maps, face, sheet)
    diffuse, glance = illuminate(maps.slope_x, maps.slope_y, scene.light, lamp, viewer)
    picture = skin * (diffuse * (1 - np.clip(maps.occlusion, 0, 0.75))[..., None])
    picture += (glance * np.float32(0.17 * scene.light.strength))[..., None]
    features.paint_eyes(picture, identity, face, sheet, scene.gaze, lamp, diffuse)
    features.paint_mouth(picture, face, sheet, diffuse)
    alpha = np.zeros(sheet.shape, np.float32)
    window, mask = sheet.fill(face.outline, soft=0.008)
    alpha[window] = mask
    _paint_ears(picture, alpha, identity, sheet, diffuse)
    if identity.glasses:
        features.paint_glasses(picture, identity, sheet, float(diffuse[window].mean()))
    lit, _ = illuminate(*hair.slopes, scene.light, lamp, viewer)
    picture *= hair.shadow[..., None]
    lay(picture, EVERYWHERE, hair.cover, hair.colour * lit)
    alpha = np.maximum(alpha, hair.front)
    return cv2.merge([*(channel * alpha for channel in cv2.split(picture)), alpha])


def _paint_ears(picture: np.ndarray, alpha: np.ndarray, identity: Identity, sheet: Canvas, diffuse: np.ndarray) -> None:
    """Ears beside the head, in place, the outline of the head in front of them."""
    skin = np.array(identity.skin, np.float32) * np.array([0.97, 0.84, 0.82], np.float32)
    rim = np.array([(0.93, -0.12), (1.03, -0.20), (1.12, -0.10), (1.10, 0.12), (1.03, 0.34), (0.95, 0.38)])
    fold = np.array([(1.02, -0.08), (1.065, -0.02), (1.05, 0.12), (1.01, 0.20)])
    for side in SIDES:
        mirror = (side, identity.length)
        window, mask = sheet.fill(spline(rim * mirror, 26, closed=True), soft=0.01)
        lay(picture, window, mask * (1 - alpha[window]), skin * diffuse[window])
        where, line = sheet.stroke(spline(fold * mirror, 10), 0.035, soft=0.015)
        lay(picture, where, line * (0.5 * (1 - alpha[where])), skin * 0.35)
        np.maximum(alpha[window], mask, out=alpha[window])


def _see_through(depth: np.ndarray, seen: View, sheet: Canvas, size: int) -> list[np.ndarray]:
    """For each pixel of the picture the column and row of the canvas seen there: two (size, size) float32 maps."""
    back = np.linalg.inv(seen.matrix[:, :2])
    drift = (back * seen.matrix[:, 2]).sum(axis=1) * sheet.density
    coarse = max(size // 2, 32)  # depth is smooth: the maps are solved on half the pixels and interpolated
    place = (np.arange(coarse) + 0.5) * (size / coarse) - 0.5
    columns, rows = place[None] - seen.offset[0], place[:, None] - seen.offset[1]
    flat = [((row[0] * columns + row[1] * rows - start[0]) * sheet.density).astype(np.float32)
            for row, start in zip(back, (X_RANGE, Y_RANGE))]
    found = flat
    for _ in range(STEPS):
        z = cv2.remap(depth, *found, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        found = [axis - np.float32(slope) * z for axis, slope in zip(flat, drift)]
    return [cv2.resize(axis, (size, size), interpolation=cv2.INTER_CUBIC) for axis in found]


def _landmarks(face: Face, maps: Surface, sheet: Canvas, seen: View) -> np.ndarray:
    """(5, 2) float32 pixels of the landmarks, by the same projection that the picture went through."""
    points = np.array([face.eyes[0].centre, face.eyes[1].centre, face.nose, face.mouth.upper[0], face.mouth.upper[-1]])
    column, row = np.rint(sheet.pixels(points)).astype(int).T
    return seen.project(points, maps.depth[row, column]).astype(np.float32)


def _box(face: Face, seen: View, size: int) -> np.ndarray:
    """(4,) float32 x, y, width, height around the outline below the hairline, within the picture."""
    outline = face.outline[face.outline[:, 1] > FACE_TOP - 0.1]
    places = seen.project(outline, base_depth(outline[:, 0], outline[:, 1]))
    low, high = np.clip(places.min(0), 0, size - 1), np.clip(places.max(0), 0, size - 1)
    return np.concatenate([low, high - low]).astype(np.float32)
