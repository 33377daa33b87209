"""Every source can be chosen, is listed with where to get it and its terms, and goes through `ingest`."""

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from data.sources import SOURCES
from flows import sections, settings, sources
from flows.configure import configure

ROOT = Path(__file__).resolve().parents[2]


def test_each_reader_is_a_setting_and_a_choice_in_conf():
    assert set(get_args(get_type_hints(sections.Data)["source"])) == set(SOURCES)
    assert {file.stem for file in (ROOT / "conf/data").glob("*.yaml")} == set(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_what_a_source_says_of_its_place_is_what_configure_does(name, tmp_path):
    where = SOURCES[name].WHERE
    configure([f"data={name}"], ROOT / "conf", tmp_path / "params.yaml")
    data = settings.load(tmp_path / "params.yaml").data
    assert where is None or where.endswith(f"./run configure data={name} data.path={data.path}")
    assert SOURCES[name].TERMS and SOURCES[name].__doc__


def test_all_are_listed_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert sources.main([]) == 0
    shown = capsys.readouterr().out
    lines = [line.split("│") for line in shown.splitlines() if line.startswith("│")]
    cells = [[line[place].strip() for line in lines] for place in (1, 2, 3)]
    assert [name for name in cells[0] if name] == list(SOURCES)
    for place, words in ((2, [source.WHERE or "" for source in SOURCES.values()]),
                         (3, [source.TERMS for source in SOURCES.values()])):
        column = "".join(cells[place - 1]).replace(" ", "")
        assert all(text.replace(" ", "") in column for text in words), "nothing is cut off"


def test_one_is_listed_and_a_wrong_name_is_told(capsys):
    assert sources.main(["orl"]) == 0
    shown = capsys.readouterr().out
    assert "AT&T" in shown and "CelebA" not in shown
    with pytest.raises(ValueError, match="unknown source 'celeb'; did you mean 'celeba'"):
        sources.main(["celeb"])
