"""What is around a drawn face: the room behind, neck and shoulders below, and the camera that takes the picture."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from data.synthetic.canvas import FRACTION, Window, grain, lay, planes
from data.synthetic.head import Pose, view
from data.synthetic.identity import Colour, Identity
from data.synthetic.skin import Light

SHARP_BODY = 160  # pixels of a picture's side up to which the edges of neck and shirt need no blurring
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
        return min(max(float(rng.normal(0, spread)), -limit), limit)

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


@lru_cache(maxsize=1)
def _noise() -> np.ndarray:
    """(2**21,) float32 normal deviates, from which each picture takes its noise: far cheaper than drawing them anew."""
    return np.random.default_rng(9).standard_normal(1 << 21, dtype=np.float32)


@lru_cache(maxsize=4)
def _weave(size: int) -> np.ndarray:
    """(size, size) float32 texture of cloth."""
    return 1 + np.float32(0.02) * cv2.resize(grain()[:128, :128], (size, size))


def paint_background(scene: Scene, size: int) -> np.ndarray:
    """(3, size, size) float32 a room out of focus: two colours and a few soft patches."""
    rng = np.random.default_rng(np.random.SeedSequence((scene.seed, 0)))
    first, second = np.array(scene.background, np.float32)
    across = np.linspace(0, 1, 8, dtype=np.float32)
    mix = (0.35 * across[None] + 0.65 * across[:, None])[..., None]
    patches = cv2.resize(rng.standard_normal((4, 4, 3), dtype=np.float32), (8, 8), interpolation=cv2.INTER_CUBIC)
    small = (first + mix * (second - first)) * (1 + 0.10 * patches.mean(axis=2, keepdims=True) + 0.04 * patches)
    small = np.clip(small, 0, 1).transpose(2, 0, 1)
    picture = np.empty((3, size, size), np.float32)
    for plane, painted in zip(small, picture):
        cv2.resize(plane, (size, size), painted, interpolation=cv2.INTER_CUBIC)
    return picture


def paint_body(picture: np.ndarray, identity: Identity, scene: Scene, head: np.ndarray) -> None:
    """Neck, shoulders and the head's shadow on them, in place on (3, size, size).

    `head` (size, size) is the coverage of the head in the picture. The body turns less than half as far as the head.
    """
    size, pose, light = picture.shape[1], scene.pose, scene.light
    turned, upright = view(pose, size), view(Pose(pose.yaw * 0.4, 0.0, pose.roll * 0.35, height=pose.height), size)
    nape = np.array([(0.0, 1.0)])
    settle = turned.project(nape, BODY_DEPTH) - upright.project(nape, BODY_DEPTH)  # the head sits on its neck
    wide = 0.50 + 0.10 * identity.gender
    halves = ([(wide, 0.7), (wide - 0.02, 1.6), (wide + 0.14, 1.9), (1.0, 2.12), (1.0, 2.8)],
              [(wide + 0.02, 1.8), (wide + 0.3, 1.98), (1.55 + 0.15 * identity.gender, 2.25), (1.95, 2.8), (2.1, 4.2)],
              [(wide + 0.03, 1.66), (wide - 0.1, 2.02), (0.16, 2.24)])
    outlines = np.array([point for half in halves for point in (*half, *((-x, y) for x, y in half[::-1]))])
    neck, shoulders, collar = np.split(upright.project(outlines, BODY_DEPTH) + settle, (10, 20))
    start = int(min(max(neck[:, 1].min(), 0), size - 1))
    below: Window = slice(start, size), slice(None)
    drop = max(1, round(0.05 * size))
    fallen = np.zeros((size - start, size), np.float32)
    fallen[max(drop - start, 0):] = head[max(start - drop, 0):size - drop]
    shadow = cv2.blur(cv2.blur(fallen, (2 * drop - 1,) * 2), (2 * drop - 1,) * 2)
    across = np.linspace(-1, 1, size, dtype=np.float32)
    side = light.ambient + light.strength * (0.62 + 0.30 * float(light.direction()[0]) * across)
    glow = side * planes(light.colour())
    skin = glow * planes(np.array(identity.skin) * (0.93, 0.88, 0.86))
    lay(picture, below, _cover(neck, start, size), skin * (1 - 0.45 * shadow))
    cloth = glow * planes(identity.shirt) * ((1 - 0.3 * shadow) * _weave(size)[start:])
    lay(picture, below, _cover(shoulders, start, size) * (1 - _cover(collar, start, size)), cloth)


def _cover(polygon: np.ndarray, start: int, size: int) -> np.ndarray:
    """(size - start, size) coverage of a polygon in pixels, from row `start` on."""
    mask = np.zeros((size - start, size), np.uint8)
    path = np.rint((polygon - (0, start)) * (1 << FRACTION)).astype(np.int32)
    cv2.fillPoly(mask, [path], 255, cv2.LINE_AA, FRACTION)
    if size > SHARP_BODY:
        mask = cv2.GaussianBlur(mask, (0, 0), 0.005 * size)
    return np.multiply(mask, np.float32(1 / 255), dtype=np.float32)


def photograph(picture: np.ndarray, scene: Scene) -> np.ndarray:
    """What the camera makes of (3, size, size) light: (size, size, 3) uint8, blurred, metered on the middle, noisy."""
    size = picture.shape[1]
    levels = cv2.merge(list(picture))
    if scene.blur > 0.1:
        levels = cv2.GaussianBlur(levels, (0, 0), scene.blur)
    metered = float(levels[size // 4:-size // 4, size // 4:-size // 4].mean())
    levels *= np.float32(255 * scene.exposure * (0.44 / max(metered, 0.02)) ** 0.5)
    over = np.maximum(levels - 195, 0)
    levels += over * (60 / (60 + over) - 1)  # from 195 on, highlights bend towards 255 instead of clipping
    if scene.noise > 0:
        rng = np.random.default_rng(np.random.SeedSequence((scene.seed, 1)))
        start = rng.integers(max(1, _noise().size - levels.size))
        noise = _noise()[start:start + levels.size]
        noise = noise.reshape(levels.shape) if noise.size == levels.size else np.resize(noise, levels.shape)
        levels += np.float32(scene.noise) * noise
    levels += np.float32(0.5)
    return np.clip(levels, 0, 255, out=levels).astype(np.uint8)
