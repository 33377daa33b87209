"""What hides eyes or mouth in found pictures: sunglasses, hands, masks, cups, cigarettes, food, placed by landmarks.

Everything is laid out in a face's own frame: origin between the eyes, x along them, y down, the distance between the
eyes as unit. The mouth is then near (0, 1.06), the chin near (0, 1.7).
"""

from collections.abc import Callable

import numpy as np

from data.synthetic.raw.solid import capsule, coverage, ellipse, fill, mould, smooth


class Place:
    """Where a face's frame lies in a picture, by its landmarks (5, 2)."""

    def __init__(self, landmarks: np.ndarray):
        left, right, _, *corners = np.asarray(landmarks, np.float64)
        mouth = (corners[0] + corners[1]) / 2
        self.origin = (left + right) / 2
        level = right - left
        down = mouth - self.origin
        # A head turned away narrows between the eyes and keeps its length from eyes to mouth.
        self.unit = max(np.hypot(*level), np.hypot(*down) / 1.25)
        across = level / np.hypot(*level)
        self.axes = np.stack([across, (-across[1], across[0])])
        self.mouth = float(((mouth - self.origin) * self.axes[1]).sum() / self.unit)

    def __call__(self, points: np.ndarray | list) -> np.ndarray:
        """Points (N, 2) of the frame in pixels."""
        points = np.asarray(points, np.float64)
        return self.origin + self.unit * (points[:, :1] * self.axes[0] + points[:, 1:] * self.axes[1])


def cover(rng: np.random.Generator, picture: np.ndarray, landmarks: np.ndarray,
          kind: str | None = None) -> tuple[np.ndarray, str]:
    """`picture` (H, W, 3) uint8 with something before the eyes or the mouth of the face at `landmarks` (5, 2).

    Returns the covered picture and which of `COVERS` it was; `kind` asks for one.
    """
    kind = kind or str(rng.choice(list(COVERS)))
    covered = picture.astype(np.float32)
    COVERS[kind](rng, covered, Place(landmarks))
    return np.clip(covered + 0.5, 0, 255).astype(np.uint8), kind


def hidden(kind: str) -> str:
    """Which part a kind of cover hides: "eyes" or "mouth"."""
    return "eyes" if kind in ("sunglasses", "hand_on_eyes") else "mouth"


def _vary(rng: np.random.Generator, colour: tuple[float, ...], spread: float = 0.12) -> np.ndarray:
    return np.clip(np.array(colour) * rng.uniform(1 - spread, 1 + spread) + rng.normal(0, 5, 3), 3, 252)


def _skin(rng: np.random.Generator, picture: np.ndarray, place: Place) -> np.ndarray:
    """The colour of the face: the median of the bridge of the nose and both cheeks, a little varied."""
    spots = np.rint(place([(0, 0.25), (-0.45, 0.55), (0.45, 0.55)])).astype(int)
    radius = max(1, int(0.08 * place.unit))
    height, width = picture.shape[:2]
    patches = [picture[max(y - radius, 0):y + radius + 1, max(x - radius, 0):x + radius + 1].reshape(-1, 3)
               for x, y in spots if 0 <= x < width and 0 <= y < height]
    tone = np.median(np.concatenate(patches), axis=0) if patches else np.array([200, 160, 130])
    return np.clip(tone * rng.uniform(0.92, 1.05), 20, 245)


def _sunglasses(rng: np.random.Generator, picture: np.ndarray, place: Place) -> None:
    shapes = {
        "round": ellipse(0, 0.06, 0.40, 0.38),
        "aviator": smooth([(-0.38, -0.20), (0, -0.24), (0.40, -0.20), (0.42, 0.10), (0.18, 0.44), (-0.20, 0.40),
                           (-0.40, 0.08)]),
        "square": smooth([(-0.38, -0.22), (0, -0.25), (0.40, -0.24), (0.43, 0.05), (0.38, 0.33), (0, 0.36),
                          (-0.34, 0.33), (-0.40, 0.05)]),
        "cat": smooth([(-0.38, -0.12), (0.1, -0.24), (0.52, -0.32), (0.44, 0.05), (0.22, 0.32), (-0.16, 0.32),
                       (-0.38, 0.10)]),
    }
    lens = shapes[str(rng.choice(list(shapes)))] * rng.uniform(0.95, 1.15)
    dark = _vary(rng, [(12, 12, 14), (38, 22, 14), (16, 24, 40), (14, 30, 22)][rng.integers(4)])
    frame = _vary(rng, [(15, 15, 17), (90, 50, 25), (180, 150, 90), (150, 20, 30), (225, 225, 225)][rng.integers(5)])
    thick = rng.uniform(0.02, 0.05)
    for side in (-1, 1):
        here = (lens + (0.5, 0.0)) * (side, 1)
        centre = here.mean(axis=0)
        temple = np.array([(side * 0.9, -0.12 - thick), (side * 1.22, -0.08 - thick), (side * 1.22, -0.08 + thick),
                           (side * 0.9, -0.12 + thick)])
        fill(picture, place(temple), frame)
        fill(picture, place(centre + (here - centre) * (1 + 2.4 * thick)), frame)
        fill(picture, place(here), dark, rng.uniform(0.95, 1.0))
        window, mask = coverage(picture.shape, place(here))
        fade = np.linspace(1, 0, mask.shape[0], dtype=np.float32)[:, None]
        picture[window] += (mask * fade * rng.uniform(5, 40))[..., None]
        if rng.random() < 0.6:  # a window mirrored in the lens
            gleam = np.array([(-0.16, -0.16), (0.0, -0.18), (-0.1, 0.1), (-0.2, 0.1)]) + centre
            fill(picture, place(gleam), (235, 240, 245), rng.uniform(0.15, 0.5), 0.02 * place.unit)
    bridge = np.array([(-0.16, -0.10), (0, -0.15), (0.16, -0.10), (0.16, -0.04), (0, -0.09), (-0.16, -0.04)])
    fill(picture, place(bridge), frame)


def _hand(rng: np.random.Generator, picture: np.ndarray, place: Place, middle: tuple[float, float], side: int,
          size: float) -> None:
    """A hand that comes from one side, its four fingers lying over `middle`."""
    skin, unit = _skin(rng, picture, place), place.unit
    x, y = middle
    slope = rng.uniform(-0.35, 0.1)

    def at(along: float, across: float) -> tuple[float, float]:
        """Along the fingers towards their tips, and across them downwards."""
        return x + side * size * (-along - slope * across), y + size * (across - slope * along)

    wrist = [at(-2.4, 1.3), at(-1.2, 0.45)]
    mould(picture, place(capsule(*wrist, 0.42 * size, 0.40 * size)), 0.93 * skin, 0.12 * unit * size, 0.4, 0.06 * unit)
    palm = smooth([at(-1.3, -0.1), at(-0.8, -0.48), at(-0.25, -0.5), at(-0.15, 0.1), at(-0.25, 0.55), at(-0.9, 0.65),
                   at(-1.35, 0.5)])
    mould(picture, place(palm), 0.96 * skin, 0.10 * unit * size, 0.4, 0.06 * unit)
    thumb = capsule(at(-0.9, -0.35), at(-0.35, -0.85 - 0.2 * rng.random()), 0.19 * size, 0.14 * size)
    mould(picture, place(thumb), skin, 0.07 * unit * size, 0.45, 0.04 * unit)
    for finger, reach in enumerate((0.86, 1.0, 0.93, 0.72)):
        across = -0.42 + 0.285 * finger
        tip = at(reach * rng.uniform(0.92, 1.05) - 0.05, across + 0.02 * finger)
        limb = capsule(at(-0.5, across * 0.95), tip, 0.165 * size, 0.125 * size)
        mould(picture, place(limb), skin * rng.uniform(0.96, 1.04), 0.07 * unit * size, 0.5, 0.035 * unit)
        knuckle = at(0.35, across)
        fill(picture, place(ellipse(*knuckle, 0.03 * size, 0.09 * size)), 0.8 * skin, 0.35, 0.02 * unit)
        nail = ellipse(*(np.array(tip) + np.array([side * 0.02 * size, 0])), 0.07 * size, 0.055 * size)
        fill(picture, place(nail), np.minimum(1.12 * skin + 12, 250), 0.7, 0.01 * unit)


def _hand_on_mouth(rng: np.random.Generator, picture: np.ndarray, place: Place) -> None:
    side = int(rng.choice((-1, 1)))
    _hand(rng, picture, place, (side * rng.uniform(0.0, 0.1), place.mouth + rng.uniform(-0.02, 0.08)), side,
          rng.uniform(0.9, 1.1))


def _hand_on_eyes(rng: np.random.Generator, picture: np.ndarray, place: Place) -> None:
    if rng.random() < 0.5:  # both hands, one from each side
        for side in (-1, 1):
            _hand(rng, picture, place, (side * 0.62, 0.02), side, rng.uniform(0.72, 0.82))
    else:
        side = int(rng.choice((-1, 1)))
        _hand(rng, picture, place, (side * 0.05, 0.02), side, rng.uniform(1.15, 1.3))


def _mask(rng: np.random.Generator, picture: np.ndarray, place: Place) -> None:
    colour = _vary(rng, [(150, 195, 225), (235, 238, 240), (28, 28, 32), (120, 180, 150), (180, 60, 70)][
        rng.integers(5)])
    top, low = 0.42 * place.mouth, 1.66 * place.mouth
    for side in (-1, 1):
        for start, end in ((0.62 * place.mouth, 0.0), (1.25 * place.mouth, 0.38)):
            loop = np.array([(side * 0.85, start), (side * 1.16, end), (side * 1.16, end + 0.03),
                             (side * 0.85, start + 0.03)])
            fill(picture, place(loop), 0.9 * colour)
    half = [(0.22, top + 0.08), (0.62, top + 0.2), (0.98, top + 0.16), (0.95, 0.95 * place.mouth), (0.66, 0.86 * low),
            (0.3, low)]
    cloth = np.array([(0, top), *half, (0, low + 0.04), *((-x, y) for x, y in half[::-1])])
    mould(picture, place(smooth(cloth)), colour, 0.16 * place.unit, 0.4, 0.05 * place.unit)
    if rng.random() < 0.7:
        for share in (0.35, 0.5, 0.65):
            y = top + share * (low - top)
            pleat = np.array([(-0.85, y - 0.06), (0, y + 0.02), (0.85, y - 0.06), (0.85, y - 0.03), (0, y + 0.05),
                              (-0.85, y - 0.03)])
            fill(picture, place(pleat), 0.72 * colour, 0.6, 0.008 * place.unit)


def _cup(rng: np.random.Generator, picture: np.ndarray, place: Place) -> None:
    colour = _vary(rng, [(240, 240, 238), (200, 60, 50), (60, 100, 160), (70, 60, 55), (235, 200, 90)][rng.integers(5)])
    lift, unit = place.mouth - rng.uniform(0.22, 0.32), place.unit
    wide, tall = rng.uniform(0.48, 0.6), rng.uniform(0.9, 1.15)
    side, narrow = int(rng.choice((-1, 1))), rng.uniform(0.75, 1.0)
    handle = ellipse(-side * (wide + 0.1), lift + 0.5 * tall, 0.2, 0.28)
    mould(picture, place(handle), 0.9 * colour, 0.05 * unit, 0.4)
    body = [(-wide, lift), (wide, lift), (narrow * wide, lift + tall), (-narrow * wide, lift + tall)]
    mould(picture, place(body), colour, 0.16 * unit, 0.5, 0.06 * unit)
    fill(picture, place(ellipse(0, lift, wide, 0.11)), 0.9 * colour)
    fill(picture, place(ellipse(0, lift, 0.9 * wide, 0.08)), 0.45 * colour)
    band = [(-0.97 * wide, lift + 0.3), (0.97 * wide, lift + 0.3), (0.95 * wide, lift + 0.42),
            (-0.95 * wide, lift + 0.42)]
    fill(picture, place(band), _vary(rng, tuple(255 - colour)), 0.8)
    skin = _skin(rng, picture, place)
    for finger in range(4):
        y = lift + 0.34 + 0.2 * finger
        limb = capsule((side * (wide + 0.35), y + 0.05), (side * (0.25 + 0.05 * finger), y), 0.12, 0.1)
        mould(picture, place(limb), skin * rng.uniform(0.95, 1.03), 0.06 * unit, 0.5, 0.03 * unit)
    palm = capsule((side * (wide + 0.6), lift + 1.9), (side * (wide + 0.3), lift + 0.6), 0.4, 0.3)
    mould(picture, place(palm), 0.95 * skin, 0.12 * unit, 0.4)


def _cigarette(rng: np.random.Generator, picture: np.ndarray, place: Place) -> None:
    """A cigarette held to the mouth between two fingers, whose hand hides the lips; smoke rises."""
    side = int(rng.choice((-1, 1)))
    lips = np.array([-0.1 * side, place.mouth])
    tip = lips + (side * -0.75, 0.28)
    _hand(rng, picture, place, (side * 0.02, place.mouth + 0.1), side, rng.uniform(0.9, 1.0))
    mould(picture, place(capsule(lips, tip, 0.055, 0.055)), (244, 240, 232), 0.03 * place.unit, 0.4, 0.03 * place.unit)
    mould(picture, place(capsule(lips, lips + 0.3 * (tip - lips), 0.057, 0.057)), (214, 150, 84), 0.03 * place.unit)
    fill(picture, place(ellipse(*tip, 0.06, 0.06)), (225, 90, 35))
    rise = tip + np.cumsum(rng.normal(0, 0.12, (7, 2)) * (1, 0.3) + (0, -0.3), axis=0)
    for number, puff in enumerate(rise):
        fill(picture, place(ellipse(*puff, 0.07 + 0.04 * number, 0.2)), (225, 225, 228), 0.30, 0.08 * place.unit)


def _food(rng: np.random.Generator, picture: np.ndarray, place: Place) -> None:
    x, y, unit = rng.uniform(-0.06, 0.06), place.mouth + 0.06, place.unit
    kind = rng.integers(4)
    if kind == 0:  # a burger
        bun = _vary(rng, (196, 134, 66))
        mould(picture, place(smooth([(x - 0.72, y - 0.06), (x - 0.5, y - 0.42), (x, y - 0.52), (x + 0.5, y - 0.42),
                                     (x + 0.72, y - 0.06)])), bun, 0.14 * unit, 0.45, 0.06 * unit)
        mould(picture, place(ellipse(x, y + 0.02, 0.76, 0.13)), (110, 160, 60), 0.04 * unit)
        mould(picture, place(ellipse(x, y + 0.13, 0.72, 0.14)), (84, 48, 30), 0.05 * unit)
        mould(picture, place(ellipse(x, y + 0.32, 0.68, 0.2)), bun, 0.12 * unit)
    elif kind == 1:  # an apple
        colour = _vary(rng, [(186, 34, 36), (132, 170, 50), (215, 170, 60)][rng.integers(3)])
        mould(picture, place(ellipse(x, y + 0.08, 0.55, 0.5)), colour, 0.2 * unit, 0.55, 0.06 * unit)
        fill(picture, place(ellipse(x - 0.2, y - 0.15, 0.1, 0.07)), (255, 240, 235), 0.6, 0.03 * unit)
    elif kind == 2:  # a slice of melon or pizza, tip upwards
        rind, flesh = ((60, 120, 50), (220, 60, 60)) if rng.random() < 0.5 else ((176, 116, 60), (236, 190, 84))
        mould(picture, place([(x - 0.78, y + 0.56), (x, y - 0.8), (x + 0.78, y + 0.56)]), _vary(rng, rind), 0.05 * unit,
              0.3, 0.06 * unit)
        inner = [(x - 0.68, y + 0.44), (x, y - 0.72), (x + 0.68, y + 0.44)]
        mould(picture, place(inner), _vary(rng, flesh), 0.04 * unit)
        for _ in range(6):
            spot = x + rng.uniform(-0.25, 0.25), y + rng.uniform(0.0, 0.4)
            fill(picture, place(ellipse(*spot, 0.05, 0.05)), _vary(rng, (70, 25, 20)))
    else:  # a doughnut
        dough = _vary(rng, (190, 130, 70))
        mould(picture, place(ellipse(x, y + 0.05, 0.58, 0.55)), dough, 0.12 * unit, 0.4, 0.06 * unit)
        icing = _vary(rng, [(236, 150, 190), (90, 50, 34), (245, 240, 230)][rng.integers(3)])
        mould(picture, place(ellipse(x, y + 0.02, 0.5, 0.46)), icing, 0.1 * unit)
        fill(picture, place(ellipse(x, y + 0.05, 0.13, 0.12)), (60, 35, 25))
    skin = _skin(rng, picture, place)
    for side in (-1, 1):
        for finger in range(3):
            limb = capsule((side * 1.0, y + 0.62 + 0.16 * finger), (side * 0.5, y + 0.14 + 0.17 * finger), 0.13, 0.1)
            mould(picture, place(limb), skin, 0.06 * unit, 0.5, 0.03 * unit)


COVERS: dict[str, Callable[[np.random.Generator, np.ndarray, Place], None]] = {
    "sunglasses": _sunglasses, "hand_on_mouth": _hand_on_mouth, "hand_on_eyes": _hand_on_eyes, "mask": _mask,
    "cup": _cup, "cigarette": _cigarette, "food": _food,
}
