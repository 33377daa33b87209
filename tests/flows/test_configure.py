"""``configure``: the same words give the same file, here and through DVC; nothing is written unless it is right."""

import shutil
import subprocess

import pytest
from dvc_project import ROOT, python

from flows import configure, settings
from flows.settings import SettingsError

WORDS = [
    "data=fer2013",
    "data.path=some where/fer2013.csv",
    "scale=smoke",
    "fer.epochs=7",
    "fer.learning_rate=1e-4",
    "seed=1",
]


def test_words_become_settings(project):
    configure.configure(WORDS)
    params = settings.load()
    assert (params.data.source, params.data.path, params.faces.detect) == ("fer2013", "some where/fer2013.csv", False)
    assert (params.scale, params.fer.epochs, params.fer.learning_rate, params.seed) == ("smoke", 7, 1e-4, 1)


@pytest.mark.parametrize("path", ["data/raw/été", "mine (1)", "it's", "a=b", "one, two", "plain/as-ever_1.csv"])
def test_paths_may_have_any_letters(path, project):
    assert configure.configure([f"data.path={path}"])["data"]["path"] == path


def test_a_path_may_begin_at_home(project, monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert configure.configure(["data.path=~/faces"])["data"]["path"] == "/home/somebody/faces"


def test_what_is_not_given_is_as_in_conf_again(project):
    configure.configure([])
    before = settings.read(settings.FILE)
    configure.configure(WORDS)
    configure.configure([])
    assert settings.read(settings.FILE) == before


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("data=fer2103", "conf/data has no choice 'fer2103'; did you mean 'fer2013'"),
        ("scala=smoke", "unknown setting 'scala'; did you mean 'scale'"),
        ("fer.epoch=3", "unknown setting 'fer.epoch'; did you mean 'fer.epochs'"),
        ("fer.epochs=three", "'fer.epochs'.*integer.*'three'"),
        ("fer.epochs=[3", "cannot be composed"),
        ("smoke", "not of the form key=value"),
    ],
)
def test_a_typo_is_refused_and_changes_nothing(word, told, project):
    before = (project / "params.yaml").read_bytes()
    with pytest.raises(SettingsError, match=f"(?s){told}"):
        configure.configure([word])
    assert (project / "params.yaml").read_bytes() == before
    assert [path.name for path in project.iterdir() if path.name.startswith(".params")] == []


def test_it_shows_what_changed_and_only_that(project, capsys):
    assert configure.main(["scale=smoke", "fer.epochs=7"]) == 0
    shown = capsys.readouterr().out
    assert "fer.epochs" in shown and "7" in shown and "fer.batch_size" not in shown
    configure.main(["scale=smoke", "fer.epochs=7"])
    assert "nothing changed" in capsys.readouterr().out


def test_it_says_where_the_data_should_lie(project, capsys):
    configure.main(["data=fer2013"])
    assert "data/raw/fer2013.csv, where nothing is yet" in capsys.readouterr().out


def test_dvc_composes_the_same(project):
    """``dvc exp run -S`` in a repository of its own, with a stage that does nothing."""
    for name in ("config", ".gitignore"):
        shutil.copy(ROOT / ".dvc" / name, project / ".dvc" / name)
    (project / "dvc.yaml").write_text("stages: {one: {cmd: echo made > out.txt, params: [fer], outs: [out.txt]}}\n")
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-q", "-m", "start"]):
        subprocess.run(["git", *command], cwd=project, check=True)
    options = [option for word in WORDS for option in ("-S", word)]
    dvc = python(project, "-m", "dvc", "exp", "run", *options)
    output = dvc.communicate(timeout=120)[0]
    assert dvc.returncode == 0, output
    by_dvc = settings.load()
    configure.configure(WORDS)
    assert settings.load() == by_dvc
