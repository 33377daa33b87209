"""Settings: what is wrong is refused by name, and every choice in conf/ is right."""

import itertools
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from flows import settings
from flows.configure import configure
from flows.settings import SettingsError

ROOT = Path(__file__).resolve().parents[2]
CHOICES = {group: [file.stem for file in (ROOT / "conf" / group).glob("*.yaml")] for group in ("data", "scale")}


@pytest.fixture
def values(tmp_path):
    return configure([], ROOT / "conf", tmp_path / "params.yaml")


@pytest.mark.parametrize(("data", "scale"), itertools.product(*CHOICES.values()))
def test_every_choice_in_conf_is_valid(data, scale, tmp_path):
    configure([f"data={data}", f"scale={scale}"], ROOT / "conf", tmp_path / "params.yaml")
    params = settings.load(tmp_path / "params.yaml")
    assert (params.data.source, params.scale) == (data, scale)


def test_the_committed_settings_are_valid():
    settings.load(ROOT / "params.yaml")


@pytest.mark.parametrize(
    ("section", "change", "told"),
    [
        ("fer", {"epoch": 3}, ["unknown key 'fer.epoch'", "'fer.epochs'"]),
        (None, {"evalute": {}}, ["unknown key 'evalute'", "'evaluate'"]),
        ("fer", {"epochs": "3"}, ["'fer.epochs'", "integer", "'3' (str)"]),
        ("fer", {"epochs": 3.0}, ["'fer.epochs'", "integer", "3.0 (float)"]),
        ("fer", {"learning_rate": float("nan")}, ["finite"]),
        ("faces", {"detect": 1}, ["'faces.detect'", "boolean", "1 (int)"]),
        ("faces", {"features": "clahe"}, ["'faces.features'", "'clahe_5_4'"]),
        ("faces", {"cleaning": {"blurr": 1.0}}, ["unknown key 'faces.cleaning.blurr'", "'faces.cleaning.blur'"]),
        ("faces", {"workers": 0}, ["'faces.workers'", "greater than or equal to 1"]),
        ("faces", {"channels": 2}, ["'faces.channels'", "1 or 3", "2 (int)"]),
        ("data", {"source": "fer2103"}, ["'data.source'", "'fer2013'"]),
        ("data", {"test": 1.5}, ["'data.test'", "less than or equal to 1", "1.5"]),
        ("data", {"validation": 0.4, "test": 0.6}, ["'data'", "nothing to train on"]),
        ("data", {"path": None}, ["'data.path'", "string", "None"]),
        ("evaluate", {"splits": "test"}, ["'evaluate.splits'", "'test' (str)"]),
    ],
)
def test_a_wrong_setting_is_refused_by_name(section, change, told, values):
    (values[section] if section else values).update(change)
    with pytest.raises(SettingsError) as refusal:
        settings.validate(values, Path("my.yaml"))
    assert all(words in str(refusal.value) for words in ["my.yaml", *told]), refusal.value


def test_all_faults_are_told_at_once(values):
    values["fer"]["epochs"], values["faces"]["size"] = "many", -1
    with pytest.raises(SettingsError, match=r"(?s)faces\.size.*fer\.epochs|fer\.epochs.*faces\.size"):
        settings.validate(values)


def test_a_missing_key_is_named(values):
    del values["fer"]["epochs"]
    with pytest.raises(SettingsError, match="key 'fer.epochs' is missing"):
        settings.validate(values)


def test_a_file_that_is_missing_or_no_yaml_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"nothing\.yaml is missing.*configure"):
        settings.load(tmp_path / "nothing.yaml")
    (tmp_path / "broken.yaml").write_text("seed: [1,")
    with pytest.raises(SettingsError, match=r"(?s)broken\.yaml is not valid YAML.*line 2"):
        settings.load(tmp_path / "broken.yaml")


def test_settings_cannot_be_changed(values):
    with pytest.raises(FrozenInstanceError):
        settings.validate(values).seed = 1
