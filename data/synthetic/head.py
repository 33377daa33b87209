"""The shape of a head: facial curves moved by action units, the depth behind them, and the pose that turns it.

The head frame has its origin between the eyes, x to the right of the picture, y down, z towards the viewer, and half
the width of the face as its unit. Everything is laid out facing the viewer; `Pose` turns the finished head.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data.synthetic.identity import Identity

SIDES = (-1, 1)  # left and right of the picture
EYE = (0.44, 0.0)  # middle of the right eye
NOSE_BASE = 0.64
MOUTH = 0.935
CHIN = 1.50
# Right half of the outline from the crown to the chin, of the average face.
OUTLINE = np.array([(0.0, -1.46), (0.42, -1.39), (0.75, -1.14), (0.93, -0.7), (0.985, -0.25), (0.975, 0.2),
                    (0.92, 0.62), (0.79, 0.99), (0.56, 1.29), (0.28, 1.46), (0.0, CHIN)])


@dataclass(frozen=True)
class Eye:
    """One eye: lids from the inner to the outer corner, and what lies between them."""

    side: int
    upper: np.ndarray  # (N, 2)
    lower: np.ndarray  # (N, 2)
    centre: np.ndarray  # (2,) of the opening at rest; the eyeball's middle
    radius: float  # of the iris


@dataclass(frozen=True)
class Mouth:
    """Lips from the left to the right corner: outer edges, and the edges along which they meet."""

    upper: np.ndarray  # (N, 2)
    inner_upper: np.ndarray
    inner_lower: np.ndarray
    lower: np.ndarray
    teeth: float  # y of the lower edge of the upper teeth
    lower_teeth: float  # y of the upper edge of the lower teeth


@dataclass(frozen=True)
class Face:
    """All curves of one face in one expression, in the head frame."""

    outline: np.ndarray  # (N, 2), closed
    brows: np.ndarray  # (2, N, 2) middle lines of the left and right one, inner to outer end
    eyes: tuple[Eye, Eye]
    nose: np.ndarray  # (2,) tip
    wings: np.ndarray  # (2, 2) middle of the left and right wing of the nose
    mouth: Mouth
    chin: float  # y of the chin
    motion: dict[str, float]


@lru_cache
def _spline_weights(count: int, samples: int, closed: bool) -> np.ndarray:
    """(samples, count) weights of a Catmull-Rom spline through `count` points."""
    spans = count if closed else count - 1
    place = np.linspace(0, spans, samples, endpoint=not closed)
    span = np.minimum(place.astype(int), spans - 1)
    t = place - span
    weights = np.zeros((samples, count))
    basis = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
    for offset, value in zip((-1, 0, 1, 2), basis):
        index = (span + offset) % count if closed else np.clip(span + offset, 0, count - 1)
        np.add.at(weights, (np.arange(samples), index), value / 2)
    return weights


def spline(points: np.ndarray, samples: int = 24, closed: bool = False) -> np.ndarray:
    """(..., samples, 2) points on smooth curves through `points` (..., N, 2)."""
    points = np.asarray(points, dtype=np.float64)
    return np.einsum("ij,...jk->...ik", _spline_weights(points.shape[-2], samples, closed), points)


def mirrored(points: np.ndarray) -> np.ndarray:
    """(2, ..., 2): curves of the right half of a face as those of its left and right half."""
    return points * np.array([(-1, 1), (1, 1)]).reshape(2, *(1,) * (points.ndim - 1), 2)


def strip(line: np.ndarray, half_width: np.ndarray) -> np.ndarray:
    """(..., 2 N, 2) polygons of brush strokes along lines (..., N, 2), `half_width` (..., N) wide to either side."""
    along = np.concatenate([line[..., 1:2, :] - line[..., :1, :], line[..., 2:, :] - line[..., :-2, :],
                            line[..., -1:, :] - line[..., -2:-1, :]], axis=-2)
    beside = along[..., ::-1] * (-1, 1) * (half_width / np.hypot(along[..., 0], along[..., 1]))[..., None]
    return np.concatenate([line + beside, (line - beside)[..., ::-1, :]], axis=-2)


def lay_out(identity: Identity, motion: dict[str, float]) -> Face:
    """The curves of `identity` moved by `motion` (see `action_units.motion`)."""
    jaw = motion["jaw_drop"] * 0.27
    chin = CHIN * identity.length + jaw - 0.02 * motion["chin_up"]
    brows = _brows(identity, motion)
    eyes = _eyes(identity, motion)
    nose_base = NOSE_BASE * identity.nose_length
    spread = 0.175 * identity.nose_width * (1 + 0.1 * motion["nose_wrinkle"] + 0.12 * motion["corner_up"])
    wings = mirrored(np.array([spread, nose_base - 0.06 - 0.6 * motion["wing_up"]]))
    mouth = _mouth(identity, motion, jaw)
    nose = np.array([0.0, nose_base - 0.13 - 0.25 * motion["wing_up"]])
    return Face(_outline(identity, jaw), brows, eyes, nose, wings, mouth, chin, motion)


def _outline(identity: Identity, jaw: float) -> np.ndarray:
    half = OUTLINE.copy()
    x, y = half[:, 0], half[:, 1]
    at_jaw, at_chin = np.exp(-(((y - 0.95) / 0.4) ** 2)), np.exp(-(((y - 1.5) / 0.2) ** 2))
    x *= 1 + (identity.jaw - 1) * at_jaw + (identity.chin - 1) * at_chin
    y[y > 0] *= identity.length
    y += jaw * np.clip((y - 0.4) / 0.8, 0, 1)
    left = half[-2:0:-1] * (-1, 1)
    return spline(np.concatenate([half, left]), 72, closed=True)


def _brows(identity: Identity, motion: dict[str, float]) -> np.ndarray:
    """(2, 20, 2): the left and the right brow, from the inner to the outer end."""
    inner, outer = motion["brow_inner_up"], motion["brow_outer_up"]
    lift = np.array([inner, 0.62 * inner + 0.38 * outer, 0.2 * inner + 0.75 * outer, 0.9 * outer])
    arch = 0.03 * identity.brow_arch
    x = np.array([0.18, 0.36, 0.55, 0.74]) + identity.eye_gap - motion["brow_in"] * np.array([1.0, 0.8, 0.4, 0.1])
    y = np.array([-0.312, -0.325 - 0.7 * arch, -0.32 - 1.4 * arch, -0.245]) - lift - identity.brow_height
    points = mirrored(np.stack([x, y], axis=1))
    points[:, :, 1] -= np.array([[-identity.asymmetry], [identity.asymmetry]])
    return spline(points, 20)


ACROSS = np.linspace(0, 1, 17)
LID_ARCH = 4 * ACROSS * (1 - ACROSS)
UPPER_LID = LID_ARCH ** 0.62 * (1.08 - 0.16 * ACROSS)
LOWER_LID = LID_ARCH ** 0.75 * (0.86 + 0.28 * ACROSS)


def _eyes(identity: Identity, motion: dict[str, float]) -> tuple[Eye, Eye]:
    size = identity.eye_size
    width, slant = 0.23 * size, identity.eye_slant
    x = EYE[0] + identity.eye_gap
    line = EYE[1] + 0.025 - (0.035 + 2 * slant) * ACROSS
    rise = 0.112 * size + motion["lid_up"]
    fall = max(0.075 * size - motion["lower_lid_up"], 0.01)
    shut = min(max(motion["blink"], 0.0), 1.0)
    rise = (1 - shut) * max(rise, 0.015) - shut * fall * 0.8
    xs = x - width + 2 * width * ACROSS
    upper = mirrored(np.stack([xs, line - rise * UPPER_LID], axis=1))
    lower = mirrored(np.stack([xs, line + fall * LOWER_LID], axis=1))
    centres = mirrored(np.array([x, EYE[1] - 0.005]))
    return tuple(Eye(*each, 0.098 * size ** 0.5) for each in zip(SIDES, upper, lower, centres))


T = np.linspace(-1, 1, 33)  # along a lip, from the left to the right corner
SPAN = np.abs(T)
BOW = 1 - T ** 2
CUPID = 1 - 0.22 * np.exp(-(T / 0.14) ** 2) + 0.06 * np.exp(-((SPAN - 0.3) / 0.16) ** 2)
UPPER_LIP = 0.085 * (1 - SPAN ** 2.2) ** 0.85 * CUPID
LOWER_LIP = 0.115 * (1 - SPAN ** 2.4) ** 0.75
SMILE, DIP = SPAN ** 1.7, 0.01 * np.cos(3 * np.pi * T) * BOW + 0.026 * T ** 2


def _mouth(identity: Identity, motion: dict[str, float], jaw: float) -> Mouth:
    part, stretch, tight = motion["lips_part"], motion["lip_stretch"], motion["lip_tighten"]
    smile, raised = motion["corner_up"], motion["lip_raise"]
    rest = MOUTH * identity.length
    half = 0.36 * identity.mouth_width + motion["corner_out"] - 0.10 * motion["jaw_drop"] * (1 - stretch)
    centre = rest - 0.12 * max(smile, 0) - 0.05 * motion["chin_up"] + 0.1 * min(smile, 0)
    line = centre - smile * SMILE + 0.35 * jaw * T ** 2 - identity.asymmetry * T
    line -= DIP - 0.025 * motion["dimple"] * SPAN ** 3 + 0.065 * motion["chin_up"] * BOW
    # How far the lips are apart: parting shows the teeth, a dropped jaw opens the mouth by itself, less if not parted.
    open_ = part * (0.09 + 0.75 * max(smile, 0) + 0.4 * raised + 0.06 * stretch) + jaw * (0.55 + 0.6 * part)
    square = 0.62 - 0.4 * jaw - 0.25 * stretch * part - 0.15 * min(raised / 0.15, 1) * part
    gap_up = (0.35 * part * (0.09 + 0.75 * max(smile, 0)) + raised * (0.5 + 0.25 * part) + 0.22 * jaw * part)
    inner_upper = line - gap_up * BOW ** (0.7 - 0.5 * jaw)
    gap = np.maximum(open_ * BOW ** square, 0.0)
    inner_lower = inner_upper + gap
    full = identity.lips * (1 - 0.62 * tight) * (1 - 0.2 * stretch) * (1 - 1.0 * max(smile, 0))
    upper = inner_upper - full * UPPER_LIP
    lower = inner_lower + full * (1 + 0.25 * motion["chin_up"]) * LOWER_LIP
    curves = (np.stack([half * T, y], axis=1) for y in (upper, inner_upper, inner_lower, lower))
    return Mouth(*curves, teeth=rest + 0.045, lower_teeth=rest + 0.075 + 1.05 * jaw)


@dataclass(frozen=True)
class Pose:
    """Where the head is and how it is turned. Angles in degrees; place and scale relative to the picture's side."""

    yaw: float = 0.0  # to the right of the picture
    pitch: float = 0.0  # up
    roll: float = 0.0  # clockwise
    x: float = 0.5  # of the middle of the face
    y: float = 0.52
    height: float = 0.64  # from hairline to chin at rest

    def rotation(self) -> np.ndarray:
        """(3, 3) from the head frame to the viewer's: about y by yaw, then x by pitch, then z by roll."""
        yaw, pitch, roll = (math.radians(angle) for angle in (self.yaw, self.pitch, self.roll))
        a, b, c, d = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
        e, f = math.cos(roll), math.sin(roll)
        x, y, z = (a, 0.0, b), (d * b, c, -d * a), (-c * b, d, c * a)
        turned = [e * p - f * q for p, q in zip(x, y)], [f * p + e * q for p, q in zip(x, y)], z
        return np.array(turned)


FACE_TOP, FACE_HEIGHT = -0.93, 2.43  # the part of the head that `Pose.height` measures: hairline to chin


@dataclass(frozen=True)
class View:
    """The parallel projection of a posed head on a picture: pixels = matrix @ point + offset."""

    matrix: np.ndarray  # (2, 3)
    offset: np.ndarray  # (2,)

    def project(self, points: np.ndarray, depth: np.ndarray | float) -> np.ndarray:
        """(N, 2) pixels of head-frame points (N, 2) at z `depth`, one for all or (N,)."""
        (a, b, c), (d, e, f) = self.matrix.tolist()
        x, y = points[:, 0], points[:, 1]
        return np.stack([a * x + b * y + c * depth, d * x + e * y + f * depth], axis=1) + self.offset


def view(pose: Pose, size: int) -> View:
    """How a picture of `size` pixels sees a head in `pose`."""
    matrix = pose.height * size / FACE_HEIGHT * pose.rotation()[:2]
    middle = matrix[:, 1] * (FACE_TOP + FACE_HEIGHT / 2)
    return View(matrix, np.array([pose.x, pose.y]) * size - 0.5 - middle)


def base_depth(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """z of the head without its features: steep at the sides, gentle from forehead to chin. Broadcasts."""
    x = np.clip(x, -1.15, 1.15)  # hair that stands out farther lies no deeper
    return -(0.5 * x**2 + 0.06 * x**4) - (0.10 * (y - 0.1) ** 2 + 0.03 * (y - 0.1) ** 4)
