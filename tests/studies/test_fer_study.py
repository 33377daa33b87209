"""The classifier study's bench: every row of the source study is there, rows that cannot be run say why, a cell runs alone
from its faces to the table, and what has not been run is said to be so."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from data.faceset import FaceSet, conform
from metrics.pareto import pareto_front
from models.fer.networks import NETWORKS
from studies.fer import cell, table


def test_dvc_knows_the_rows_by_their_ids():
    stages = YAML(typ="safe").load(Path(cell.__file__).with_name("dvc.yaml"))["stages"]
    assert stages["cell"]["matrix"]["row"] == list(cell.rows().index)
    assert cell.rows().index.is_unique


def test_each_row_makes_a_recipe_or_says_why_not():
    made = {}
    for name, row in cell.rows().iterrows():
        if row["network"] in NETWORKS and row["finetune"] == "no":
            made[name] = cell.recipe(row)
            assert made[name].epochs == int(row["epochs"])
        else:
            with pytest.raises(ValueError, match=f"{name}.*(network|fine-tuning)"):
                cell.recipe(row)
    assert made["cnn2-48grey-hinge"].loss == "categorical_hinge"
    assert (made["cnn1-rms-grey"].optimizer, made["cnn1-rms-grey"].learning_rate) == ("rmsprop", 1e-4)
    assert made["cnn1-aug"].augment == "light" and cell.recipe(cell.rows().loc["cnn1-aug"], epochs=2).epochs == 2


def test_faces_come_at_the_rows_size_as_its_features():
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), np.uint8)
    faces = FaceSet(images, conform(pd.DataFrame({"label": [0, 1, 2]})))
    row = cell.rows().loc["cnn1-rms-rgb"]
    made = cell.prepared(faces, row)
    assert made.images.shape == (3, 150, 150, 3) and made.images[np.array([2, 0])].shape == (2, 150, 150, 3)
    assert (made.images[0][..., 0] == made.images[0][..., 2]).all()
    plain = cell.prepared(faces, cell.rows().loc["cnn2-48grey"])
    np.testing.assert_array_equal(plain.images, images)
    flattened = cell.prepared(faces, cell.rows().loc["cnn1-he54"])
    assert flattened.images.shape == (3, 150, 150, 1) and not (flattened.images == made.images[..., :1]).all()


def test_a_cell_runs_alone_and_the_table_has_its_scores(tmp_path, monkeypatch):
    splits = ["train"] * 128 + ["validation"] * 8 + ["public_test"] * 8
    images = np.random.default_rng(0).integers(0, 256, (144, 48, 48, 1), np.uint8)
    rows = pd.DataFrame({"id": [str(i) for i in range(144)], "split": splits, "label": np.arange(144) % 7})
    FaceSet(images, conform(rows)).save(tmp_path / "set")
    command = ["cell", "own-mini", "3", "--set", tmp_path / "set", "--epochs", 1, "--out", tmp_path / "results"]
    monkeypatch.setattr(sys, "argv", [str(word) for word in command])
    cell.main()
    found = table.collected(tmp_path / "results").set_index("row")
    own = found.loc["own-mini"]
    assert (own["status"], own["seed"], own["epochs"], own["row_epochs"], own["faces"]) == ("finished", 3, 1, "30", 8)
    assert own["accuracy_low"] <= own["accuracy"] <= own["accuracy_high"] and own["flops"] > 1e6
    assert own["parameters"] == 56_951
    others = found.drop("own-mini")
    assert (others["status"] == "not run").all() and others["accuracy"].isna().all()
    assert found.loc["mnv3l-grey-aug", "study_accuracy"] == ".6162" and len(found) == len(cell.rows())
    monkeypatch.setattr(sys, "argv", ["table", "--results", str(tmp_path / "results"), "--out", str(tmp_path)])
    table.main()
    assert (tmp_path / "cost.png").stat().st_size > 1000
    assert pd.read_csv(tmp_path / "results.csv")["status"].value_counts()["finished"] == 1


def test_a_cell_of_no_row_is_named(tmp_path):
    (tmp_path / "x-0").mkdir()
    (tmp_path / "x-0" / "cell.json").write_text('{"row": "x"}')
    pd.DataFrame({"label": [0]} | {name: [1 / 7] for name in cell.PROBABILITIES}).to_parquet(
        tmp_path / "x-0" / "predictions.parquet"
    )
    with pytest.raises(ValueError, match="x, which rows.csv"):
        table.collected(tmp_path)


def test_the_front_has_what_nothing_beats():
    costs, gains = np.array([1, 2, 3, 4, 2]), np.array([0.5, 0.6, 0.55, 0.7, 0.4])
    assert pareto_front(costs, gains).tolist() == [True, True, False, True, False]
    assert pareto_front(np.array([1, 1]), np.array([0.5, 0.5])).all()
