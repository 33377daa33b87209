"""What is around a drawn face: the room behind, neck and shoulders below, and the camera that takes the picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from data.synthetic.canvas import FRACTION, grain, lay
from data.synthetic.head import Pose, view
from data.synthetic.identity import Colour, Identity
from data.synthetic.skin import Light

BODY_DEPTH = -0.45  # z of neck and shoulders; the axis about which the head turns


@dataclass(frozen=True)
class Scene:
    """Everything around a face that is neither who it is nor what it expresses."""

    pose: Pose = Pose()
    light: Light = Light()
    gaze: tuple[float, float] = (0.0, 0.0)  # of the irises, in their radii, right and down
    background: tuple[Colour, Colour] = ((0.55, 0.60, 0.64), (0.36, 0.41, 0.46))  # upper left, lower right
    exposure: float = 1.0
    blur: float = 0.0  # pixels
    noise: float = 0.0  # standard deviation, in grey levels of 255
    seed: int = 0  # of background and noise


def sample_scene(rng: np.random.Generator) -> Scene:
    """Draws pose, light, gaze, background and camera. Turned heads and hard light from the side are rarer."""
    def bell(spread: float, limit: float) -> float:
        return float(np.clip(rng.normal(0, spread), -limit, limit))

    warmth = float(rng.uniform(-0.4, 1.0))
    wall = rng.uniform(0.15, 0.85) + rng.normal(0, 0.045, 3) + 0.05 * warmth * np.array([1, 0, -1])
    return Scene(
        pose=Pose(bell(11, 26), bell(6, 13), bell(5, 13), 0.5 + bell(0.02, 0.05), 0.53 + bell(0.015, 0.04),
                  float(rng.uniform(0.55, 0.72))),
        light=Light(bell(32, 65), float(rng.uniform(8, 55)), float(rng.uniform(0.5, 0.85)),
                    float(rng.uniform(0.30, 0.55)), warmth),
        gaze=(bell(0.22, 0.5), bell(0.12, 0.3)),
        background=tuple(tuple(np.clip(wall + rng.normal(0, 0.10), 0.05, 0.95).tolist()) for _ in range(2)),
        exposure=float(rng.uniform(0.88, 1.15)), blur=float(max(0.0, rng.uniform(-0.4, 0.7))),
        noise=float(rng.uniform(0.5, 4.5)), seed=int(rng.integers(1 << 32)),
    )


def paint_background(scene: Scene, size: int) -> np.ndarray:
    """(size, size, 3) float32 a room out of focus: two colours and a few soft patches."""
    rng = np.random.default_rng(np.random.SeedSequence((scene.seed, 0)))
    first, second = np.array(scene.background, np.float32)
    across = np.linspace(0, 1, 8, dtype=np.float32)
    mix = (0.35 * across[None] + 0.65 * across[:, None])[..., None]
    patches = cv2.resize(rng.standard_normal((4, 4, 3), dtype=np.float32), (8, 8), interpolation=cv2.INTER_CUBIC)
    small = (first + mix * (second - first)) * (1 + 0.10 * patches.mean(axis=2, keepdims=True) + 0.04 * patches)
    return cv2.resize(np.clip(small, 0, 1), (size, size), interpolation=cv2.INTER_CUBIC)


def paint_body(picture: np.ndarray, identity: Identity, scene: Scene, head: np.ndarray) -> None:
    """Neck, shoulders and the head's shadow on them, in place on (size, size, 3).

    `head` (size, size) is the coverage of the head in the picture. The body turns less than half as far as the head.
    """
    size, pose, light = len(picture), scene.pose, scene.light
    turned, upright = view(pose, size), view(Pose(pose.yaw * 0.4, 0.0, pose.roll * 0.35, height=pose.height), size)
    nape = np.array([(0.0, 1.0)])
    settle = turned.project(nape, BODY_DEPTH) - upright.project(nape, BODY_DEPTH)  # the head sits on its neck

    def outline(half: list[tuple[float, float]]) -> np.ndarray:
        return upright.project(np.array([*half, *((-x, y) for x, y in half[::-1])]), BODY_DEPTH) + settle

    wide = 0.50 + 0.10 * identity.gender
    neck = outline([(wide, 0.7), (wide - 0.02, 1.6), (wide + 0.14, 1.9), (1.0, 2.12), (1.0, 2.8)])
    shoulders = outline([(wide + 0.02, 1.8), (wide + 0.3, 1.98), (1.55 + 0.15 * identity.gender, 2.25), (1.95, 2.8),
                         (2.1, 4.2)])
    collar = outline([(wide + 0.03, 1.66), (wide - 0.1, 2.02), (0.16, 2.24)])
    start = int(np.clip(neck[:, 1].min(), 0, size - 1))
    below = slice(start, size), slice(None)
    drop = max(1, round(0.05 * size))
    fallen = np.pad(head[:-drop], ((drop, 0), (0, 0)))[start:]
    shadow = cv2.blur(cv2.blur(fallen, (2 * drop - 1,) * 2), (2 * drop - 1,) * 2)[..., None]
    across = np.linspace(-1, 1, size, dtype=np.float32)
    side = light.ambient + light.strength * (0.62 + 0.30 * float(light.direction()[0]) * across)
    glow = side[:, None] * light.colour()
    skin = glow * np.array(identity.skin, np.float32) * np.array([0.93, 0.88, 0.86], np.float32)
    lay(picture, below, _cover(neck, size)[start:], skin * (1 - 0.45 * shadow))
    weave = 1 + 0.02 * cv2.resize(grain()[:128, :128], (size, size))[start:, :, None]
    cloth = glow * np.array(identity.shirt, np.float32) * (1 - 0.3 * shadow) * weave
    lay(picture, below, (_cover(shoulders, size) * (1 - _cover(collar, size)))[start:], cloth)


def _cover(polygon: np.ndarray, size: int) -> np.ndarray:
    """(size, size) coverage of a polygon in pixels."""
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon * (1 << FRACTION)).astype(np.int32)], 255, cv2.LINE_AA, FRACTION)
    return cv2.GaussianBlur(mask, (0, 0), 0.005 * size).astype(np.float32) * np.float32(1 / 255)


def photograph(picture: np.ndarray, scene: Scene) -> np.ndarray:
    """What the camera makes of (size, size, 3) light, as uint8: blur, exposure metered on the middle, noise."""
    size = len(picture)
    if scene.blur > 0.1:
        picture = cv2.GaussianBlur(picture, (0, 0), scene.blur)
    metered = float(picture[size // 4:-size // 4, size // 4:-size // 4].mean())
    levels = picture * (255 * scene.exposure * (0.44 / max(metered, 0.02)) ** 0.5)
    over = np.maximum(levels - 195, 0)
    levels += over * (60 / (60 + over) - 1)  # from 195 on, highlights bend towards 255 instead of clipping
    if scene.noise > 0:
        rng = np.random.default_rng(np.random.SeedSequence((scene.seed, 1)))
        levels += np.float32(scene.noise) * rng.standard_normal(levels.shape, dtype=np.float32)
    return np.clip(levels + np.float32(0.5), 0, 255).astype(np.uint8)
