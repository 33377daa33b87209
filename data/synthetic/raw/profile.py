"""Heads turned farther than `draw_face` can turn them: the face seen from the front laid on a solid head, then turned.

`draw_face` reads each pixel of the picture off one point of a height field, which fails where the field folds over.
Here each row is a line of points (x, z) that is turned and projected, x' = x cos θ + z sin θ. Where it folds over, what
comes later from the near side hides nothing before it, so the running maximum of x' is what is seen. Ear, back of the
head, neck and hair, which no frontal picture shows, are shapes.
"""

from dataclasses import replace

import cv2
import numpy as np

from data.synthetic import Identity, Scene
from data.synthetic.raw.people import Cutout, cut_out
from data.synthetic.raw.solid import ellipse, fill, mould, smooth

UNIT = 1 / 2.43  # half width of the face, of the height from hairline to chin
# Half width of the head at heights y, both in half face widths, y from the eyes down; and how far back its sides lie.
ROWS = (-1.46, -1.39, -1.14, -0.7, -0.25, 0.2, 0.62, 0.99, 1.29, 1.46, 1.5)
HALF = (0.10, 0.42, 0.75, 0.93, 0.985, 0.975, 0.92, 0.79, 0.56, 0.28, 0.10)
SIDE = 0.80  # depth of the ears behind the bridge of the nose
SAMPLES = 220  # points of a row


def turned(identity: Identity, action_units: np.ndarray, scene: Scene, size: int, yaw: float) -> Cutout:
    """`people.cut_out` with the head turned by `yaw` degrees, 40 to 80 to either side, and placed by `scene.pose`."""
    pose = replace(scene.pose, yaw=0.0, pitch=0.0, roll=0.0)
    front = cut_out(identity, action_units, replace(scene, pose=pose), size)
    unit = pose.height * size * UNIT
    eyes = front.landmarks[:2].mean(axis=0)
    angle = np.radians(abs(yaw))
    picture = _Layer(size)
    _paint_body(picture, front, eyes, unit, angle)
    _paint_skull(picture, identity, front, eyes, unit, angle)
    box = _lay_face(picture, front, eyes, unit, angle, 0.97 if identity.cut.length <= 0.3 else 0.90)
    _paint_ear(picture, front, eyes, unit, angle)
    landmarks = _project(front.landmarks, front, eyes, unit, angle)
    colour = picture.colour / np.maximum(picture.alpha, 1e-3)[..., None]
    if yaw > 0:
        return Cutout(colour, picture.alpha, box, landmarks)
    box[0] = size - 1 - box[0] - box[2]
    landmarks = (landmarks * (-1, 1) + (size - 1, 0))[[1, 0, 2, 4, 3]]
    return Cutout(np.ascontiguousarray(colour[:, ::-1]), np.ascontiguousarray(picture.alpha[:, ::-1]), box,
                  landmarks.astype(np.float32))


def _depth(x: np.ndarray, y: np.ndarray, nose: float, mouth: float) -> np.ndarray:
    """z of the front of the head at (x, y), in half face widths; `nose` and `mouth` are the heights of tip and lips."""
    half = np.interp(y, ROWS, HALF)
    share = np.minimum(np.abs(x) / half, 1)
    back = SIDE * (half / 0.985) ** 0.6
    round_ = -back * (1 - np.sqrt(1 - share**2 * 0.985)) / (1 - np.sqrt(0.015))
    middle = -0.12 * (y - 0.1) ** 2
    ridge = np.interp(y, (-0.12, 0.05, nose - 0.05, nose + 0.03, nose + 0.13), (0.02, 0.10, 0.40, 0.40, 0.05),
                      left=0, right=0)
    wide = np.interp(y, (0.0, nose), (0.10, 0.15))
    relief = ridge * np.exp(-((x / wide) ** 2)) - 0.10 * np.exp(-(((np.abs(x) - 0.42) / 0.22) ** 2) - ((y / 0.14) ** 2))
    relief += 0.09 * np.exp(-((x / 0.5) ** 2) - ((y + 0.27) / 0.13) ** 2)  # brow
    relief += 0.10 * np.exp(-((x / 0.3) ** 2) - ((y - mouth) / 0.16) ** 2)  # lips
    relief += 0.12 * np.exp(-((x / 0.25) ** 2) - ((y - mouth - 0.45) / 0.16) ** 2)  # chin
    return round_ + middle + relief


class _Layer:
    """What has been drawn so far: (size, size, 3) colours multiplied by (size, size) alpha."""

    def __init__(self, size: int):
        self.colour = np.zeros((size, size, 3), np.float32)
        self.alpha = np.zeros((size, size), np.float32)

    def mould(self, polygon: np.ndarray, colour: np.ndarray, roundness: float, **options: object) -> None:
        mould(self.colour, polygon, colour, roundness, **options)
        both = cv2.merge([self.alpha] * 3)
        fill(both, polygon, (1, 1, 1))
        self.alpha = both[..., 0]

    def over(self, colour: np.ndarray, alpha: np.ndarray) -> None:
        self.colour *= 1 - alpha[..., None]
        self.colour += colour * alpha[..., None]
        self.alpha = self.alpha * (1 - alpha) + alpha


def _heights(front: Cutout, eyes: np.ndarray, unit: float) -> tuple[float, float]:
    return float((front.landmarks[2, 1] - eyes[1]) / unit), float((front.landmarks[3:, 1].mean() - eyes[1]) / unit)


def _skin(front: Cutout, eyes: np.ndarray, unit: float) -> np.ndarray:
    """The lit colour of the cheek on the near side."""
    x, y = np.rint(eyes + unit * np.array([-0.62, 0.45])).astype(int)
    reach = max(1, int(0.06 * unit))
    return np.median(front.colour[y - reach:y + reach + 1, x - reach:x + reach + 1].reshape(-1, 3), axis=0)


def _hair(front: Cutout, eyes: np.ndarray, unit: float) -> np.ndarray:
    """The lit colour of the hair on the crown."""
    crown = slice(max(0, int(eyes[1] - 1.5 * unit)), max(1, int(eyes[1] - 1.15 * unit)))
    found = front.colour[crown][front.alpha[crown] > 0.9]
    return 0.9 * np.median(found, axis=0) if len(found) else np.array([60.0, 45.0, 38.0])


def _paint_body(picture: _Layer, front: Cutout, eyes: np.ndarray, unit: float, angle: float) -> None:
    """Shoulders of the frontal picture, set back as the neck is, and a neck on them that leans backwards."""
    size, back = len(front.alpha), 0.45 * np.sin(angle)
    columns, rows = ((np.arange(size) - middle) / unit for middle in eyes)
    start = min(max(int(front.box[1] + front.box[3] + 0.10 * unit), 0), size - 1)
    alpha = front.alpha.copy()
    alpha[:start] = 0
    alpha *= np.abs(columns) < np.interp(rows, (1.85, 1.9, 2.4), (0, 0.45, 2.2))[:, None]  # no hair beside the neck
    shift = np.array([[1, 0, -back * unit], [0, 1, 0]])
    colour, alpha = (cv2.warpAffine(layer, shift, (size, size), borderMode=cv2.BORDER_REPLICATE)
                     for layer in (front.colour, alpha))
    picture.over(colour, alpha)
    neck = [(-back - 0.95, 0.5), (-back + 0.25, 0.6), (-back + 0.40, 1.3), (-back + 0.47, 1.85), (-back, 2.02),
            (-back - 0.47, 1.85), (-back - 0.50, 1.4)]
    picture.mould(smooth(neck) * unit + eyes, 0.82 * _skin(front, eyes, unit), 0.14 * unit)


def _paint_skull(picture: _Layer, identity: Identity, front: Cutout, eyes: np.ndarray, unit: float,
                 angle: float) -> None:
    """The head behind the face, and the hair on it."""
    cut, skin = identity.cut, _skin(front, eyes, unit)
    hair = _hair(front, eyes, unit) if cut.density > 0 else skin
    streaks = _streaks(identity.texture) if cut.density > 0 else None
    sine, cosine = np.sin(angle), np.cos(angle)

    def place(points: np.ndarray) -> np.ndarray:
        return np.asarray(points) * unit + eyes

    cheek = smooth([(-SIDE * sine - 0.9 * cosine, -0.9), (-0.2 * sine, -0.9), (-0.2 * sine, 0.6),
                    (-0.55 * sine - 0.55 * cosine, 1.25), (-0.95 * sine - 0.75 * cosine, 1.0),
                    (-1.15 * sine - 0.7 * cosine, 0.4)])
    picture.mould(place(cheek), 0.9 * skin, 0.15 * unit)
    wide = np.hypot((0.97 + cut.side) * cosine, (1.04 + cut.side) * sine)
    skull = ellipse(-0.92 * sine, -0.38, wide, 1.10 + cut.top)
    nape = smooth([(-0.92 * sine - wide, -0.4), (-0.7 * sine, -0.6), (-1.0 * sine - 0.5 * cosine, 0.3),
                   (-1.05 * sine - 0.3 * cosine, 0.85), (-1.45 * sine - 0.2 * cosine, 0.8)])
    options = {"grain": streaks, "relief": 0.45}
    if cut.length > 0.3:
        left, right = -0.95 * sine - wide - 0.05, -SIDE * sine - 0.80 * cosine
        mass = smooth([(left + 0.1, -0.5), (right, -0.5), (right + 0.05, 0.5 * cut.length), (right - 0.1, cut.length),
                       (left + 0.1, cut.length), (left - 0.08, 0.5 * cut.length)])
        picture.mould(place(mass), 0.82 * hair, 0.14 * unit, **options)
    else:
        picture.mould(place(nape), 0.9 * hair, 0.12 * unit, **options)
    picture.mould(place(skull), hair, 0.22 * unit, **options)


def _streaks(texture: int) -> np.ndarray:
    """(640, 640) noise of deviation 0.12 long in y: hair hanging down."""
    noise = np.random.default_rng(texture).standard_normal((80, 320), dtype=np.float32)
    return 0.10 * cv2.resize(cv2.GaussianBlur(noise, (0, 0), 0.8), (640, 640), interpolation=cv2.INTER_LINEAR)


def _lay_face(picture: _Layer, front: Cutout, eyes: np.ndarray, unit: float, angle: float,
              reach: float) -> np.ndarray:
    """The frontal picture of the face, `reach` of its width, turned. Returns the face's box (4,)."""
    size = len(front.alpha)
    chin = front.box[1] + front.box[3]
    stretch = 1.5 / max((chin - eyes[1]) / unit, 1e-3)  # heights as on the average head, for the table of widths
    y = (np.arange(size) - eyes[1]) / unit
    level = np.where(y > 0, y * stretch, y)
    rows = np.flatnonzero((level > -1.75) & (level < 1.5))
    half = reach * np.interp(level[rows], ROWS, HALF, left=0.3)[:, None]
    x = half * np.linspace(-1, 1, SAMPLES)[None]
    z = _depth(x, level[rows][:, None], *_heights(front, eyes, unit))
    across = np.maximum.accumulate(x * np.cos(angle) + z * np.sin(angle), axis=1)
    across = (across + 1e-7 * np.arange(SAMPLES)) * unit + eyes[0]
    columns = np.arange(size, dtype=np.float64)
    seen = np.stack([np.interp(columns, line, source) for line, source in zip(across, x)])
    soft = 0.10 * unit
    cover = np.clip((columns - across[:, :1]) / soft, 0, 1) * np.clip(across[:, -1:] - columns + 0.5, 0, 1)
    map_x = (seen * unit + eyes[0]).astype(np.float32)
    map_y = np.broadcast_to(rows[:, None], map_x.shape).astype(np.float32)
    layer = np.dstack([front.colour, front.alpha])
    face = cv2.remap(layer, map_x, map_y, cv2.INTER_LINEAR)
    colour, alpha = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    slope = np.gradient(seen, axis=1)
    shade = np.clip(1.06 - 0.10 * np.clip(np.abs(slope) * unit - 0.8, 0, 3), 0.6, 1.06)
    colour[rows], alpha[rows] = face[..., :3] * shade[..., None], face[..., 3] * cover
    picture.over(colour, alpha.astype(np.float32))
    face_rows = level[rows] > -0.95
    low, high = across[face_rows].min(), across[face_rows].max()
    top = rows[face_rows].min()
    return np.clip(np.array([low, top, high - low, chin - top], np.float32), 0, size - 1)


def _paint_ear(picture: _Layer, front: Cutout, eyes: np.ndarray, unit: float, angle: float) -> None:
    skin = _skin(front, eyes, unit)
    x = -(SIDE + 0.02) * np.sin(angle) - 0.93 * np.cos(angle)
    rim = smooth(np.array([(0.10, -0.18), (-0.04, -0.27), (-0.18, -0.18), (-0.17, 0.05), (-0.04, 0.30), (0.06, 0.33),
                           (0.09, 0.15)]) * (0.6 + 0.6 * np.sin(angle), 1) + (x, 0.08))
    picture.mould(rim * unit + eyes, skin * (0.97, 0.88, 0.87), 0.05 * unit, relief=0.5)
    hollow = ellipse(x - 0.02, 0.08, 0.06, 0.13)
    picture.mould(hollow * unit + eyes, 0.68 * skin, 0.04 * unit)


def _project(points: np.ndarray, front: Cutout, eyes: np.ndarray, unit: float, angle: float) -> np.ndarray:
    """(N, 2) where points of the frontal picture come to lie, seen or hidden."""
    x, y = ((points - eyes) / unit).T
    z = _depth(x, y, *_heights(front, eyes, unit))
    return (np.stack([x * np.cos(angle) + z * np.sin(angle), y], axis=1) * unit + eyes).astype(np.float32)
