"""``./run``: the environment is made once for a lock, again after an interruption, and what it started ends with it."""

import importlib.machinery
import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The script as a module, for a checkout in a temporary folder, with pip and venv replaced by a list of calls."""
    loader = importlib.machinery.SourceFileLoader("run_script", str(ROOT / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_script", loader))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader.exec_module(module)
    (tmp_path / ".venv").mkdir()
    (tmp_path / "requirements.lock").write_text("numpy==2.0 --hash=sha256:0\n")
    monkeypatch.setattr(module, "LOCK", str(tmp_path / "requirements.lock"))
    monkeypatch.setattr(module, "STAMP", str(tmp_path / ".venv" / "made-from.txt"))
    module.calls = []
    module.result = 0
    monkeypatch.setattr(module.subprocess, "call", lambda command: module.calls.append(command) or module.result)
    return module


def test_the_environment_is_made_once_for_a_lock(run):
    run.set_up()
    assert [command[2] for command in run.calls] == ["venv", "pip"]
    assert {"--require-hashes", "--no-deps"} <= set(run.calls[1])
    run.set_up()
    assert len(run.calls) == 2
    Path(run.LOCK).write_text("numpy==2.1 --hash=sha256:1\n")
    run.set_up()
    assert len(run.calls) == 4


def test_an_interrupted_installation_is_done_again_from_nothing(run):
    run.result = 1
    with pytest.raises(SystemExit, match="call ./run again"):
        run.set_up()
    assert not Path(run.STAMP).exists()
    run.result = 0
    run.set_up()
    assert "--clear" in run.calls[-2] and Path(run.STAMP).exists()


def test_an_old_python_is_told_which_is_needed(run, monkeypatch):
    monkeypatch.setattr(run.sys, "version_info", (3, 9, 1))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        run.main([])


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_what_it_started_ends_with_it(sign, tmp_path):
    command = ["sh", "-c", "sleep 60 & echo $! > child; wait"]
    script = f"import importlib.machinery as m; run = m.SourceFileLoader('r', {str(ROOT / 'run')!r}).load_module()"
    code = f"{script}; run.sys.exit(run.supervise({command!r}))"
    watcher = subprocess.Popen([sys.executable, "-B", "-c", code], cwd=tmp_path)
    child = wait_for_pid(tmp_path / "child")
    watcher.send_signal(sign)
    assert watcher.wait(20) == 128 + sign
    assert not psutil.pid_exists(child)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells processes that their parent is gone")
def test_what_it_started_ends_even_if_it_is_killed(tmp_path):
    script = f"import importlib.machinery as m; run = m.SourceFileLoader('r', {str(ROOT / 'run')!r}).load_module()"
    command = ["sh", "-c", "echo $$ > child; exec sleep 60"]
    watcher = subprocess.Popen([sys.executable, "-B", "-c", f"{script}; run.supervise({command!r})"], cwd=tmp_path)
    child = psutil.Process(wait_for_pid(tmp_path / "child"))
    watcher.kill()
    watcher.wait()
    assert psutil.wait_procs([child], timeout=10)[1] == []


def wait_for_pid(file: Path) -> int:
    deadline = time.monotonic() + 20
    while not (file.exists() and file.read_text().strip()):
        assert time.monotonic() < deadline, "the command did not start"
        time.sleep(0.05)
    return int(file.read_text())


def test_it_is_executable_and_so_is_the_script_for_ci():
    assert os.access(ROOT / "run", os.X_OK) and os.access(ROOT / ".ci" / "run", os.X_OK)
