"""What the generator and matcher stages learn from: training rows, known labels, people with several pictures; nothing of a test."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from flax import nnx

from data.contact_sheet import over_white
from data.emoji_portrait import portrait
from data.faceset import FaceSet, FaceSetWriter, conform
from data.features import FEATURES
from data.png import write_png
from data.synthetic.emoji import draw_emoji
from flows import emoji, generated, judge, matcher, personal_emoji, sections, settings, stylegan
from flows.cutting import TIGHT
from models.stylegan2.generator import Architecture, Generator
from models.stylegan2.recipe import Recipe
from watchers import Silent

PARAMS = settings.load(Path(__file__).parents[2] / "params.yaml")
RECIPE = Recipe(1.2, 16, 4, 0.005, 0.0, 0.05, 1.0, 0.0, 0.0, True, 0.0, 0)


def faces(rows: list[dict], size: int = 16) -> FaceSet:
    images = np.random.default_rng(0).integers(0, 256, (len(rows), size, size, 3), np.uint8)
    return FaceSet(images, conform(pd.DataFrame(rows).assign(id=[f"{n:032x}" for n in range(len(rows))])))


def test_generators_learn_from_training_rows_and_with_labels_from_labelled_ones():
    every = faces([{"split": split, "label": label} for split in ("train", "test", "validation") for label in (0, 3, None)])
    images, labels = stylegan.learnt_from(every, labelled=True)
    np.testing.assert_array_equal(images, every.images[:2])
    assert labels.tolist() == [0, 3]
    images, labels = stylegan.learnt_from(every, labelled=False)
    np.testing.assert_array_equal(images, every.images[:3])
    assert labels is None
    with pytest.raises(ValueError, match="labelled is true, but no picture"):
        stylegan.learnt_from(faces([{"split": "train"}] * 3), labelled=True)


@pytest.mark.parametrize("count", [50, 5000])
def test_a_training_is_looked_at_as_often_however_large_the_set_is(count):
    rows = stylegan.epoch_rows(count, RECIPE, seed=0)
    assert len(rows) % RECIPE.batch_size == 0 and 11 <= RECIPE.kimg * 1000 / len(rows) <= 13
    assert len(np.unique(rows)) == min(count, len(rows)) and rows.max() < count


def test_seeds_show_each_label_on_the_same_people():
    arch = Architecture(16, channel_base=64, channel_max=4, latent=8, mapping_layers=1, labels=7)
    seeds = generated.Seeds.rows(arch, columns=5, rows=7, seed=0)
    z, labels = np.asarray(seeds.z).reshape(7, 5, 8), seeds.labels.reshape(7, 5)
    assert (z == z[0]).all() and (labels == np.arange(7)[:, None]).all()
    plain = generated.Seeds.rows(replace(arch, labels=0), columns=5, rows=7, seed=0)
    assert plain.labels is None and len(np.unique(np.asarray(plain.z)[:, 0])) == 35


def test_a_matcher_learns_from_people_with_several_pictures_and_is_judged_by_others():
    rows = [{"split": split, "subject": name} for name, split in
            (("a", "train"), ("a", "train"), ("b", "train"), ("b", "train"), ("alone", "train"), ("c", "test"), ("c", "test"),
             ("d", "validation"), ("d", "validation"), ("a", "test"), (None, "train"))]  # fmt: skip
    known, unseen = matcher.people_of(faces(rows))
    assert known[1].tolist() == ["a", "a", "b", "b"] and unseen[1].tolist() == ["c", "c", "d", "d"]
    with pytest.raises(ValueError, match="matcher.people to a number"):
        matcher.people_of(faces([{"split": "train"}] * 4))
    with pytest.raises(ValueError, match="raise data.test"):
        matcher.people_of(faces(rows[:5]))


def test_drawn_people_stand_in_cut_as_the_faces_are(tmp_path):
    with FaceSetWriter(tmp_path / "set", (16, 16, 1)) as writer:
        writer.append(np.zeros((1, 16, 16, 1), np.uint8), [{"source": "utkface", "origin": "0", "split": "train"}])

    def drawn(**settings):
        params = SimpleNamespace(seed=0, faces=replace(PARAMS.faces, **settings))
        return matcher.drawn_people(SimpleNamespace(params=params, inputs={"faces": tmp_path}, watch=Silent()), 7)

    known, unseen = drawn()
    assert known[0].shape[1:] == (PARAMS.faces.size,) * 2 + (1,)
    assert len(known[1]) + len(unseen[1]) == 70 and not set(known[1]) & set(unseen[1]) and len(set(unseen[1])) == 1
    equalised = FEATURES["equalise"](known[0][..., 0])[..., None]
    np.testing.assert_array_equal(drawn(features="equalise")[0][0], equalised)
    # Pictures that are faces already, of which nothing was cut: tight.
    np.testing.assert_array_equal(drawn(detect=False)[0][0], drawn(margin=TIGHT, align=True)[0][0])


def test_verification_of_one_direction_a_person_is_perfect():
    subjects = np.repeat(list("abc"), 4)
    assert matcher.verification(np.repeat(np.eye(3), 4, axis=0), subjects) == {"unseen_auc": 1.0, "unseen_eer": 0.0}
    noise = np.random.default_rng(0).normal(size=(300, 8))
    assert 0.45 < matcher.verification(noise, np.arange(300) % 30)["unseen_auc"] < 0.55


def test_a_portrait_becomes_a_face_of_the_classifiers_margin():
    striped = np.zeros((64, 64, 3), np.uint8)
    striped[:, 28:36] = 255  # a stripe an eighth of the side wide
    wider = replace(PARAMS.faces, detect=True, margin=0.5, portrait=sections.Portrait(64, 0.2))
    stripe = judge.as_face(striped, 160, wider)[80, :, 0] > 127
    assert stripe.sum() == pytest.approx(160 / 8 * 1.2 / 1.5, abs=1) and abs(np.flatnonzero(stripe).mean() - 79.5) < 1
    whole = judge.as_face(striped, 160, replace(wider, detect=False))[80, :, 0] > 127
    assert whole.sum() == 20


def test_emoji_of_a_folder_are_learnt_as_portraits(tmp_path):
    for expression in ("happy", "sad"):
        write_png(tmp_path / f"{expression}.png", draw_emoji(expression, 72))
    params = replace(PARAMS, emoji=sections.Emoji("emoji_folder", str(tmp_path), 1))
    found = list(emoji.learnt_from(SimpleNamespace(params=params)))
    size, margin = PARAMS.faces.portrait.size, PARAMS.faces.portrait.margin
    assert [row["origin"] for _, row in found] == ["happy.png", "sad.png"]
    np.testing.assert_array_equal(found[0][0], portrait(over_white(draw_emoji("happy", 72)), size, margin))


@pytest.mark.parametrize("labels", [7, 0])
def test_each_layer_of_an_emoji_goes_the_way_of_the_generator_that_it_is_of(labels):
    arch = Architecture(16, channel_base=64, channel_max=4, latent=8, mapping_layers=1, labels=labels)
    faces, painter = (Generator(arch, rngs=nnx.Rngs(seed)) for seed in (0, 1))
    painter.mapping.average[...] = jnp.full(8, 0.5)
    rng = np.random.default_rng(0)
    people, towards = (rng.normal(size=shape).astype(np.float32) for shape in ((2, arch.layers, 8), (7, 8)))
    posed = people[:, None] + np.arange(7, dtype=np.float32).reshape(1, 7, 1, 1)
    painted = np.array([0, 0.5, *[1] * (arch.layers - 2)], np.float32)
    ws = personal_emoji.emoji_ws(faces, painter, painted, people, posed, towards, seed=0)
    assert ws.shape == posed.shape and ws.dtype == np.float32
    if not labels:
        np.testing.assert_array_equal(ws, posed)
        return
    apart = ws - people[:, None]
    own_way = np.broadcast_to(personal_emoji.EMOJI_STEP * towards, (2, 7, 8))
    np.testing.assert_allclose(apart[:, :, 0], own_way, atol=1e-5)  # a layer of the generator of faces
    last = apart[:, :, -1] - 0.5  # one of the painter's, less the way from the average face to the average emoji
    np.testing.assert_allclose(last, np.broadcast_to(last[:1], last.shape), atol=1e-5)
    told = generated.Seeds(jnp.zeros((7, 8)), np.arange(7))
    own = generated.ws_of(painter, told) - generated.ws_of(painter, told).mean(axis=0)
    assert all(a @ b > 0 for a, b in zip(last[0], own))
    np.testing.assert_allclose(apart[:, :, 1], (apart[:, :, 0] + apart[:, :, -1]) / 2, atol=1e-5)  # half of each
