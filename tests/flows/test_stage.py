"""The wrapper of a stage: what it is given, and that nothing half-made is ever in its place."""

import errno
import sys
from types import ModuleType

import pytest
from dvc_project import NOBODY

from flows import __main__ as program
from flows import stage as wrapper

GRAPH = """
stages:
  source: {cmd: python -m flows source, outs: [artifacts/source/set]}
  toy:
    matrix: {item: [base]}
    cmd: python -m flows toy@${item.item}
    params: [seed]
    deps: [artifacts/source/set]
    outs: ["artifacts/toy/${item.item}/made.txt"]
    metrics: ["artifacts/toy/${item.item}/metrics.json": {cache: false}]
"""


@pytest.fixture
def toy(project, monkeypatch):
    """Sets the function of the stage ``toy``; a call runs ``toy@base`` and returns its exit status."""
    (project / "dvc.yaml").write_text(GRAPH)
    (project / "artifacts" / "source").mkdir(parents=True)
    (project / "artifacts" / "source" / "set").write_text("faces")
    monkeypatch.setattr(wrapper, "_end_when_told", lambda: None)

    def run(function) -> int:
        module = ModuleType("flows.toy")
        module.run = function
        monkeypatch.setitem(sys.modules, "flows.toy", module)
        return wrapper.main("toy@base")

    return run


def make(stage, text="made") -> None:
    (stage.out / "made.txt").write_text(text)
    (stage.out / "metrics.json").write_text('{"count": 1}')


def test_a_stage_gets_its_settings_folders_and_inputs(toy, project, capsys):
    seen = {}

    def run(stage):
        seen["stage"] = stage
        assert list(stage.out.iterdir()) == []
        stage.watch.log("working")
        stage.watch.progress(1, 2, "half")
        stage.watch.metrics({"epoch": 1, "loss": 0.25})
        make(stage)

    assert toy(run) == 0
    stage = seen["stage"]
    assert (stage.name, stage.item, stage.params.scale) == ("toy@base", "base", "smoke")
    assert {name: str(path) for name, path in stage.inputs.items()} == {"source": "artifacts/source"}
    assert (project / "artifacts" / "toy" / "base" / "made.txt").read_text() == "made"
    said = capsys.readouterr().out
    assert "python -m flows ui" in said and "toy@base: working" in said and "epoch 1  loss 0.25" in said


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("fer2013.csv:17: 2303 pixels, expected 2304"), "fer2013.csv:17"),
        (FileNotFoundError("data/raw/fer2013.csv does not exist"), "data/raw/fer2013.csv"),
        (OSError(errno.ENOSPC, "No space left on device", "images.npy"), "No space left on device: 'images.npy'"),
        (FloatingPointError("loss is nan at step 12"), "step 12"),
    ],
)
def test_an_error_is_one_paragraph_and_leaves_nothing(error, told, toy, project, capsys):
    def run(stage):
        make(stage)
        raise error

    assert toy(run) == 1
    shown = capsys.readouterr().err
    assert told in shown and "Traceback" not in shown and shown.startswith("toy@base failed: ")
    assert not (project / "artifacts" / "toy").exists() or not list((project / "artifacts" / "toy").rglob("*.*"))
    assert "Traceback" in (project / ".checkpoints" / "toy@base" / "log.txt").read_text()


def test_a_bug_is_shown_with_its_traceback(toy):
    with pytest.raises(TypeError):
        toy(lambda stage: len(3))


def test_what_was_there_before_stays_until_the_new_is_whole(toy, project):
    assert toy(make) == 0

    def fail(stage):
        make(stage, "half")
        raise ValueError("broken")

    assert toy(fail) == 1
    assert (project / "artifacts" / "toy" / "base" / "made.txt").read_text() == "made"


@pytest.mark.parametrize(
    ("change", "told"), [(("made.txt", None), "did not make made.txt"), (("more.txt", "x"), "made more.txt")]
)
def test_outputs_that_are_not_those_in_the_graph_are_refused(change, told, toy, capsys):
    def run(stage):
        make(stage)
        name, text = change
        (stage.out / name).write_text(text) if text else (stage.out / name).unlink()

    assert toy(run) == 1
    assert told in capsys.readouterr().err


def test_checkpoints_outlive_a_failure_and_belong_to_the_settings(toy, project):
    def fail_midway(stage):
        (stage.checkpoints / "epoch-3").write_text("state")
        raise ValueError("ended early")

    found = []

    def resume(stage):
        found.append((stage.checkpoints / "epoch-3").exists())
        make(stage)

    toy(fail_midway)
    params = project / "params.yaml"
    text = params.read_text()
    params.write_text(text.replace("seed: 0", "seed: 1"))
    assert toy(resume) == 0
    toy(fail_midway)
    params.write_text(text)
    toy(fail_midway)
    assert toy(resume) == 0
    assert found == [False, True]
    assert len([each for each in (project / ".checkpoints" / "toy@base").iterdir() if each.is_dir()]) == 1


def test_a_stage_does_not_run_twice_at_a_time(toy, capsys):
    inner = []

    def run(stage):
        inner.append(toy(make))
        make(stage)

    assert toy(run) == 0
    assert inner == [1] and "already running" in capsys.readouterr().err


@pytest.mark.parametrize(("word", "near"), [("toy@bas", "toy@base"), ("confgure", "configure"), ("sourc", "source")])
def test_an_unknown_word_is_answered_with_the_nearest(word, near, toy, capsys):
    assert program.main([word]) == 2
    assert f"did you mean '{near}'" in capsys.readouterr().err


def test_help_names_commands_and_stages(toy, capsys):
    assert program.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in (*program.COMMANDS, "toy@base", "source"))


def test_nothing_heavy_is_imported_to_find_a_stage(toy, project):
    from dvc_project import python

    code = "import sys, flows.__main__ as m; m.main(['--help']); print(sorted({'jax', 'prefect'} & set(sys.modules)))"
    assert python(project, "-c", code, api=NOBODY).communicate(timeout=60)[0].rstrip().endswith("[]")
