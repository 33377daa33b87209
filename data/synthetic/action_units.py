"""Facial action units: which make an expression (EMFACS, Friesen & Ekman 1983) and what each one moves (FACS, 2002).

An action-unit vector has one value in [0, 1] for each unit of `ACTION_UNITS`, in that order: 0 is relaxed, 1 is
OpenFace's intensity 5. A *motion* is what the muscles do to the face as a whole; it is linear in the vector.
"""

import numpy as np

from data.faceset import ACTION_UNITS, EXPRESSIONS

# Each expression is one of several mixtures {unit: intensity at full strength}; people do not all show the same one.
MIXTURES: dict[str, tuple[dict[int, float], ...]] = {
    "angry": (
        {4: 1.0, 5: 0.45, 7: 0.8, 23: 0.9, 17: 0.4},
        {4: 0.95, 5: 0.6, 7: 0.6, 23: 0.7, 10: 0.25, 25: 0.5},
        {4: 1.0, 5: 0.3, 7: 0.8, 23: 0.8, 15: 0.35},
    ),
    "disgust": (
        {9: 0.95, 10: 0.8, 17: 0.45, 4: 0.3, 7: 0.35},
        {9: 0.9, 10: 0.9, 25: 0.45, 6: 0.4, 15: 0.3},
        {9: 1.0, 10: 0.7, 15: 0.4, 17: 0.5, 7: 0.5},
    ),
    "fear": (
        {1: 0.95, 2: 0.45, 4: 0.55, 5: 0.95, 20: 0.9, 25: 0.6},
        {1: 0.9, 2: 0.3, 4: 0.65, 5: 0.9, 20: 0.95, 25: 0.75, 26: 0.25},
    ),
    "happy": (
        {6: 0.8, 12: 0.95, 25: 0.7},
        {6: 0.7, 12: 0.85, 14: 0.2},
        {6: 0.95, 12: 1.0, 25: 0.9, 26: 0.35, 7: 0.2},
    ),
    "sad": (
        {1: 0.95, 4: 0.5, 15: 0.95, 17: 0.4},
        {1: 0.85, 4: 0.55, 15: 0.85, 17: 0.7, 7: 0.3},
        {1: 0.9, 15: 1.0, 6: 0.2, 45: 0.25},
    ),
    "surprise": (
        {1: 0.95, 2: 0.95, 5: 0.75, 25: 0.8, 26: 0.95},
        {1: 0.9, 2: 1.0, 5: 0.9, 25: 0.6, 26: 0.7},
    ),
    "neutral": ({},),
}

# What one unit at full intensity moves. Lengths are in half face widths (about 7 cm); "up" is towards the crown,
# "in" towards the midline. Folds and bulges are strengths in [0, 1]. Units that share a motion add.
MOTIONS: dict[int, dict[str, float]] = {
    1: {"brow_inner_up": 0.17, "forehead_centre": 1.0, "lid_up": 0.01},
    2: {"brow_outer_up": 0.17, "forehead_side": 1.0, "lid_up": 0.01},
    4: {"brow_inner_up": -0.13, "brow_outer_up": -0.04, "brow_in": 0.08, "frown": 1.0},
    5: {"lid_up": 0.075},
    6: {"cheek": 1.0, "lower_lid_up": 0.04, "crow_feet": 1.0, "pouch": 0.7},
    7: {"lower_lid_up": 0.045, "lid_up": -0.04, "pouch": 0.5},
    9: {"nose_wrinkle": 1.0, "wing_up": 0.07, "brow_inner_up": -0.07, "brow_in": 0.02, "lip_raise": 0.05,
        "nasolabial": 0.6, "lower_lid_up": 0.02},
    10: {"lip_raise": 0.10, "wing_up": 0.03, "nasolabial": 1.0},
    12: {"corner_up": 0.15, "corner_out": 0.13, "nasolabial": 0.8, "cheek": 0.5},
    14: {"dimple": 1.0, "corner_out": -0.03, "corner_up": 0.02},
    15: {"corner_up": -0.15, "corner_out": 0.02, "corner_fold": 1.0},
    17: {"chin_up": 1.0},
    20: {"corner_out": 0.15, "corner_up": -0.03, "lip_stretch": 1.0},
    23: {"lip_tighten": 1.0, "corner_out": -0.05},
    25: {"lips_part": 1.0},
    26: {"jaw_drop": 1.0},
    45: {"blink": 1.0},
}

_NAMES = tuple(dict.fromkeys(name for motion in MOTIONS.values() for name in motion))
_MATRIX = np.array([[MOTIONS[unit].get(name, 0.0) for name in _NAMES] for unit in ACTION_UNITS])


def vector(units: dict[int, float]) -> np.ndarray:
    """The (17,) action-unit vector of `{unit: intensity}`; units not named are 0.

    Raises ValueError for a unit outside `ACTION_UNITS` or an intensity outside [0, 1].
    """
    result = np.zeros(len(ACTION_UNITS))
    for unit, intensity in units.items():
        if unit not in ACTION_UNITS:
            raise ValueError(f"action unit {unit} is not one of {ACTION_UNITS}")
        result[ACTION_UNITS.index(unit)] = intensity
    check(result)
    return result


def check(action_units: np.ndarray) -> None:
    """Raises ValueError unless `action_units` are 17 intensities in [0, 1]; names the first unit that is not."""
    values = np.asarray(action_units)
    if values.shape != (len(ACTION_UNITS),):
        raise ValueError(f"expected {len(ACTION_UNITS)} action units {ACTION_UNITS}, got shape {values.shape}")
    outside = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if len(outside):
        raise ValueError(f"action unit {ACTION_UNITS[outside[0]]}: intensity {values[outside[0]]} is outside [0, 1]")


def motion(action_units: np.ndarray) -> dict[str, float]:
    """What a (17,) action-unit vector moves: the value of every motion named in `MOTIONS`."""
    return dict(zip(_NAMES, np.einsum("u,um->m", np.asarray(action_units, np.float64), _MATRIX).tolist()))


def express(rng: np.random.Generator, expression: str, style: np.ndarray) -> np.ndarray:
    """Draws the (17,) action units, float32 in [0, 1], of one person showing one expression once.

    `style` (17,) scales each unit for this person. The strength of the whole expression, every unit, and a little
    unrelated tension vary from picture to picture; neutral is that tension alone.
    """
    if expression not in MIXTURES:
        raise ValueError(f"unknown expression {expression!r}; expected one of {EXPRESSIONS}")
    mixture = MIXTURES[expression][rng.integers(len(MIXTURES[expression]))]
    strength = rng.uniform(0.65, 1.0) * np.clip(rng.normal(1.0, 0.12, len(ACTION_UNITS)), 0.7, 1.3)
    tension = rng.uniform(0.0, 0.12, len(ACTION_UNITS)) * (rng.random(len(ACTION_UNITS)) < 0.25)
    return np.clip(vector(mixture) * strength * style + tension, 0.0, 1.0).astype(np.float32)
