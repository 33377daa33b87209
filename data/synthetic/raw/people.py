"""People as cut-outs that can stand anywhere in a picture: drawn before a green wall, the green keyed out."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from data.synthetic import Identity, Scene, draw_face
from data.synthetic.raw.solid import capsule, mould

GREEN = (0.0, 0.6, 0.0)  # no drawn skin, hair or frame is as green; shirts are seen to
SEEN = 40  # grey levels; where green exceeds red and blue by more, the wall is seen


@dataclass(frozen=True)
class Cutout:
    """A person without surroundings, and where the face is, in pixels of the cut-out."""

    colour: np.ndarray  # (H, W, 3) float32, 0 to 255
    alpha: np.ndarray  # (H, W) float32 in [0, 1]
    box: np.ndarray  # (4,) x, y, width, height of the face
    landmarks: np.ndarray  # (5, 2)


def cut_out(identity: Identity, action_units: np.ndarray, scene: Scene, size: int) -> Cutout:
    """Draws `identity` as `draw_face` does, on a square of `size` pixels, without room, noise or blur."""
    red, green, blue = identity.shirt
    person = replace(identity, shirt=(red, min(green, 0.8 * max(red, blue)), blue))
    face = draw_face(person, action_units, replace(scene, background=(GREEN, GREEN), noise=0.0, blur=0.0), size)
    colour, alpha = key(face.image)
    return Cutout(colour, alpha, face.box, face.landmarks)


def key(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colour (H, W, 3) float32 and coverage (H, W) of what stands before a green wall in (H, W, 3) uint8.

    How much green a pixel on the edge has from the wall cannot be told, so it takes its colour from the pixels inside.
    """
    colour = image.astype(np.float32)
    red, green, blue = cv2.split(colour)
    excess = green - np.maximum(red, blue)
    solid = cv2.erode((excess < SEEN).astype(np.float32), np.ones((3, 3), np.uint8))
    near = cv2.blur(solid, (5, 5))
    smeared = cv2.blur(colour * solid[..., None], (5, 5)) / np.maximum(near, 0.04)[..., None]
    colour = np.where(solid[..., None] > 0, colour, smeared)
    return colour, cv2.GaussianBlur(solid, (0, 0), 0.8)


def stand(picture: np.ndarray, person: Cutout, x: float, y: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Lays a person on `picture` (H, W, 3) float32, in place, the cut-out's corner at `x`, `y`, `scale` times as large.

    The lowest row goes on downwards, as shoulders and clothes do. Returns box (4,) and landmarks (5, 2) in the picture.
    """
    height, width = picture.shape[:2]
    matrix = np.array([[scale, 0, x + 0.5 * scale - 0.5], [0, scale, y + 0.5 * scale - 0.5]])
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    side = max(1, round(person.alpha.shape[0] * scale))
    layer = np.dstack([person.colour * person.alpha[..., None], person.alpha])
    layer = cv2.resize(layer, (side, side), interpolation=mode)
    left, top = round(x), round(y)
    first, last = max(0, -left), min(side, width - left)
    start = max(0, -top)
    if last > first and height > top + start:
        rows = np.minimum(np.arange(start, height - top), side - 1)
        layer = np.clip(layer[rows, first:last], 0, 255)
        part = picture[top + start:, left + first:left + last]
        part *= 1 - np.minimum(layer[..., 3:], 1)
        part += layer[..., :3]
    box = np.concatenate([person.box[:2] * scale + matrix[:, 2], person.box[2:] * scale])
    return box.astype(np.float32), (person.landmarks * scale + matrix[:, 2]).astype(np.float32)


def paint_figure(rng: np.random.Generator, picture: np.ndarray, box: np.ndarray, shirt: np.ndarray,
                 skin: np.ndarray) -> None:
    """The body below a small face in `box` (4,), seen whole, in colours of 0 to 255, in place."""
    x, head = box[0] + box[2] / 2, box[3] * 1.25
    chin = box[1] + box[3]
    hip, foot = chin + 2.6 * head, chin + 6.0 * head
    trousers = np.clip(rng.uniform(20, 150) + rng.normal(0, 18, 3), 5, 240)
    for side in (-1, 1):
        stance = side * rng.uniform(0.3, 0.6)
        mould(picture, capsule((x + 0.35 * side * head, hip), (x + stance * head, foot), 0.42 * head, 0.26 * head),
              trousers, 0.15 * head)
        mould(picture, capsule((x + stance * head, foot), (x + (stance + 0.3 * side) * head, foot + 0.1 * head),
                               0.24 * head, 0.16 * head), (35, 28, 26), 0.1 * head)
        elbow = (x + side * rng.uniform(1.1, 1.5) * head, chin + 1.6 * head)
        hand = (x + side * rng.uniform(0.7, 1.7) * head, chin + rng.uniform(2.3, 2.9) * head)
        mould(picture, capsule((x + 0.75 * side * head, chin + 0.45 * head), elbow, 0.27 * head, 0.22 * head), shirt,
              0.12 * head)
        mould(picture, capsule(elbow, hand, 0.22 * head, 0.16 * head), shirt, 0.1 * head)
        mould(picture, capsule(hand, hand, 0.18 * head, 0.18 * head), skin, 0.1 * head)
    torso = [(x - 0.95 * head, chin + 0.35 * head), (x - 0.4 * head, chin + 0.1 * head),
             (x + 0.4 * head, chin + 0.1 * head), (x + 0.95 * head, chin + 0.35 * head), (x + 0.75 * head, hip),
             (x - 0.75 * head, hip)]
    mould(picture, np.array(torso), shirt, 0.25 * head)
