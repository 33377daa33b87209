"""The shape of a head: facial curves moved by action units, the depth behind them, and the pose that turns it.

The head frame has its origin between the eyes, x to the right of the picture, y down, z towards the viewer, and half
the width of the face as its unit. Everything is laid out facing the viewer; `Pose` turns the finished head.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data.synthetic.identity import Identity

Pair = tuple[np.ndarray, np.ndarray]  # of the left and right of the picture
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
class Fold:
    """A crease of the skin: a line of 9 points, how deep it is (0 to 1), and its width in the middle."""

    line: np.ndarray  # (9, 2)
    depth: float
    width: float = 0.03


@dataclass(frozen=True)
class Face:
    """All curves of one face in one expression, in the head frame."""

    outline: np.ndarray  # (N, 2), closed
    brows: tuple[np.ndarray, np.ndarray]  # (N, 2) middle lines, inner to outer end
    eyes: tuple[Eye, Eye]
    nose: np.ndarray  # (2,) tip
    wings: tuple[np.ndarray, np.ndarray]  # (2,) middle of each nostril's wing
    mouth: Mouth
    chin: float  # y of the chin
    folds: tuple[Fold, ...]
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
    """(samples, 2) points on a smooth curve through `points` (N, 2)."""
    points = np.asarray(points, dtype=np.float64)
    return product(_spline_weights(len(points), samples, closed), points)


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left @ right, (I, J) and (J, K), without BLAS, which is slower here and rounds by its number of threads."""
    return np.einsum("ij,jk->ik", left, right)


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
    outline = _outline(identity, jaw)
    brows = tuple(_brow(identity, motion, side) for side in SIDES)
    eyes = tuple(_eye(identity, motion, side) for side in SIDES)
    nose_base = NOSE_BASE * identity.nose_length
    wing_y = nose_base - 0.06 - 0.6 * motion["wing_up"]
    spread = 0.175 * identity.nose_width * (1 + 0.1 * motion["nose_wrinkle"] + 0.12 * motion["corner_up"])
    wings = tuple(np.array([side * spread, wing_y]) for side in SIDES)
    mouth = _mouth(identity, motion, jaw)
    nose = np.array([0.0, nose_base - 0.13 - 0.25 * motion["wing_up"]])
    folds = tuple(_folds(identity, motion, brows, eyes, wings, mouth))
    return Face(outline, brows, eyes, nose, wings, mouth, chin, folds, motion)


def _outline(identity: Identity, jaw: float) -> np.ndarray:
    half = OUTLINE.copy()
    x, y = half[:, 0], half[:, 1]
    at_jaw, at_chin = np.exp(-(((y - 0.95) / 0.4) ** 2)), np.exp(-(((y - 1.5) / 0.2) ** 2))
    x *= 1 + (identity.jaw - 1) * at_jaw + (identity.chin - 1) * at_chin
    y[y > 0] *= identity.length
    y += jaw * np.clip((y - 0.4) / 0.8, 0, 1)
    left = half[-2:0:-1] * (-1, 1)
    return spline(np.concatenate([half, left]), 72, closed=True)


def _brow(identity: Identity, motion: dict[str, float], side: int) -> np.ndarray:
    inner, outer = motion["brow_inner_up"], motion["brow_outer_up"]
    lift = np.array([inner, 0.62 * inner + 0.38 * outer, 0.2 * inner + 0.75 * outer, 0.9 * outer])
    arch = 0.03 * identity.brow_arch
    x = np.array([0.17, 0.36, 0.55, 0.74]) + identity.eye_gap - motion["brow_in"] * np.array([1.0, 0.8, 0.4, 0.1])
    y = np.array([-0.285, -0.315 - arch, -0.315 - 1.5 * arch, -0.235]) - lift
    y -= identity.brow_height + side * identity.asymmetry
    return spline(np.stack([side * x, y], axis=1), 20)


def _eye(identity: Identity, motion: dict[str, float], side: int) -> Eye:
    size = identity.eye_size
    width, slant = 0.23 * size, identity.eye_slant
    x = EYE[0] + identity.eye_gap
    across = np.linspace(0, 1, 17)
    arch = 4 * across * (1 - across)
    line = EYE[1] + 0.025 - (0.035 + 2 * slant) * across
    rise = 0.112 * size + motion["lid_up"]
    fall = max(0.075 * size - motion["lower_lid_up"], 0.01)
    shut = np.clip(motion["blink"], 0, 1)
    rise = (1 - shut) * max(rise, 0.015) - shut * fall * 0.8
    xs = side * (x - width + 2 * width * across)
    upper = np.stack([xs, line - rise * arch ** 0.62 * (1.08 - 0.16 * across)], axis=1)
    lower = np.stack([xs, line + fall * arch ** 0.75 * (0.86 + 0.28 * across)], axis=1)
    return Eye(side, upper, lower, np.array([side * x, EYE[1] - 0.005]), 0.098 * size ** 0.5)


def _mouth(identity: Identity, motion: dict[str, float], jaw: float) -> Mouth:
    part, stretch, tight = motion["lips_part"], motion["lip_stretch"], motion["lip_tighten"]
    smile, raised = motion["corner_up"], motion["lip_raise"]
    rest = MOUTH * identity.length
    t = np.linspace(-1, 1, 33)
    bow = 1 - t ** 2
    half = 0.36 * identity.mouth_width + motion["corner_out"] - 0.10 * motion["jaw_drop"] * (1 - stretch)
    centre = rest - 0.12 * max(smile, 0) - 0.05 * motion["chin_up"] + 0.1 * min(smile, 0)
    line = centre - smile * np.abs(t) ** 1.7 + 0.35 * jaw * np.abs(t) ** 2 - identity.asymmetry * t
    line -= 0.026 * t**2 + 0.01 * np.cos(3 * np.pi * t) * bow - 0.025 * motion["dimple"] * np.abs(t) ** 3
    line -= 0.065 * motion["chin_up"] * bow
    # How far the lips are apart: parting shows the teeth, a dropped jaw opens the mouth by itself, less if not parted.
    open_ = part * (0.09 + 0.75 * max(smile, 0) + 0.4 * raised + 0.06 * stretch) + jaw * (0.55 + 0.6 * part)
    square = 0.62 - 0.4 * jaw - 0.25 * stretch * part - 0.15 * min(raised / 0.15, 1) * part
    gap_up = (0.35 * part * (0.09 + 0.75 * max(smile, 0)) + raised * (0.5 + 0.25 * part) + 0.22 * jaw * part)
    inner_upper = line - gap_up * bow ** (0.7 - 0.5 * jaw)
    gap = np.maximum(open_ * bow ** square, 0.0)
    inner_lower = inner_upper + gap
    full = identity.lips * (1 - 0.62 * tight) * (1 - 0.2 * stretch) * (1 - 1.0 * max(smile, 0))
    cupid = 1 - 0.22 * np.exp(-(t / 0.14) ** 2) + 0.06 * np.exp(-((np.abs(t) - 0.3) / 0.16) ** 2)
    upper = inner_upper - 0.085 * full * (1 - np.abs(t) ** 2.2) ** 0.85 * cupid
    pout = 1 + 0.25 * motion["chin_up"]
    lower = inner_lower + 0.115 * full * pout * (1 - np.abs(t) ** 2.4) ** 0.75
    x = half * t
    curves = (np.stack([x, y], axis=1) for y in (upper, inner_upper, inner_lower, lower))
    return Mouth(*curves, teeth=rest + 0.045, lower_teeth=rest + 0.075 + 1.05 * jaw)


def _folds(identity: Identity, motion: dict[str, float], brows: Pair, eyes: tuple[Eye, Eye], wings: Pair,
           mouth: Mouth) -> Iterator[Fold]:
    """Creases that come with motion, and those that age has left."""
    age, soft = identity.age, 0.4 + 0.6 * identity.age
    centre, sides = motion["forehead_centre"], motion["forehead_side"]
    x = np.linspace(-0.62, 0.62, 21)
    for number, y in enumerate((-0.50, -0.61, -0.72)):
        lift = 0.05 * sides * np.abs(x) - 0.04 * centre * np.exp(-(x / 0.25) ** 2)
        line = np.stack([x, y - 0.04 * max(centre, sides) - lift + 0.05 * x ** 2], axis=1)
        fade = 1 - 0.2 * number
        yield Fold(line[6:15], fade * min(0.7, soft * centre + 0.12 * age), 0.025)
        for part in (line[:9], line[12:]):
            yield Fold(part, fade * min(0.7, soft * sides + 0.08 * age), 0.025)
    for side, eye, brow, wing in zip(SIDES, eyes, brows, wings):
        top = brow[0, 1]
        frown = np.array([(0.085, top + 0.14), (0.075, top + 0.03), (0.10, top - 0.12)]) - (motion["brow_in"] * 0.3, 0)
        yield Fold(spline(frown * (side, 1), 9), min(1, motion["frown"] * (0.6 + 0.4 * age) + 0.1 * age), 0.03)
        for number in range(3):
            start = np.array([0.03 + 0.02 * number, -0.02 + 0.075 * number])
            line = spline(np.array([start, start + (0.09, -0.05)]) * (side, 1), 9)
            yield Fold(line, 0.9 * motion["nose_wrinkle"], 0.026)
        corner = mouth.upper[0 if side < 0 else -1]
        start = np.array([abs(wing[0]) + 0.09, wing[1] - 0.05])
        end = np.array([max(abs(corner[0]), 0.33) + 0.12, corner[1] - 0.04])
        bend = (start + end) / 2 + (0.04 + 0.03 * motion["cheek"], -0.03)
        depth = min(0.75, motion["nasolabial"] * 0.5 + 0.25 * age)
        yield Fold(spline(np.array([start, bend, end]) * (side, 1), 9), depth, 0.045)
        outer = eye.upper[-1] * (side, 1)
        for lift in (-0.09, 0.0, 0.08):
            tail = np.array([(0.05, lift * 0.5), (0.17, lift * 1.4)]) + outer
            depth = min(1, motion["crow_feet"] * (0.45 + 0.5 * age) + 0.25 * max(0, age - 0.4))
            yield Fold(spline(tail * (side, 1), 9), depth, 0.018)
        pouch = eye.lower[4:-4] + (0, 0.055)
        yield Fold(pouch, min(1, motion["pouch"] * 0.6 + 0.35 * age), 0.03)
        beyond = np.array([(0.05, -0.08), (0.075, -0.01), (0.055, 0.07)]) + (abs(corner[0]), corner[1])
        yield Fold(spline(beyond * (side, 1), 9), 0.8 * motion["dimple"], 0.035)
        down = np.array([(0.02, 0.03), (0.045, 0.11), (0.04, 0.2)]) + (abs(corner[0]), corner[1])
        yield Fold(spline(down * (side, 1), 9), min(1, 0.55 * motion["corner_fold"] + 0.25 * max(0, age - 0.3)), 0.03)
    under = mouth.lower[8:25:2] + np.array([0.0, 0.06])
    yield Fold(under, 0.25 + 0.6 * motion["chin_up"], 0.04)


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
        """(3, 3) from the head frame to the viewer's."""
        yaw, pitch, roll = np.radians((self.yaw, self.pitch, self.roll))
        about_y = np.array([(np.cos(yaw), 0, np.sin(yaw)), (0, 1, 0), (-np.sin(yaw), 0, np.cos(yaw))])
        about_x = np.array([(1, 0, 0), (0, np.cos(pitch), -np.sin(pitch)), (0, np.sin(pitch), np.cos(pitch))])
        about_z = np.array([(np.cos(roll), -np.sin(roll), 0), (np.sin(roll), np.cos(roll), 0), (0, 0, 1)])
        return product(about_z, product(about_x, about_y))


FACE_TOP, FACE_HEIGHT = -0.93, 2.43  # the part of the head that `Pose.height` measures: hairline to chin


@dataclass(frozen=True)
class View:
    """The parallel projection of a posed head on a picture: pixels = matrix @ point + offset."""

    matrix: np.ndarray  # (2, 3)
    offset: np.ndarray  # (2,)

    def project(self, points: np.ndarray, depth: np.ndarray | float) -> np.ndarray:
        """(N, 2) pixels of head-frame points (N, 2) at z `depth`, one for all or (N,)."""
        solid = np.column_stack([points, np.broadcast_to(depth, len(points))])
        return product(solid, self.matrix.T) + self.offset


def view(pose: Pose, size: int) -> View:
    """How a picture of `size` pixels sees a head in `pose`."""
    matrix = pose.height * size / FACE_HEIGHT * pose.rotation()[:2]
    middle = matrix[:, 1] * (FACE_TOP + FACE_HEIGHT / 2)
    return View(matrix, np.array([pose.x, pose.y]) * size - 0.5 - middle)


def base_depth(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """z of the head without its features: steep at the sides, gentle from forehead to chin. Broadcasts."""
    x = np.clip(x, -1.15, 1.15)  # hair that stands out farther lies no deeper
    return -(0.5 * x**2 + 0.06 * x**4) - (0.10 * (y - 0.1) ** 2 + 0.03 * (y - 0.1) ** 4)
