"""Pictures with people as they are found: any place and scale in the frame, before any backdrop, alone or several."""

from dataclasses import dataclass, replace

import numpy as np

from data.synthetic import Identity, Scene, draw_face, sample_scene
from data.synthetic.raw.people import cut_out, paint_figure, stand
from data.synthetic.raw.profile import turned
from data.synthetic.raw.scenes import backdrop, landscape, room

REACH = 1.5  # heights of the face; so far below its middle people are drawn
FACE = 0.82  # width of a face, of its height from hairline to chin


@dataclass(frozen=True)
class Portrait:
    """A picture and where its main face is; no face has neither box nor landmarks."""

    image: np.ndarray  # (H, W, 3) uint8 RGB
    box: np.ndarray | None = None  # (4,) x, y, width, height
    landmarks: np.ndarray | None = None  # (5, 2)


def mild(scene: Scene) -> Scene:
    """`scene` with the head turned, nodded and tilted little, and light that leaves no half of the face dark."""
    pose, light = scene.pose, scene.light
    pose = replace(pose, yaw=float(np.clip(pose.yaw, -17, 17)), pitch=float(np.clip(pose.pitch, -10, 10)))
    light = replace(light, azimuth=float(np.clip(light.azimuth, -45, 45)), ambient=max(light.ambient, 0.38))
    return replace(scene, pose=pose, light=light, blur=0.0)


def alone(rng: np.random.Generator, identity: Identity, action_units: np.ndarray, shape: tuple[int, int],
          yaw: float | None = None) -> Portrait:
    """One person in a frame of `shape` (H, W), the face at least a third of its longer side.

    `yaw` turns the head far to a side, see `profile.turned`.
    """
    height, width = shape
    side = max(shape)
    scene = mild(sample_scene(rng))
    tall = rng.uniform(0.35 * side, min(0.70 * side, 0.80 * height, 0.95 * width))
    x = _within(rng, 0.62 * FACE * tall, width)
    y = rng.uniform(max(0.60 * tall, height - REACH * tall), height - 0.65 * tall)
    scene = replace(scene, pose=replace(scene.pose, x=x / side, y=y / side, height=tall / side))
    if yaw is None and rng.random() < 0.4:  # before the plain wall that the drawn world has
        face = draw_face(identity, action_units, scene, side)
        return Portrait(face.image[:height, :width], face.box, face.landmarks)
    picture = backdrop(rng, shape)
    if yaw is None:
        person = cut_out(identity, action_units, scene, side)
        box, landmarks = stand(picture, person, 0, 0, 1)
        return Portrait(_taken(rng, picture), box, landmarks)
    square = round(tall / 0.5)  # room enough for the back of the head, wherever in the frame that is
    scene = replace(scene, pose=replace(scene.pose, x=0.5, y=0.45, height=0.5))
    person = turned(identity, action_units, scene, square, yaw)
    box, landmarks = stand(picture, person, x - 0.5 * square, y - 0.45 * square, 1)
    return Portrait(_taken(rng, picture), box, landmarks)


def several(rng: np.random.Generator, people: list[tuple[Identity, np.ndarray]], shape: tuple[int, int]) -> Portrait:
    """2 to 4 people side by side, the first of them the largest, no face less than 0.6 times as large."""
    height, width = shape
    picture = backdrop(rng, shape)
    room_each = width / len(people)
    largest = min(0.92 * room_each, 0.52 * height)
    tall = largest * np.array([rng.uniform(0.92, 1.0), *rng.uniform(0.62, 0.88, len(people) - 1)])
    places = rng.permutation(len(people))
    found = {}
    for number in np.argsort(tall):  # the smaller ones stand behind
        identity, action_units = people[number]
        side = max(48, round(tall[number] / 0.5))
        scene = mild(sample_scene(rng))
        scene = replace(scene, pose=replace(scene.pose, x=0.5, y=0.42, height=0.5))
        person = cut_out(identity, action_units, scene, side)
        scale = tall[number] / (0.5 * side)
        slack = 0.5 * max(0.0, room_each - 0.95 * tall[number])
        x = (places[number] + 0.5) * room_each + rng.uniform(-slack, slack)
        y = rng.uniform(0.40, 0.52) * height
        found[number] = stand(picture, person, x - 0.5 * side * scale, y - 0.42 * side * scale, scale)
    box, landmarks = found[0]
    return Portrait(_taken(rng, picture), box, landmarks)


def far_away(rng: np.random.Generator, identity: Identity, action_units: np.ndarray,
             shape: tuple[int, int]) -> Portrait:
    """One person seen whole in a wide scene, the face 7 to 9 % of the longer side high."""
    picture = (room, landscape)[rng.integers(2)](rng, shape)
    height, width = shape
    tall = rng.uniform(0.070, 0.090) * max(shape)
    x, y = rng.uniform(0.12, 0.88) * width, rng.uniform(0.12, 0.55) * height
    scene, side = mild(sample_scene(rng)), 72
    scene = replace(scene, pose=replace(scene.pose, x=0.5, y=0.42, height=0.42))
    person = cut_out(identity, action_units, scene, side)
    scale = tall / person.box[3]
    corner = x - 0.5 * side * scale, y - 0.42 * side * scale
    shirt = np.median(person.colour[-6:][person.alpha[-6:] > 0.9].reshape(-1, 3), axis=0)
    box = np.concatenate([person.box[:2] * scale + corner, person.box[2:] * scale])
    paint_figure(rng, picture, box, shirt, 200 * np.array(identity.skin))
    person.alpha[round(person.box[1] + 1.15 * person.box[3]):] = 0  # the figure has a body of its own
    box, landmarks = stand(picture, person, *corner, scale)
    return Portrait(_taken(rng, picture), box, landmarks)


def _within(rng: np.random.Generator, margin: float, length: float) -> float:
    """A place on [0, length] at least `margin` from both ends, the middle where that is not possible."""
    return float(rng.uniform(margin, length - margin)) if length > 2 * margin else length / 2


def _taken(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """The uint8 picture of (H, W, 3) float32 with the noise of a camera."""
    noise = rng.standard_normal(picture.shape, dtype=np.float32)
    return np.clip(picture + np.float32(rng.uniform(0.5, 4.0)) * noise + 0.5, 0, 255).astype(np.uint8)
