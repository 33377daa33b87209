"""The wrapper around every stage: settings in, output folder out, seen in Prefect where a server answers.

A stage is ``flows/<stage>.py`` with one function ``run(stage: Stage) -> None``. It writes into ``stage.out``, a folder
beside the stage's place that takes that place only when the function has ended well; so what lies in ``artifacts/`` is
whole.
"""

import contextlib
import fcntl
import importlib
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path

from flows import graph, processes, settings, ui
from flows.sections import Params
from flows.watch import LOGGER, Terminal, Watch, Watcher

CHECKPOINTS = Path(".checkpoints")


class Terminated(BaseException):
    """The process was asked to end."""


@dataclass(frozen=True)
class Stage:
    """What a stage's function gets. It reads only those sections of ``params`` that dvc.yaml declares for it."""

    name: str  # "fer@base"
    item: str | None  # "base", for a stage of a matrix
    params: Params
    inputs: dict[str, Path]  # artifacts folders of the stages it reads from, by their names
    out: Path  # an empty folder; its content becomes artifacts/<stage>
    checkpoints: Path  # for the state of an unfinished run with the same parameters, data and code
    watch: Watcher


def main(name: str) -> int:
    """Runs the stage called ``name``; returns the exit status. What a person can mend is told in one paragraph."""
    _end_when_told()
    try:
        node = graph.find(nodes := graph.load(), name)
        params = settings.load()
        function = importlib.import_module(f"flows.{name.partition('@')[0]}").run
        with _alone(name), _log_file(name):
            _execute(function, nodes, node, params)
        return 0
    except (ValueError, ArithmeticError, OSError) as error:
        print(f"{name} failed: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, Terminated) as error:
        print(f"{name} was ended before it was done", file=sys.stderr)
        return 130 if isinstance(error, KeyboardInterrupt) else 143


def _execute(function: Callable[[Stage], None], nodes: dict[str, graph.Node], node: graph.Node, params: Params) -> None:
    mark = graph.fingerprint(node.name)
    terminal = Terminal(node.name)
    watch = Watch(terminal)
    checkpoints = CHECKPOINTS / node.name / mark
    checkpoints.mkdir(parents=True, exist_ok=True)

    def work() -> None:
        _end_when_told()  # Prefect has put its own handler in between
        with _published(node.out) as out:
            item = node.name.partition("@")[2] or None
            function(Stage(node.name, item, params, graph.inputs(nodes, node), out, checkpoints, watch))
            _check(out, node)
            _show(out, watch)
        for old in checkpoints.parent.iterdir():  # those of other parameters, data or code are of no more use
            if old.is_dir() and old != checkpoints:
                shutil.rmtree(old)

    try:
        if ui.answers(ui.address()):
            from flows import page

            page.run(f"{node.name} {mark[:6]}", work, watch, declared(params, node))
        else:
            watch.log("no Prefect server answers; to watch runs in a browser: python -m flows ui")
            work()
    finally:
        terminal.close()


def declared(params: Params, node: graph.Node) -> dict:
    """The settings that a stage depends on, as plain values by the names that dvc.yaml gives them."""
    return {key: reduce(dict.__getitem__, key.split("."), asdict(params)) for key in node.params}


@contextlib.contextmanager
def _published(out: Path) -> Iterator[Path]:
    """An empty folder beside ``out`` that replaces it if all goes well and is removed if not."""
    partial = out.parent / f".{out.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if out.exists():
            shutil.rmtree(out)
        os.replace(partial, out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check(out: Path, node: graph.Node) -> None:
    """Refuses a folder that is not what dvc.yaml says: DVC would keep only what is declared there."""
    made = {each.name for each in out.iterdir()}
    wanted = {each.relative_to(node.out).parts[0] for each in node.outs}
    if missing := sorted(wanted - made):
        raise ValueError(f"it did not make {', '.join(missing)}, which dvc.yaml declares as its outs")
    if extra := sorted(made - wanted):
        raise ValueError(f"it made {', '.join(extra)}, which dvc.yaml does not declare as its outs or metrics")


def _show(out: Path, watch: Watcher) -> None:
    """Shows what the stage has made: its figures and pictures."""
    if (figures := out / "metrics.json").exists():
        watch.table("figures", [json.loads(figures.read_text())])
    for picture in sorted(out.glob("*.png")):
        watch.picture(picture.stem, picture)


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """Refuses to run a stage twice at a time: both would write the same checkpoints."""
    folder = CHECKPOINTS / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(f"{name} is already running in this folder; wait for it or end it") from None
        yield


@contextlib.contextmanager
def _log_file(name: str) -> Iterator[None]:
    """Keeps the whole log of the last run, with tracebacks, in ``.checkpoints/<stage>/log.txt``."""
    logging.raiseExceptions = False  # a full disk must not bury the message about it
    handler = logging.FileHandler(CHECKPOINTS / name / "log.txt", mode="w")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOGGER.setLevel(logging.DEBUG)
    LOGGER.propagate = False
    LOGGER.addHandler(handler)
    try:
        yield
    except Exception:
        LOGGER.debug("failed", exc_info=True)
        raise
    finally:
        LOGGER.removeHandler(handler)
        handler.close()


def _end_when_told() -> None:
    """Ends tidily on SIGTERM; under DVC also when DVC is gone, which otherwise leaves its commands running (Linux)."""

    def terminate(signum: int, frame) -> None:
        signal.signal(signum, signal.SIG_IGN)  # DVC's end tells us again, and that must not disturb the tidying up
        raise Terminated

    signal.signal(signal.SIGTERM, terminate)
    if "DVC_STAGE" in os.environ:
        processes.end_with_parent()
