"""What each found picture will be, decided before anything is drawn: who, which split, which flaws, a copy of which."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.faceset import EXPRESSIONS
from data.synthetic import person
from data.synthetic.action_units import express

FLAWS = ("no_face", "several_faces", "small_face", "blank", "blur", "text", "side_view", "covered", "duplicate",
         "wrong_label")
# What may come on top of a flaw; the others leave nothing to see the second one by, or are a copy.
SECOND = {"no_face": ("text",), "several_faces": ("text", "wrong_label"), "small_face": ("text", "wrong_label"),
          "blur": ("wrong_label",), "side_view": ("text", "wrong_label"), "covered": ("text", "wrong_label"),
          "text": ("wrong_label",)}
CLEAN = 0.45  # share of pictures with no flaw
BOTH = 0.15  # share of pictures with a flaw that may have two, that do
PICTURES_EACH = 8  # of one person
TEST_EVERY, TEST_FIRST = 5, 1  # people 1, 6, 11, … are in the test split
REACH = 600  # how many pictures back a copy's original may be
_STREAMS = {"flaws": 10, "copy": 11, "face": 12, "picture": 13, "label": 14}  # of random numbers


@dataclass(frozen=True)
class Plan:
    """One picture to come. `original` is the index of the picture that it copies."""

    seed: int
    index: int
    flaws: tuple[str, ...]
    original: int | None = None

    @property
    def person(self) -> int:
        return self.index // PICTURES_EACH

    @property
    def split(self) -> str:
        return split_of(self.index)

    @property
    def label(self) -> int:
        """The expression that the face shows."""
        return self.index % len(EXPRESSIONS)

    @property
    def wrong_label(self) -> int | None:
        """The expression that the picture is filed under instead."""
        if "wrong_label" not in self.flaws:
            return None
        return (self.label + 1 + int(self.rng("label").integers(len(EXPRESSIONS) - 1))) % len(EXPRESSIONS)

    @cached_property
    def action_units(self) -> np.ndarray:
        """(17,) intensities in [0, 1]."""
        return express(self.rng("face"), EXPRESSIONS[self.label], np.array(person(self.seed, self.person).style))

    def rng(self, stream: str) -> np.random.Generator:
        """The numbers that one part of this picture is drawn from."""
        return np.random.default_rng(np.random.SeedSequence((self.seed, _STREAMS[stream], self.index)))


def split_of(index: int) -> str:
    return "test" if index // PICTURES_EACH % TEST_EVERY == TEST_FIRST else "train"


def plan(seed: int, index: int) -> Plan:
    """The plan of picture `index` of the world `seed`; it depends on no later picture."""
    flaws = _sample_flaws(seed, index)
    if flaws != ("duplicate",):
        return Plan(seed, index, flaws)
    original = _choose_original(seed, index)
    return Plan(seed, index, flaws if original is not None else (), original)


def _sample_flaws(seed: int, index: int) -> tuple[str, ...]:
    rng = Plan(seed, index, ()).rng("flaws")
    if rng.random() < CLEAN:
        return ()
    # A copy of a training picture in the test split would be the training picture's flaw, so only train gets copies.
    first = str(rng.choice(FLAWS if split_of(index) == "train" else [flaw for flaw in FLAWS if flaw != "duplicate"]))
    if first in SECOND and rng.random() < BOTH:
        second = str(rng.choice(SECOND[first]))
        return tuple(flaw for flaw in FLAWS if flaw in (first, second))
    return (first,)


def _choose_original(seed: int, index: int) -> int | None:
    """A clean picture before `index`, of the test split as often as of train; None where there is none."""
    rng = Plan(seed, index, ()).rng("copy")
    split = ("train", "test")[rng.integers(2)]
    start = index - 1 - int(rng.integers(min(index, REACH))) if index else -1
    for earlier in (*range(start, -1, -1), *range(index - 1, start, -1)):
        if split_of(earlier) == split and _sample_flaws(seed, earlier) == ():
            return earlier
    return None
