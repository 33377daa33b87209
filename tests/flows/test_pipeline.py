"""The graph driven by Prefect, and one stage seen in it, with a real server of their own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from dvc_project import ROOT, make_project, python

from flows import ui

# Two branches at the same time, one of which fails; a stage behind each of them.
GRAPH = """
stages:
  emoji: {cmd: python -m flows emoji, deps: [flows/emoji.py], outs: [artifacts/emoji/made.txt]}
  left: {cmd: python -m flows left, deps: [flows/left.py, artifacts/emoji/made.txt], outs: [artifacts/left/made.txt]}
  right: {cmd: python -m flows right, deps: [artifacts/emoji/made.txt], outs: [artifacts/right/made.txt]}
  pleased: {cmd: python -m flows pleased, deps: [artifacts/left/made.txt], outs: [artifacts/pleased/made.txt]}
  deprived: {cmd: python -m flows deprived, deps: [artifacts/right/made.txt], outs: [artifacts/deprived/made.txt]}
"""
STAGE = """
import time
import cv2, numpy

def run(stage):
    (stage.out.parent / "{name}.started").touch()
    stage.watch.log("hello from {name}")
    stage.watch.progress(1, 4, "quarter")
    stage.watch.metrics({{"epoch": 1, "loss": 0.5}})
    cv2.imwrite(str(stage.checkpoints / "p.png"), numpy.zeros((8, 8, 3), numpy.uint8))
    stage.watch.picture("preview", stage.checkpoints / "p.png")
    {ending}
    (stage.out / "made.txt").write_text("{name}")
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A project whose stages are real modules: its own copy of flows/, for the processes that run in it."""
    folder = tmp_path_factory.mktemp("place")
    make_project(folder)
    (folder / "dvc.yaml").write_text(GRAPH)
    shutil.copytree(ROOT / "flows", folder / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("emoji", "left", "pleased", "deprived"):
        write_stage(folder, name)
    write_stage(folder, "right", 'raise ValueError("x.csv:3: two columns, expected three")')
    return folder


def write_stage(folder: Path, name: str, ending: str = "pass") -> None:
    (folder / "flows" / f"{name}.py").write_text(STAGE.format(name=name, ending=ending))


@pytest.fixture(scope="module")
def api(place):
    """The address of a server on a free port, which keeps its state in the project."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/api"
    starting = python(place, "-m", "flows", "ui", api=address)
    output = starting.communicate(timeout=300)[0]
    assert starting.returncode == 0 and address.removesuffix("/api") in output, output
    yield address
    python(place, "-m", "flows", "ui", "--stop", api=address).communicate(timeout=60)
    assert not ui.answers(address)


def ask(api: str, what: str, **question) -> list[dict]:
    body = json.dumps(question).encode()
    request = urllib.request.Request(f"{api}/{what}/filter", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def until(answer, seconds: float = 120):
    """What ``answer()`` gives as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := answer()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)
    return found


def of_flow(name: str) -> dict:
    return {"flows": {"name": {"any_": [name]}}, "sort": "START_TIME_DESC"}


def test_a_failed_branch_does_not_stop_the_other_and_all_is_seen(place, api):
    first = python(place, "-m", "dvc", "repro", "emoji")
    assert first.wait(120) == 0, first.stdout.read()
    both = python(place, "-m", "flows", "run", "--jobs", "2", api=api)
    output = both.communicate(timeout=240)[0]
    assert both.returncode == 1, output
    assert "x.csv:3: two columns" in output and "Traceback" not in output
    made = {path.parent.name for path in (place / "artifacts").glob("*/made.txt")}
    assert made == {"emoji", "left", "pleased"}

    [run] = ask(api, "flow_runs", **of_flow("personal-emoji"))
    assert (run["state_name"], run["state"]["message"]) == ("Failed", "failed: right")
    expected = {
        "emoji": "Cached",
        "left": "Completed",
        "right": "Failed",
        "pleased": "Completed",
        "deprived": "Skipped",
    }
    until(lambda: states(tasks_of(api, run)) == expected)  # Prefect takes the last ones in a moment later
    tasks = tasks_of(api, run)
    [left] = ask(api, "flow_runs", **of_flow("left"))
    assert left["parent_task_run_id"] == {task["name"]: task["id"] for task in tasks}["left"]
    shown = {found["key"]: found for found in ask(api, "artifacts", flow_runs={"id": {"any_": [left["id"]]}})}
    assert set(shown) == {"left-progress", "left-metrics", "left-pictures"}
    assert "data:image/webp;base64," in shown["left-pictures"]["data"]
    logs = until(lambda: ask(api, "logs", logs={"flow_run_id": {"any_": [left["id"]]}}))
    assert "hello from left" in [line["message"] for line in logs]


def tasks_of(api: str, run: dict) -> list[dict]:
    return ask(api, "task_runs", flow_runs={"id": {"any_": [run["id"]]}})


def states(tasks: list[dict]) -> dict[str, str]:
    return {task["name"]: task["state_name"] for task in tasks}


@pytest.mark.parametrize("how", ["interrupt", "Prefect"])
def test_cancelling_ends_the_processes(how, place, api):
    write_stage(place, "left", "time.sleep(120)")
    shutil.rmtree(place / "artifacts" / "left", ignore_errors=True)
    (place / "artifacts" / "left.started").unlink(missing_ok=True)
    driver = python(place, "-m", "flows", "run", "left", api=api)
    until((place / "artifacts" / "left.started").exists)
    family = psutil.Process(driver.pid).children(recursive=True)
    assert any("left" in process.cmdline() for process in family)
    [run, *_] = ask(api, "flow_runs", **of_flow("personal-emoji"))
    if how == "interrupt":
        driver.send_signal(signal.SIGINT)
    else:
        cancel = json.dumps({"state": {"type": "CANCELLING"}}).encode()
        address = f"{api}/flow_runs/{run['id']}/set_state"
        urllib.request.urlopen(urllib.request.Request(address, cancel, {"content-type": "application/json"}))
    output = driver.communicate(timeout=120)[0]
    assert driver.returncode == 130, output
    assert psutil.wait_procs(family, timeout=5)[1] == []
    assert not list((place / "artifacts" / "left").glob("*")) and not list((place / "artifacts").glob(".*.partial"))
    [run, *_] = ask(api, "flow_runs", **of_flow("personal-emoji"))
    [left, *_] = ask(api, "flow_runs", **of_flow("left"))
    assert (run["state_name"], left["state_name"]) == ("Cancelled", "Cancelled")


def test_a_server_that_goes_away_does_not_stop_the_work(place, api):
    """Last, since it ends the server."""
    write_stage(place, "left", "time.sleep(5)")
    (place / "artifacts" / "left.started").unlink()
    stage = python(place, "-m", "flows", "left", api=api)
    until((place / "artifacts" / "left.started").exists)
    until(lambda: [run for run in ask(api, "flow_runs", **of_flow("left")) if run["state_name"] == "Running"])
    os.killpg(int((place / ".prefect" / "server-started-here.pid").read_text()), signal.SIGKILL)
    try:
        output = stage.communicate(timeout=120)[0]
    except subprocess.TimeoutExpired:
        stage.kill()
        raise
    assert stage.returncode == 0, output
    assert "the work is not affected" in output and "Traceback" not in output
    assert (place / "artifacts" / "left" / "made.txt").read_text() == "left"
