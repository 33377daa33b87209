"""Draws a person in a scene: a head laid out facing the viewer, lit from the turned lamp, then turned by its depth.

The head is painted once in its own frame. For every pixel of the picture the point of the head seen there solves
p = A (x, y) + b z(x, y), A and b from the pose, by fixed-point iteration; the painted head is read at that point.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from data.synthetic import action_units as facs
from data.synthetic import features
from data.synthetic.canvas import Canvas, canvas, face_canvas, lay, planes
from data.synthetic.hair import grow, light_hair
from data.synthetic.head import FACE_TOP, Face, View, base_depth, lay_out, mirrored, spline, view
from data.synthetic.identity import Identity
from data.synthetic.scenery import Scene, paint_background, paint_body, photograph
from data.synthetic.skin import Surface, albedo, illuminate, surface

SMALLEST = 32  # pixels of a picture's side; below, eyes and mouth are a pixel or two
EAR_RIM = np.array([(0.93, -0.12), (1.03, -0.20), (1.12, -0.10), (1.10, 0.12), (1.03, 0.34), (0.95, 0.38)])
EAR_FOLD = np.array([(1.02, -0.08), (1.065, -0.02), (1.05, 0.12), (1.01, 0.20)])
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
    seen, face = view(scene.pose, size), lay_out(identity, facs.motion(action_units))
    maps, hair = surface(identity, face, size), grow(identity, size)
    places = _see_through(maps.depth, seen, canvas(size), size)
    head = _turn(_paint_head(identity, face, maps, scene, size), places)
    picture = paint_background(scene, size)
    if hair.back is not None:
        _lay_over(picture, _turn(hair.back, places))
    paint_body(picture, identity, scene, head[3])
    _lay_over(picture, head)
    return DrawnFace(photograph(picture, scene), _box(face, seen, size), _landmarks(face, maps, canvas(size), seen))


def _turn(layer: np.ndarray, places: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The layer (4, H, W) of the canvas as it is seen in the picture, (4, size, size)."""
    turned = np.empty((len(layer), *places[0].shape[:2]), np.float32)
    for plane, seen in zip(layer, turned):
        cv2.remap(plane, *places, cv2.INTER_LINEAR, seen)
    return turned


def _lay_over(picture: np.ndarray, layer: np.ndarray) -> None:
    """Lays a layer (4, H, W), colours multiplied by alpha, over (3, H, W), in place."""
    picture *= 1 - layer[3]
    picture += layer[:3]


def _paint_head(identity: Identity, face: Face, maps: Surface, scene: Scene, size: int) -> np.ndarray:
    """(4, H, W) the head facing the viewer, lit as it will be once turned, colours multiplied by alpha."""
    (window, part), hair, light = face_canvas(size), grow(identity, size), scene.light
    turn = scene.pose.rotation().astype(np.float32)
    lamp, viewer = (light.direction().astype(np.float32)[:, None] * turn).sum(axis=0), turn[2]  # as the head sees them
    skin, alpha = albedo(identity, maps, part), np.zeros(part.shape, np.float32)
    features.paint_beard(skin, identity, face, part)
    features.paint_lips(skin, maps, identity, face, part)
    features.paint_brows(skin, identity, face, part)
    diffuse, glance = illuminate(maps.slope_x, maps.slope_y, light, lamp, viewer)
    skin *= diffuse
    skin *= 1 - np.clip(maps.occlusion, 0, 0.75)
    skin += glance * np.float32(0.17 * light.strength)
    features.paint_eyes(skin, identity, face, part, scene.gaze, lamp, diffuse)
    features.paint_mouth(skin, face, part, diffuse)
    where, outline = part.fill(face.outline, soft=0.008)
    alpha[where] = outline
    _paint_ears(skin, alpha, identity, part, diffuse)
    if identity.glasses:
        features.paint_glasses(skin, identity, part, float(diffuse[:, *where].mean()))
    layer = np.empty((4, *hair.cover.shape), np.float32)
    np.multiply(hair.colour, light_hair(light, lamp, viewer, size), out=layer[:3])
    layer[3] = hair.cover
    alpha *= 1 - hair.cover[window]  # what the hair leaves to be seen
    skin *= alpha * hair.shadow
    layer[:3, *window] += skin
    layer[3][window] += alpha
    return layer


def _paint_ears(picture: np.ndarray, alpha: np.ndarray, identity: Identity, part: Canvas, diffuse: np.ndarray) -> None:
    """Ears beside the head, in place, the outline of the head in front of them."""
    skin = np.array(identity.skin) * (0.97, 0.84, 0.82)
    rims, folds = _ears(identity.length)
    window, mask = part.fill(*rims, soft=0.01)
    lay(picture, window, mask * (1 - alpha[window]), planes(skin) * diffuse[:, *window])
    where, line = part.stroke(*folds, width=0.035, soft=0.015)
    lay(picture, where, line * (0.5 * (1 - alpha[where])), skin * 0.35)
    np.maximum(alpha[window], mask, out=alpha[window])


@lru_cache(maxsize=8)
def _ears(length: float) -> tuple[np.ndarray, np.ndarray]:
    """The (2, 26, 2) rims and the (2, 10, 2) folds of the ears of a face of this `length`."""
    tall = (1, length)
    return mirrored(spline(EAR_RIM * tall, 26, closed=True)), mirrored(spline(EAR_FOLD * tall, 10))


def _see_through(depth: np.ndarray, seen: View, sheet: Canvas, size: int) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel of the picture the column and row of the canvas seen there, as `cv2.convertMaps` packs them."""
    back = np.linalg.inv(seen.matrix[:, :2])
    drift = (back * seen.matrix[:, 2]).sum(axis=1) * sheet.density
    coarse = max(size // 2, 32)  # depth is smooth: the maps are solved on half the pixels and interpolated
    place = (np.arange(coarse) + 0.5) * (size / coarse) - 0.5
    columns, rows = place[None] - seen.offset[0], place[:, None] - seen.offset[1]
    flat = [((row[0] * columns + row[1] * rows - start) * sheet.density).astype(np.float32)
            for row, start in zip(back, sheet.origin)]
    found = flat
    for _ in range(STEPS):
        z = cv2.remap(depth, *found, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        found = [axis - np.float32(slope) * z for axis, slope in zip(flat, drift)]
    fine = [cv2.resize(axis, (size, size), interpolation=cv2.INTER_CUBIC) for axis in found]
    return cv2.convertMaps(*fine, cv2.CV_16SC2)


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
