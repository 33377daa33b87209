"""Pictures of one person from several times of a life: older where they should be, and still the same person."""

import numpy as np
import pytest

from data import synthetic
from data.synthetic import PERIODS, DrawnFace, Scene, draw_face, person
from data.synthetic.action_units import motion, vector
from data.synthetic.canvas import face_canvas
from data.synthetic.folds import press_folds
from data.synthetic.head import lay_out
from data.synthetic.identity import GREY, Identity, aged

LASTING = ("gender", "skin", "iris", "jaw", "chin", "eye_gap", "nose_width", "mouth_width", "hair", "parting",
           "glasses", "freckles", "texture", "style", "asymmetry")


def later(years: float, **traits: object) -> Identity:
    return aged(Identity(**traits), years, np.random.default_rng(0))


def test_years_leave_folds_grey_hair_and_a_higher_hairline():
    man = {"gender": 1, "age": 0.3, "balding": 0.3}
    young, old = Identity(**man), later(35, **man)
    assert old.age == pytest.approx(0.3 + 35 / 57)
    away = [np.abs(np.array(one.hair_colour) - GREY).sum() for one in (young, old)]
    assert away[1] < 0.5 * away[0] and young.hair_colour == young.hair
    assert old.cut.hairline < young.cut.hairline - 0.1 and old.lips < young.lips
    folded = [press_folds(one, lay_out(one, motion(vector({}))), face_canvas(128)[1]).sum() for one in (young, old)]
    assert folded[1] > 1.5 * folded[0]


def test_nobody_is_younger_or_older_than_people_are_drawn():
    assert later(-40, age=0.2).age == 0.0 and later(90, age=0.2).age == 1.0


def test_women_grow_no_beard_and_some_men_do():
    def beards(gender: int) -> set[str]:
        return {aged(Identity(gender=gender), 10, np.random.default_rng(seed)).beard for seed in range(40)}

    assert beards(0) == {"none"} and len(beards(1)) > 2


def test_what_lasts_lasts_over_all_periods():
    for number in range(30):
        today, *others = (person(5, number, period) for period in range(PERIODS))
        assert others[0].age <= today.age <= others[1].age and others[0].age < others[1].age
        for other in others:
            assert all(getattr(other, trait) == getattr(today, trait) for trait in LASTING)


def test_pictures_of_one_person_are_of_several_ages(monkeypatch):
    ages = {}

    def noted(identity: Identity, *rest: object) -> DrawnFace:
        ages.setdefault(identity.texture, set()).add(identity.age)
        return draw_face(identity, *rest)

    monkeypatch.setattr(synthetic, "draw_face", noted)
    subjects = {row["subject"] for _, row in synthetic.draw(0, 50, 32)}
    assert len(subjects) == len(ages) == 5
    assert all(1 < len(each) <= PERIODS for each in ages.values())


def test_a_person_looks_more_like_themselves_years_later_than_like_others():
    def look(one: Identity) -> np.ndarray:
        return draw_face(one, vector({}), Scene(), 64).image.astype(float)[16:56, 16:48]  # without hair and shirt

    today = [look(person(1, number)) for number in range(12)]
    for number in range(12):
        distances = [np.abs(look(person(1, number, 2)) - other).mean() for other in today]
        assert np.argsort(distances).tolist().index(number) < 3
