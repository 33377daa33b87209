"""Who a drawn person is: the shape of the face, skin, hair, beard and glasses, kept over many pictures."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from data.faceset import ACTION_UNITS, GENDERS

Colour = tuple[float, float, float]  # red, green, blue in [0, 1]

SKINS = np.array([(250, 222, 202), (241, 202, 174), (226, 178, 143), (203, 149, 110), (165, 112, 78), (124, 79, 54),
                  (88, 57, 42)]) / 255
HAIRS = np.array([(34, 27, 25), (58, 40, 30), (92, 62, 40), (128, 92, 58), (186, 150, 102), (134, 74, 46)]) / 255
FAIR_HAIRS, DARK_HAIRS = (0.15, 0.22, 0.22, 0.18, 0.15, 0.08), (0.55, 0.3, 0.15, 0, 0, 0)  # with fair and dark skin
IRISES = np.array([(74, 46, 28), (108, 72, 40), (104, 112, 62), (82, 118, 152), (108, 124, 134)]) / 255


@dataclass(frozen=True)
class Cut:
    """A hair cut, in half face widths from the middle between the eyes (y down), or strengths in [0, 1]."""

    top: float = 0.14  # thickness over the crown
    side: float = 0.08  # thickness beside the skull
    length: float = 0.05  # y where the hair at the sides ends
    lock: float = 0.93  # x of the inner edge of the hair beside the cheeks
    hairline: float = -0.94  # y of the hairline in the middle
    sweep: float = 0.0  # how far the hairline falls to one side
    temples: float = 0.08  # how far the hairline recedes at the temples
    curl: float = 0.1
    density: float = 1.0


CUTS: dict[str, Cut] = {
    "bald": Cut(density=0.0),
    "buzz": Cut(top=0.02, side=0.015, length=0.0, hairline=-0.94, temples=0.12, density=0.75),
    "short": Cut(),
    "quiff": Cut(top=0.22, side=0.05, hairline=-0.94, temples=0.12, curl=0.2),
    "side": Cut(top=0.18, side=0.09, hairline=-0.93, sweep=0.22, temples=0.02),
    "receding": Cut(top=0.07, side=0.07, hairline=-1.18, temples=0.16),
    "afro": Cut(top=0.42, side=0.36, length=0.6, lock=1.0, hairline=-0.94, temples=0.0, curl=1.0),
    "curly": Cut(top=0.28, side=0.24, length=0.75, lock=0.9, hairline=-0.88, sweep=0.1, curl=0.85),
    "fringe": Cut(top=0.16, side=0.16, length=0.95, lock=0.88, hairline=-0.56, temples=-0.1),
    "bob": Cut(top=0.17, side=0.2, length=1.15, lock=0.86, hairline=-0.9, sweep=0.25, temples=-0.05),
    "long": Cut(top=0.15, side=0.2, length=2.3, lock=0.9, hairline=-1.02, sweep=0.1, temples=-0.16),
    "waves": Cut(top=0.2, side=0.3, length=2.2, lock=0.92, hairline=-1.0, sweep=0.2, temples=-0.1, curl=0.6),
    "tied": Cut(top=0.1, side=0.03, length=0.0, hairline=-0.94, temples=0.05),
}
# How often each gender (columns: woman, man) wears a cut: correlated, never certain.
CUT_WEIGHTS = {"bald": (0.2, 2), "buzz": (0.3, 3), "short": (1, 4), "quiff": (0.3, 2.5), "side": (0.6, 3),
               "receding": (0.1, 2), "afro": (1, 1), "curly": (2, 0.7), "fringe": (2.5, 0.4), "bob": (3, 0.2),
               "long": (4, 0.4), "waves": (3, 0.3), "tied": (2.5, 0.4)}
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
GREY = np.array([0.66, 0.65, 0.64])
YEARS = 57  # between ages 0 and 1


@dataclass(frozen=True)
class Identity:
    """A drawn person. Factors are relative to the average face (1.0), lengths in half face widths."""

    gender: int = 0  # index into GENDERS
    age: float = 0.3  # in the picture; 0 is about 18 years, 1 about 75: deeper folds, greyer hair
    skin: Colour = tuple(SKINS[1].tolist())
    flush: float = 0.5  # redness of cheeks, nose and ears
    length: float = 1.0
    jaw: float = 1.0  # width at the angle of the jaw
    chin: float = 1.0  # width of the chin
    eye_size: float = 1.0
    eye_gap: float = 0.0  # how much farther apart than average
    eye_slant: float = 0.0  # outer corners up
    iris: Colour = tuple(IRISES[0].tolist())
    lashes: float = 0.5
    brow_height: float = 0.0
    brow_thickness: float = 1.0
    brow_arch: float = 1.0
    nose_length: float = 1.0
    nose_width: float = 1.0
    nose_height: float = 1.0  # how far it stands out
    mouth_width: float = 1.0
    lips: float = 1.0  # fullness
    lipstick: float = 0.0
    asymmetry: float = 0.0  # right side of the picture higher than the left
    hair: Colour = tuple(HAIRS[1].tolist())  # without the grey in it
    greying: float = 0.0  # how much more grey than others have at this age
    balding: float = 0.0  # how far the hairline recedes from age 0 to 1
    cut: Cut = CUTS["short"]
    parting: float = 0.2  # x of the crown's parting
    beard: str = "none"
    glasses: bool = False
    frame: Colour = (0.1, 0.1, 0.12)
    shirt: Colour = (0.3, 0.4, 0.5)
    freckles: float = 0.0
    texture: int = 0  # which part of the noise this person's skin and hair are cut from
    style: tuple[float, ...] = field(default=(1.0,) * len(ACTION_UNITS))  # gain of each action unit

    @cached_property
    def hair_colour(self) -> Colour:
        """The colour of the hair with what has gone grey at this age."""
        grey = min(max((self.age - 0.5) * 2.2 + self.greying, 0.0), 0.9)
        return _colour(np.array(self.hair) * (1 - grey) + GREY * grey)


def sample_identity(rng: np.random.Generator) -> Identity:
    """Draws a person. Gender is a fair coin; what goes with it is likelier for one than the other, not certain."""
    gender = int(rng.integers(len(GENDERS)))
    man = float(gender)
    age = float(rng.beta(1.6, 2.2))

    def around(mean: float, spread: float) -> float:
        return float(np.clip(rng.normal(mean, spread), mean - 2 * spread, mean + 2 * spread))

    tone = rng.uniform(0, len(SKINS) - 1)
    skin = _between(SKINS, tone) * rng.uniform(0.96, 1.03) * (1 + rng.normal(0, 0.012, 3))
    dark = tone / (len(SKINS) - 1)
    shares = DARK_HAIRS if dark > 0.5 else FAIR_HAIRS
    natural = HAIRS[rng.choice(len(HAIRS), p=shares)]
    greying, hair = float(rng.normal(0, 0.25)), natural * rng.uniform(0.8, 1.15)
    eyes = IRISES[rng.integers(2 if dark > 0.45 else len(IRISES))] * rng.uniform(0.85, 1.15)
    weights = np.array([weight[gender] for weight in CUT_WEIGHTS.values()])
    cut = CUTS[list(CUTS)[rng.choice(len(weights), p=weights / weights.sum())]]
    beard = BEARDS[rng.choice(len(BEARDS), p=(0.42, 0.22, 0.08, 0.1, 0.18))] if man else "none"
    made_up = rng.random() < (0.03 if man else 0.55)
    return Identity(
        gender=gender, age=age, skin=_colour(skin), flush=float(rng.uniform(0.2, 1.0) * (1 - 0.6 * dark)),
        length=around(1.0 + 0.02 * man, 0.035), jaw=around(0.93 + 0.09 * man, 0.035),
        chin=around(0.87 + 0.21 * man, 0.08),
        eye_size=around(1.08 - 0.11 * man, 0.06), eye_gap=around(0, 0.018), eye_slant=around(0.01, 0.018),
        iris=_colour(eyes), lashes=float(np.clip(rng.normal(0.75 - 0.45 * man, 0.15) + 0.2 * made_up, 0, 1)),
        brow_height=around(0.025 - 0.035 * man, 0.018), brow_thickness=around(0.85 + 0.35 * man, 0.15),
        brow_arch=around(1.2 - 0.5 * man, 0.35), nose_length=around(1.0 + 0.02 * man, 0.05),
        nose_width=around(0.92 + 0.11 * man + 0.12 * dark, 0.08), nose_height=around(0.92 + 0.14 * man, 0.1),
        mouth_width=around(1.0, 0.06), lips=around(1.08 - 0.2 * man + 0.2 * dark, 0.14),
        lipstick=float(made_up * rng.uniform(0.3, 0.9)), asymmetry=around(0, 0.006), hair=_colour(hair), cut=cut,
        greying=greying, balding=max(0.0, around(0.02 + 0.14 * man, 0.10)),
        parting=float(rng.choice((-1, 1)) * rng.uniform(0.1, 0.4)), beard=beard, glasses=bool(rng.random() < 0.16),
        frame=_colour(rng.choice(((0.08, 0.08, 0.09), (0.3, 0.17, 0.1), (0.55, 0.5, 0.42), (0.35, 0.08, 0.1)))),
        shirt=_colour(rng.uniform(0.12, 0.85) + rng.normal(0, 0.13, 3)),
        freckles=float(max(0.0, rng.normal(-0.2, 0.5)) * (dark < 0.4)), texture=int(rng.integers(1 << 16)),
        style=tuple(np.clip(rng.normal(1.0, 0.1, len(ACTION_UNITS)), 0.8, 1.2).tolist()),
    )


def aged(person: Identity, years: float, rng: np.random.Generator) -> Identity:
    """The same person `years` later, earlier if negative, between 18 and 75 years of age.

    Folds deepen and hair goes grey by `Identity.age`; besides, hairlines recede, lips thin, lids and brows sink, noses
    grow longer, and some men grow or lose a beard.
    """
    age = float(np.clip(person.age + years / YEARS, 0.0, 1.0))
    more = age - person.age
    recession = person.balding * more
    cut = replace(person.cut, hairline=max(person.cut.hairline - recession, -1.3),
                  temples=person.cut.temples + 0.8 * recession)
    beard = person.beard
    if person.gender == GENDERS.index("man") and rng.random() < 0.4:
        beard = BEARDS[rng.integers(len(BEARDS))]
    return replace(
        person, age=age, cut=cut, beard=beard, lips=person.lips * (1 - 0.18 * more),
        eye_size=person.eye_size * (1 - 0.08 * more), brow_height=person.brow_height - 0.02 * more,
        nose_length=person.nose_length * (1 + 0.05 * more), shirt=_colour(rng.uniform(0.12, 0.85, 3)),
    )


def _between(table: np.ndarray, position: float) -> np.ndarray:
    """Linear interpolation in a table of colours."""
    low = min(int(position), len(table) - 2)
    return table[low] + (table[low + 1] - table[low]) * (position - low)


def _colour(values: np.ndarray) -> Colour:
    return tuple(np.clip(values, 0.02, 0.98).tolist())
