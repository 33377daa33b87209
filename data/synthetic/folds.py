"""Creases of the skin: those that come with motion (FACS, 2002, names them unit by unit), and those that age left."""

from dataclasses import dataclass

import cv2
import numpy as np

from data.synthetic.canvas import FRACTION, Canvas
from data.synthetic.head import SIDES, Face, spline, strip
from data.synthetic.identity import Identity

SHALLOW = 0.04  # depth below which a fold is not drawn
FOREHEAD = np.linspace(-0.62, 0.62, 21)
FOREHEAD_PARTS = (slice(0, 9), slice(6, 15), slice(12, 21))
TAPER = 0.8 * np.sin(np.linspace(0.12, 0.95, 9) * np.pi)  # folds begin and end in smooth skin


@dataclass
class Folds:
    """Lines of the head frame, how deep each one is (0 to 1), and its half width in the middle."""

    lines: list
    depths: list[float]
    widths: list[float]

    def add(self, depth: float, width: float, line: np.ndarray | tuple, side: int = 1) -> None:
        """Notes a fold that is deep enough; its `line` is that of the right side, mirrored where `side` is -1."""
        if depth > SHALLOW:
            self.lines.append([(-x, y) for x, y in line] if side < 0 else line)
            self.depths.append(depth)
            self.widths.append(width)


def press_folds(identity: Identity, face: Face, canvas: Canvas) -> np.ndarray:
    """(H, W) how deep the skin is folded, in [0, 1], float32."""
    long, curved = _across(identity, face), _beside(identity, face)
    mask = np.zeros(canvas.shape, np.uint8)
    depths, widths = np.array(long.depths + curved.depths), np.array(long.widths + curved.widths)
    if len(depths):
        lines = np.concatenate([np.reshape(long.lines, (-1, 9, 2)), spline(np.reshape(curved.lines, (-1, 3, 2)), 9)])
        paths = canvas.path(strip(lines, widths[:, None] * TAPER))
        for number in np.argsort(depths, kind="stable"):  # the deepest last
            cv2.fillPoly(mask, [paths[number]], round(255 * depths[number]), cv2.LINE_AA, FRACTION)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.014 * canvas.density)
    return np.multiply(mask, np.float32(1 / 255), dtype=np.float32)


def _across(identity: Identity, face: Face) -> Folds:
    """Folds of 9 points: over the forehead, under the eyes, under the lower lip."""
    age, motion, folds = identity.age, face.motion, Folds([], [], [])
    centre, sides = motion["forehead_centre"], motion["forehead_side"]
    soft = 0.4 + 0.6 * age
    side, middle = min(0.7, soft * sides + 0.08 * age), min(0.7, soft * centre + 0.12 * age)
    if max(side, middle) > SHALLOW:
        lift = 0.05 * sides * np.abs(FOREHEAD) - 0.04 * centre * np.exp(-(FOREHEAD / 0.25) ** 2) - 0.05 * FOREHEAD ** 2
        for number, y in enumerate((-0.50, -0.61, -0.72)):
            line = np.stack([FOREHEAD, y - 0.04 * max(centre, sides) - lift], axis=1)
            for part, strength in zip(FOREHEAD_PARTS, (side, middle, side)):
                folds.add((1 - 0.2 * number) * strength, 0.025, line[part])
    for eye in face.eyes:
        folds.add(min(1, 0.6 * motion["pouch"] + 0.35 * age), 0.03, eye.lower[4:-4] + (0, 0.055))
    folds.add(0.25 + 0.6 * motion["chin_up"], 0.04, face.mouth.lower[8:25:2] + (0.0, 0.06))
    return folds


def _beside(identity: Identity, face: Face) -> Folds:
    """Folds through 3 points: between the brows, on nose and cheeks, at the corners of eyes and mouth."""
    age, motion, folds = identity.age, face.motion, Folds([], [], [])
    corners = face.mouth.upper[[0, -1]].tolist()
    for side, eye, brow, wing, (corner, y) in zip(SIDES, face.eyes, face.brows, face.wings.tolist(), corners):
        def crease(depth: float, width: float, *line: tuple[float, float]) -> None:
            folds.add(depth, width, line, side)

        corner, top, inwards = abs(corner), float(brow[0, 1]), 0.3 * motion["brow_in"]
        crease(min(1, motion["frown"] * (0.6 + 0.4 * age) + 0.1 * age ** 2), 0.03,
               (0.085 - inwards, top + 0.14), (0.075 - inwards, top + 0.03), (0.10 - inwards, top - 0.12))
        for x, height in ((0.03, -0.02), (0.05, 0.055), (0.07, 0.13)):
            crease(0.9 * motion["nose_wrinkle"], 0.026,
                   (x, height), (x + 0.045, height - 0.025), (x + 0.09, height - 0.05))
        (x, height), (end_x, end_y) = (abs(wing[0]) + 0.09, wing[1] - 0.05), (max(corner, 0.33) + 0.12, y - 0.04)
        bend = (x + end_x) / 2 + 0.04 + 0.03 * motion["cheek"], (height + end_y) / 2 - 0.03
        crease(min(0.75, 0.5 * motion["nasolabial"] + 0.25 * age), 0.045, (x, height), bend, (end_x, end_y))
        x, height = abs(float(eye.upper[-1, 0])), float(eye.upper[-1, 1])
        for rise in (-0.09, 0.0, 0.08):
            crease(min(1, motion["crow_feet"] * (0.45 + 0.5 * age) + 0.25 * max(0, age - 0.4)), 0.018,
                   (x + 0.05, height + 0.5 * rise), (x + 0.11, height + 0.95 * rise), (x + 0.17, height + 1.4 * rise))
        crease(0.8 * motion["dimple"], 0.035,
               (corner + 0.05, y - 0.08), (corner + 0.075, y - 0.01), (corner + 0.055, y + 0.07))
        crease(min(1, 0.55 * motion["corner_fold"] + 0.25 * max(0, age - 0.3)), 0.03,
               (corner + 0.02, y + 0.03), (corner + 0.045, y + 0.11), (corner + 0.04, y + 0.2))
    return folds
