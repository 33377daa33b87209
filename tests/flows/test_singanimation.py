"""What the stages from action units to made faces learn from, keep and turn away; nothing of a test."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from flax import nnx

from data.faceset import ACTION_UNITS, AU_COLUMNS, EXPRESSIONS, FaceSet, FaceSetWriter, conform
from flows import action_units, augment, facs, fer, ganimation, settings, singan
from flows.grey import grey
from flows.sections import Gates, Mix
from models.face_matcher import weights as matcher_weights
from models.face_matcher.network import FaceMatcher
from models.fer import weights as fer_weights
from models.fer.mini_xception import MiniXception
from models.ganimation.generator import Edited
from watchers import Silent

CALM = dict.fromkeys(AU_COLUMNS, 0.0)


def faces(rows: list[dict], size: int = 32, channels: int = 3) -> FaceSet:
    images = np.random.default_rng(0).integers(0, 256, (len(rows), size, size, channels), np.uint8)
    return FaceSet(images, conform(pd.DataFrame(rows).assign(id=[f"{n:032x}" for n in range(len(rows))])))


def test_known_units_stay_and_others_are_guessed_and_each_row_says_so():
    rows = [{**CALM, "au12": 0.5, "maker": "drawn"}, {**CALM, "source": "openface"}, {"au01": 1.0, "maker": "drawn"}, {}]
    guessed = np.full((4, 17), 0.25)
    units = action_units.completed(faces([row | {"parent": str(n)} for n, row in enumerate(rows)]).table, guessed)
    assert units["known"].tolist() == ["exact", "measured", "estimated", "estimated"]
    assert units["parent"].tolist() == list("0123")
    assert units["au12"].tolist() == [0.5, 0.0, 0.25, 0.25] and units["au01"].tolist() == [0.0, 0.0, 0.25, 0.25]


def test_a_reader_learns_from_known_units_or_is_told_to_learn_from_drawn_people():
    splits = ["train", "train", "validation", "test", "public_test"]
    table = faces([{**CALM, "split": split} for split in splits] + [{"split": "train"}]).table
    assert [each.tolist() for each in action_units.parts(table)] == [[0, 1], [2], [3, 4]]
    with pytest.raises(ValueError, match=r"0 of the training rows, .*set action_units.people"):
        action_units.parts(faces([{"split": split} for split in splits]).table)


def test_drawn_people_are_each_in_one_split():
    rows = [{"subject": f"s{n // 10}", "label": n % 7, "origin": f"0:{n}"} for n in range(400)]
    split = action_units.split_of(pd.DataFrame(rows), seed=0)
    shares = pd.Series(split).value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.15, abs=0.03) and shares["validation"] == pytest.approx(0.15, abs=0.03)
    assert pd.Series(split).groupby([row["subject"] for row in rows]).nunique().max() == 1


def test_expressions_are_mixtures_of_units_as_facs_has_them():
    units = facs.expected_units()
    assert units.shape == (7, 17) and units.min() == 0 and 0.5 < units.max() <= 1
    named = {name: {ACTION_UNITS[c] for c in np.flatnonzero(row > 0.5)} for name, row in zip(EXPRESSIONS, units)}
    assert named["happy"] == {6, 12} and {1, 2, 26} <= named["surprise"] and named["neutral"] == set()


def test_faces_without_their_own_units_are_refused(tmp_path):
    stage = SimpleNamespace(inputs={"faces": tmp_path / "faces", "action_units": tmp_path})
    (tmp_path / "faces").mkdir()
    with FaceSetWriter(tmp_path / "faces" / "colour", (8, 8, 3)) as writer:
        writer.append(np.zeros((2, 8, 8, 3), np.uint8), [{"parent": "a"}, {"parent": "b"}])
    frame = pd.DataFrame([CALM, CALM | {"au04": 1.0}]).assign(parent=["a", "b"])
    frame.to_parquet(tmp_path / "units.parquet")
    assert ganimation.faces_and_units(stage)[1][:, ACTION_UNITS.index(4)].tolist() == [0.0, 1.0]
    frame[::-1].to_parquet(tmp_path / "units.parquet")
    with pytest.raises(ValueError, match="run the stage action_units again"):
        ganimation.faces_and_units(stage)


def test_an_editor_needs_all_three_splits():
    table = [{"split": split} for split in ("train", "train", "validation", "test")]
    assert [each.tolist() for each in ganimation.rows_of(faces(table), seed=0)] == [[0, 1], [2], [3]]
    with pytest.raises(ValueError, match="set data.validation and data.test"):
        ganimation.rows_of(faces(table[:3]), seed=0)


def test_change_outside_the_face_is_told_and_unknown_boxes_are_not_guessed():
    pictures = np.full((2, 8, 8, 3), 127, np.uint8)
    made = Edited(np.repeat(pictures / np.float32(127.5) - 1, 1, axis=0), None, None)
    made.pictures[0, 2:6, 2:6] = 1.0
    boxes = pd.Series([np.array([2, 2, 4, 4]), None])
    assert ganimation.outside_change(made, pictures, boxes) == pytest.approx(0, abs=1e-6)
    made.pictures[0, 0] += 0.6
    assert ganimation.outside_change(made, pictures, boxes) == pytest.approx(0.6 * 8 / 48, rel=1e-3)
    assert np.isnan(ganimation.outside_change(made, pictures, pd.Series([None, None])))


def test_parents_are_training_faces_of_every_expression_and_of_nobody_elsewhere():
    rows = [{"split": "train", "label": n % 7, "subject": f"s{n}"} for n in range(70)]
    rows += [{"split": "test", "label": 0, "subject": "s3"}, {"split": "validation", "label": 0}]
    table = faces(rows).table
    chosen = singan.parents_of(table, 14, seed=0)
    assert np.bincount(table["label"].iloc[chosen].astype(int)).tolist() == [2] * 7
    assert not {3, 70, 71} & set(singan.parents_of(table, 69, seed=0)) and (np.diff(chosen) > 0).all()
    assert not np.array_equal(chosen, singan.parents_of(table, 14, seed=1))
    assert len(singan.possible_parents(table)) == 69
    with pytest.raises(ValueError, match="70 parents are wanted of 69"):
        singan.parents_of(table, 70, seed=0)


def test_the_interval_of_a_distance_is_over_faces():
    figures = singan.mean_of_faces(np.repeat([[1.0], [2.0], [3.0]], 50, axis=1), seed=0)
    assert figures["sifid"] == 2 and 1 <= figures["sifid_low"] < 1.5 and 2.5 < figures["sifid_high"] <= 3
    assert singan.mean_of_faces(np.full((3, 50), 2.0), seed=0)["sifid_low"] == 2


@pytest.fixture
def gated(tmp_path):
    """A stage with a matcher and a classifier, and its faces."""
    params = settings.load()
    matcher_weights.save(tmp_path / "m.npz", FaceMatcher(1, 8, rngs=nnx.Rngs(0)), {"size": 32})
    fer_weights.save(tmp_path / "f.npz", MiniXception(rngs=nnx.Rngs(0)),
                     {"labels": list(EXPRESSIONS), "size": 32, "channels": 1})  # fmt: skip
    for name in ("m", "f", "out"):
        (tmp_path / name).mkdir()
    for name in ("m", "f"):
        (tmp_path / f"{name}.npz").rename(tmp_path / name / "weights.npz")
    gates = Gates(sifid=1.0, identity=0.5, expression=0.0)
    wanted = SimpleNamespace(gates=gates, variants=2, composite=True)
    stage = SimpleNamespace(
        params=SimpleNamespace(seed=0, faces=params.faces, singan=SimpleNamespace(features="pixels"), augment=wanted),
        inputs={"matcher@common": tmp_path / "m", "fer@base": tmp_path / "f"}, out=tmp_path / "out", watch=Silent(),
    )  # fmt: skip
    rows = [{"split": "train", "subject": f"s{n}", "source": "there", "gender": n % 2} for n in range(3)]
    return stage, faces(rows)


def test_gates_turn_away_what_collapsed_or_is_unlike_its_parent_and_say_which(gated):
    stage, parents = gated
    pictures = np.stack([parents.images[0], parents.images[1], np.zeros_like(parents.images[2])])
    broken = np.array([True, False, False])
    made = augment.Made(pictures, np.arange(3), np.array([0, 3, 3]), np.full(3, "ganimation"), broken)
    scores = augment.judged(stage, parents, made)
    assert scores["rejected_by"].tolist() == ["attention", "", "sifid"]
    assert scores["sifid"][1] == pytest.approx(0, abs=1e-3) and scores["identity"][1] == pytest.approx(1, abs=1e-5)
    figures = augment.summary(scores)
    assert figures["made"] == 3 and figures["kept"] == 1 and figures["ganimation/rejected_by_sifid"] == 1

    augment.write_set(stage, parents, made, np.array([1]))
    kept = FaceSet.open(stage.out / "set")
    row = kept.table.iloc[0]
    assert (row["split"], row["subject"], row["label"], row["gender"]) == ("train", "s1", 3, 1)
    assert row["parent"] == parents.table["id"][1] and row["maker"] == "ganimation" and row["au12"] > 0.5
    np.testing.assert_array_equal(kept.images[:], grey(pictures[1:2])[:])


def test_made_faces_are_a_share_of_what_is_learnt_from_and_of_the_makers_that_are_wanted():
    training = faces([{"split": "train", "label": 0}] * 60)
    synthetic = faces([{"split": "train", "label": 1, "maker": maker} for maker in ["ganimation", "ganimation, singan N-1"] * 50])
    both, share = fer.joined(training, synthetic, Mix(0.25, "all"), seed=0)
    assert len(both) == 80 and share == 0.25 and (both.table["label"] == 1).sum() == 20
    both, share = fer.joined(training, synthetic, Mix(0.6, "singan"), seed=0)
    assert set(both.table["maker"].dropna()) == {"ganimation, singan N-1"} and share == 50 / 110  # no more than there are
    with pytest.raises(ValueError, match="augment.mix.makers is singan, but .* only faces by ganimation"):
        fer.joined(training, synthetic.select(slice(0, None, 2)), Mix(0.5, "singan"), seed=0)
