"""The graph is what DVC says it is: order, inputs, what has changed and why."""

from pathlib import Path

import pytest

from flows import graph, why
from flows.configure import configure
from flows.graph import GraphError

DIAMOND = """
stages:
  last: {cmd: cat left.txt right.txt > last.txt, deps: [left.txt, right.txt], outs: [last.txt]}
  side:
    matrix: {item: [left, right]}
    cmd: cp artifacts/first/a.txt ${item.item}.txt
    params: [fer.epochs]
    deps: [artifacts/first/a.txt]
    outs: ["${item.item}.txt"]
  first:
    cmd: mkdir -p artifacts/first; cp raw.txt artifacts/first/a.txt
    params: [data]
    deps: [raw.txt]
    outs: [artifacts/first/a.txt]
"""


@pytest.fixture
def diamond(project):
    (project / "dvc.yaml").write_text(DIAMOND)
    (project / "raw.txt").write_text("1")
    return project


def reproduce() -> None:
    from dvc.repo import Repo

    with Repo() as repo:
        repo.reproduce()


def test_every_stage_comes_after_what_it_needs(diamond):
    nodes = graph.load()
    assert list(nodes) == ["first", "side@left", "side@right", "last"]
    assert nodes["last"].upstream == ("side@left", "side@right")
    assert nodes["side@left"].params == ("fer.epochs",)


def test_other_files_that_dvc_follows_are_no_stages_of_the_graph(diamond):
    study = diamond / "studies" / "one"
    study.mkdir(parents=True)
    (study / "dvc.yaml").write_text("stages: {train: {cmd: cp ../../last.txt it.txt, deps: [../../last.txt], outs: [it.txt]}}")
    add = "outs: [{md5: c4ca4238a0b923820dcc509a6f75849b, size: 1, path: raw.txt}]"  # what `dvc add raw.txt` writes
    (diamond / "raw.txt.dvc").write_text(add)
    assert list(graph.load()) == ["first", "side@left", "side@right", "last"]
    assert graph.load()["first"].upstream == ()
    assert list(why.explain()) == ["first", "side@left", "side@right", "last"]


def test_a_part_of_the_graph_has_all_that_it_needs_and_no_more(diamond):
    nodes = graph.load()
    assert list(graph.with_upstream(nodes, ["side@right"])) == ["first", "side@right"]
    assert graph.with_upstream(nodes, []) == nodes
    with pytest.raises(GraphError, match="no stage is called 'side@rihgt'; did you mean 'side@right'"):
        graph.with_upstream(nodes, ["side@rihgt"])


def test_inputs_are_the_folders_of_the_stages_it_reads_from(diamond):
    nodes = graph.load()
    assert graph.inputs(nodes, nodes["side@left"]) == {"first": Path("artifacts/first")}
    assert str(nodes["side@left"].out) == "artifacts/side/left"


def test_the_fingerprint_follows_parameters_and_inputs_and_nothing_else(diamond):
    reproduce()
    start = graph.fingerprint("side@left")
    configure(["scale=smoke", "fer.batch_size=3"])
    assert graph.fingerprint("side@left") == start
    configure(["scale=smoke", "fer.epochs=99"])
    assert graph.fingerprint("side@left") != start
    configure(["scale=smoke"])
    assert graph.fingerprint("side@left") == start
    (diamond / "artifacts" / "first" / "a.txt").write_text("2")
    assert graph.fingerprint("side@left") != start


def test_a_missing_input_is_told_with_who_makes_it(diamond):
    with pytest.raises(FileNotFoundError, match=r"artifacts/first/a\.txt, which does not exist; stage first makes it"):
        graph.fingerprint("side@left")


def test_a_graph_that_cannot_be_read_is_told(diamond):
    (diamond / "dvc.yaml").write_text("stages: {one: {cmd: echo, deps: ['${data.pth}']}}\n")
    with pytest.raises(GraphError, match=r"dvc\.yaml.*\n?.*data\.pth"):
        graph.load()


def test_why_names_what_changed(diamond):
    assert why.explain()["first"] == ["has not run yet"]
    reproduce()
    assert not any(why.explain().values())
    (diamond / "raw.txt").write_text("2")
    (diamond / "left.txt").unlink()
    configure(["scale=smoke", "fer.epochs=99"])
    reasons = why.explain()
    assert reasons["first"] == ["input raw.txt has changed"]
    assert reasons["side@left"][0].startswith("setting fer.epochs: ") and reasons["side@left"][0].endswith("-> 99")
    assert "output left.txt is missing" in reasons["side@left"]
    assert reasons["last"][-1].startswith("after side@left, side@right")


def test_changed_raw_data_makes_ingest_run_again(project):
    """The real graph: the file that ``data.path`` names is an input of ``ingest``, wherever it lies."""
    from dvc_project import ROOT

    (project / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    csv = project / "elsewhere" / "fer2013.csv"
    csv.parent.mkdir()
    csv.write_text("emotion,pixels,Usage\n")
    configure(["data=fer2013", f"data.path={csv}"])
    assert csv.relative_to(project) in graph.load()["ingest"].deps
