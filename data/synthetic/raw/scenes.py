"""Places and things without a face: rooms, landscapes, animals, food, objects, patterns.

Each is a picture (H, W, 3) float32 of 0 to 255, drawn on a small sheet and as sharp as that; `backdrop` gives those
that people stand before.
"""

from collections.abc import Callable

import cv2
import numpy as np

from data.synthetic.raw.solid import ellipse, fill, mould, rectangle, smooth


def _noise(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> np.ndarray:
    """(H, W) smooth noise of about deviation 1, `cells` across."""
    small = rng.standard_normal((max(2, cells), max(2, cells)), dtype=np.float32)
    return cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)


def _colour(rng: np.random.Generator, low: float = 30, high: float = 225, spread: float = 35) -> np.ndarray:
    return np.clip(rng.uniform(low, high) + rng.normal(0, spread, 3), 4, 250).astype(np.float32)


def _gradient(rng: np.random.Generator, shape: tuple[int, int], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    share = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None, None]
    sheet = np.broadcast_to(first + share * (second - first), (*shape, 3)).astype(np.float32)
    return sheet * (1 + 0.05 * _noise(rng, shape, 5))[..., None]


def room(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A wall with window, pictures or shelf, a floor, furniture."""
    height, width = shape
    wall = _colour(rng, 90, 225, 18)
    sheet = _gradient(rng, shape, wall, 0.85 * wall)
    floor = rng.uniform(0.66, 0.85) * height
    if rng.random() < 0.35:  # stripes of a wallpaper
        stripes = np.arange(width) // max(3, width // int(rng.integers(10, 24))) % 2
        sheet *= (1 - 0.08 * stripes.astype(np.float32))[None, :, None]
    boards = np.linspace(0.75, 1.1, height - int(floor), dtype=np.float32)[:, None, None]
    sheet[int(floor):] = _colour(rng, 60, 170, 25) * boards
    for _ in range(rng.integers(1, 4)):
        wide, high = rng.uniform(0.14, 0.34) * width, rng.uniform(0.18, 0.4) * height
        x, y = rng.uniform(0, width - wide), rng.uniform(0.03, 0.3) * height
        frame = rectangle(x, y, wide, high)
        middle = frame.mean(axis=0)
        mould(sheet, frame, _colour(rng), 0.02 * width, 0.3, 0.015 * width)
        fill(sheet, middle + 0.86 * (frame - middle), _colour(rng, 130, 245, 25))
        fill(sheet, rectangle(middle[0] - 2, y, 4, high), _colour(rng), 0.8)
    for _ in range(rng.integers(1, 4)):
        wide, high = rng.uniform(0.2, 0.45) * width, rng.uniform(0.15, 0.4) * height
        x, low = rng.uniform(-0.1, 0.8) * width, floor + rng.uniform(0.0, 0.2) * height
        colour = _colour(rng)
        mould(sheet, rectangle(x, low - high, wide, high), colour, 0.03 * width, 0.35, 0.03 * width)
        for number in range(rng.integers(0, 4)):
            shelf = low - high * (number + 0.5) / 4
            fill(sheet, rectangle(x, shelf, wide, 2), 0.6 * colour)
    return sheet


def landscape(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Sky with clouds, hills or a skyline, ground, trees."""
    height, width = shape
    sky = np.array([(110, 165, 225), (225, 150, 110), (170, 185, 200)][rng.integers(3)], np.float32)
    sheet = _gradient(rng, shape, sky, 0.4 * sky + 140)
    clouds = np.clip(_noise(rng, shape, 6) * 0.7 + _noise(rng, shape, 16) * 0.4, 0, 1)[..., None]
    sheet += 0.6 * clouds * (250 - sheet)
    horizon = rng.uniform(0.4, 0.7) * height
    if rng.random() < 0.4:
        x = 0.0
        while x < width:
            wide, high = rng.uniform(0.07, 0.17) * width, rng.uniform(0.12, 0.4) * height
            colour = _colour(rng, 70, 180, 15)
            fill(sheet, rectangle(x, horizon - high, wide, height - horizon + high), colour)
            for row in np.arange(horizon - high + 5, horizon, 9):
                for column in np.arange(x + 3, x + wide - 4, 8):
                    fill(sheet, rectangle(column, row, 4, 5), colour * 0.55 if rng.random() < 0.7 else (245, 225, 150))
            x += wide
    else:
        for layer in range(3):
            level = horizon + 0.08 * layer * height
            ridge = level - height * 0.16 * np.abs(_noise(rng, (2, 12), 5)[0])
            line = np.column_stack([np.linspace(-5, width + 5, 12), ridge])
            hill = np.concatenate([line, [(width + 5, height + 5), (-5, height + 5)]])
            fill(sheet, hill, np.array([(95, 120, 140), (80, 120, 85), (95, 135, 60)][layer]) * rng.uniform(0.8, 1.15))
    ground = np.array([(95, 130, 60), (200, 180, 135), (110, 110, 112), (60, 110, 150)][rng.integers(4)], np.float32)
    low = int(horizon + 0.14 * height)
    rough = 1 + 0.10 * _noise(rng, (height - low, width), 40) + 0.10 * _noise(rng, (height - low, width), 9)
    sheet[low:] = ground * rough[..., None]
    for _ in range(rng.integers(0, 5)):
        x, foot, size = rng.uniform(0, width), low + rng.uniform(0, 0.2) * height, rng.uniform(0.08, 0.22) * height
        trunk = np.array([(x - 0.07 * size, foot - size), (x + 0.07 * size, foot - size), (x + 0.1 * size, foot),
                          (x - 0.1 * size, foot)])
        fill(sheet, trunk, (80, 58, 40))
        leaves = np.array([40, 95, 40]) * rng.uniform(0.7, 1.4)
        for _ in range(6):
            puff = rng.normal(0, 0.28 * size, 2) + (x, foot - 1.25 * size)
            mould(sheet, ellipse(*puff, 0.42 * size, 0.36 * size), leaves * rng.uniform(0.85, 1.15), 0.12 * size)
    return sheet


def animal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A four-legged or feathered body seen from the side, its small head without a human face."""
    sheet = landscape(rng, shape) if rng.random() < 0.6 else room(rng, shape)
    height, width = shape
    unit, facing = 0.2 * min(shape) * rng.uniform(0.8, 1.4), int(rng.choice((-1, 1)))
    middle = rng.uniform(0.4, 0.6) * width, rng.uniform(0.55, 0.68) * height

    def at(points: np.ndarray | list[tuple[float, float]]) -> np.ndarray:
        """Points in the animal's frame, x forwards and y down, in pixels."""
        return np.asarray(points) * (facing * unit, unit) + middle

    creature = _bird if rng.random() < 0.35 else _beast
    creature(sheet, at, unit, _colour(rng, 30, 210, 22), 0.10 * _noise(rng, shape, 60))
    return sheet


Frame = Callable[[np.ndarray | list[tuple[float, float]]], np.ndarray]


def _bird(sheet: np.ndarray, at: Frame, unit: float, coat: np.ndarray, plumage: np.ndarray) -> None:
    body = smooth([(-1.5, 0.2), (-0.5, -0.5), (0.6, -0.5), (0.7, 0.2), (0.0, 0.6)])
    mould(sheet, at(body), coat, 0.2 * unit, 0.5, grain=plumage)
    mould(sheet, at(ellipse(0.75, -0.75, 0.36, 0.34)), 0.9 * coat, 0.12 * unit, 0.5, grain=plumage)
    mould(sheet, at([(1.03, -0.83), (1.55, -0.69), (1.03, -0.59)]), (225, 160, 40), 0.05 * unit)
    mould(sheet, at(smooth([(-0.9, 0.0), (0.0, -0.35), (0.4, 0.0), (-0.2, 0.3)])), 0.7 * coat, 0.1 * unit, 0.5)
    for leg in (-0.15, 0.2):
        fill(sheet, at(rectangle(leg, 0.5, 0.07, 0.6)), (90, 70, 30))
    fill(sheet, at(ellipse(0.87, -0.85, 0.06, 0.06)), (15, 12, 10))


def _beast(sheet: np.ndarray, at: Frame, unit: float, coat: np.ndarray, fur: np.ndarray) -> None:
    for leg in (-1.1, -0.8, 0.8, 1.1):
        shank = [(leg - 0.16, 0), (leg + 0.16, 0), (leg + 0.12, 1.5), (leg - 0.12, 1.5)]
        mould(sheet, at(shank), 0.8 * coat, 0.08 * unit, 0.4)
    mould(sheet, at(ellipse(0, 0, 1.45, 0.7)), coat, 0.25 * unit, 0.5, grain=fur)
    mould(sheet, at(smooth([(-1.3, -0.3), (-2.1, -1.0), (-1.9, -0.8), (-1.3, 0.0)])), coat, 0.06 * unit)
    for ear in (1.4, 1.85):
        mould(sheet, at([(ear - 0.16, -1.05), (ear, -1.6), (ear + 0.18, -1.05)]), 0.8 * coat, 0.06 * unit)
    mould(sheet, at(ellipse(1.6, -0.75, 0.52, 0.45)), coat, 0.15 * unit, 0.5, grain=fur)
    mould(sheet, at(ellipse(2.1, -0.61, 0.36, 0.22)), coat, 0.08 * unit, 0.45)
    fill(sheet, at(ellipse(2.42, -0.67, 0.09, 0.07)), (25, 20, 20))
    fill(sheet, at(ellipse(1.72, -0.85, 0.06, 0.06)), (15, 12, 10))


def food(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A plate on a table, with heaps of something."""
    height, width = shape
    table = _colour(rng, 60, 220, 25)
    sheet = _gradient(rng, shape, table, 0.8 * table)
    rows = 1 + 0.06 * _noise(rng, (height, 4), 30)[:, :1]
    sheet *= rows[..., None]
    x, y, radius = rng.uniform(0.42, 0.58) * width, rng.uniform(0.45, 0.6) * height, 0.40 * min(shape)
    squash = rng.uniform(0.55, 1.0)
    mould(sheet, ellipse(x, y, radius, squash * radius), (240, 240, 236), 0.06 * radius, 0.3, 0.06 * radius)
    mould(sheet, ellipse(x, y, 0.72 * radius, 0.72 * squash * radius), (232, 232, 228), 0.05 * radius, 0.25)
    for _ in range(rng.integers(1, 4)):
        colour, size = _colour(rng, 60, 220, 60), rng.uniform(0.08, 0.26) * radius
        for _ in range(rng.integers(4, 16)):
            angle, away = rng.uniform(0, 2 * np.pi), 0.5 * radius * np.sqrt(rng.random())
            piece = x + away * np.cos(angle), y + squash * away * np.sin(angle)
            mould(sheet, ellipse(*piece, size, size * rng.uniform(0.5, 1), rng.uniform(0, 3)),
                  np.clip(colour * rng.uniform(0.85, 1.15), 5, 250), 0.3 * size, 0.5, 0.1 * size)
    return sheet


def things(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Boxes, balls and bottles on a surface."""
    height, width = shape
    sheet = _gradient(rng, shape, _colour(rng, 80, 230, 15), _colour(rng, 60, 200, 15))
    sheet[int(0.7 * height):] *= 0.8
    for _ in range(rng.integers(2, 6)):
        size, colour = rng.uniform(0.08, 0.2) * min(shape), _colour(rng, 40, 220, 50)
        x, y = rng.uniform(0.15, 0.85) * width, rng.uniform(0.55, 0.85) * height
        kind = rng.integers(3)
        if kind == 0:
            mould(sheet, ellipse(x, y - size, size, size), colour, 0.4 * size, 0.55, 0.15 * size)
        elif kind == 1:
            mould(sheet, rectangle(-1, -1.2, 2, 1.2) * size + (x, y), colour, 0.06 * size, 0.3, 0.15 * size)
            top = np.array([(-1, -1.2), (-0.6, -1.6), (1.4, -1.6), (1, -1.2)]) * size + (x, y)
            fill(sheet, top, np.clip(1.2 * colour, 0, 255))
            fill(sheet, np.array([(1, -1.2), (1.4, -1.6), (1.4, -0.35), (1, 0)]) * size + (x, y), 0.65 * colour)
        else:
            bottle = np.array([(-0.5, 0), (-0.5, -1.6), (-0.18, -2.1), (-0.18, -2.7), (0.18, -2.7), (0.18, -2.1),
                               (0.5, -1.6), (0.5, 0)]) * size + (x, y)
            mould(sheet, bottle, colour, 0.2 * size, 0.55, 0.1 * size)
            fill(sheet, rectangle(-0.5, -1.2, 1, 0.8) * size + (x, y), _colour(rng))
    return sheet


def pattern(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Bricks, checks, dots, marble, or a chart's bars."""
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    first, second = _colour(rng), _colour(rng)
    cell, kind = rng.uniform(0.05, 0.15) * min(shape), rng.integers(4)
    if kind == 0:
        row = np.floor(y / cell)
        joint = ((x + row % 2 * cell) % (2 * cell) < 0.1 * cell) | (y % cell < 0.12 * cell)
        share = np.where(joint, 1, 0.12 * _noise(rng, shape, 24))
    elif kind == 1:
        share = (np.floor(x / cell) + np.floor(y / cell)) % 2
    elif kind == 2:
        share = np.clip(0.32 * cell - np.hypot(x % cell - cell / 2, y % cell - cell / 2) + 0.5, 0, 1)
    else:
        wave = x / cell + 1.5 * _noise(rng, shape, 5) + 0.5 * _noise(rng, shape, 14)
        share = 0.5 + 0.5 * np.sin(wave * rng.uniform(0.6, 1.4))
    return first + np.asarray(share, np.float32)[..., None] * (second - first)


EMPTY: tuple[Callable[[np.random.Generator, tuple[int, int]], np.ndarray], ...] = (
    room, landscape, animal, food, things, pattern)


def empty(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A picture (H, W, 3) float32 without a face."""
    return EMPTY[rng.integers(len(EMPTY))](rng, shape)


def backdrop(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) float32 to stand people before, out of focus as it is behind a portrait."""
    sheet = (room, landscape, pattern)[rng.choice(3, p=(0.5, 0.38, 0.12))](rng, shape)
    return cv2.GaussianBlur(sheet, (0, 0), rng.uniform(0.006, 0.03) * max(shape))
