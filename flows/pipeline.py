"""``run``: the graph, driven by Prefect. One task a stage, independent stages at the same time, each through DVC.

A stage is ``dvc --wait-for-lock repro --single-item STAGE`` in a process of its own; DVC decides whether it runs and
keeps what it makes. The stage's own flow run is shown under the task. This process never imports JAX.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from flows import graph, processes, settings, ui
from flows.graph import Node

POLL = 2.0  # seconds between two looks at whether the run was cancelled in Prefect
GOOD = ("ran", "cached")  # outcomes after which the stages that depend on it can run


def main(argv: list[str]) -> int:
    """Runs stages and all that they depend on; 0 if all are well, 1 if one failed, 130 if the run was cancelled."""
    parser = argparse.ArgumentParser(prog="python -m flows run", description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="stages at the same time (default 1)")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="with all that they depend on (default: all)")
    options = parser.parse_args(argv)
    if options.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {options.jobs}")
    nodes = graph.with_upstream(graph.load(), options.stages)
    params = settings.load()
    api = ui.ensure()
    ui.connect(api)
    print(f"watch it at {ui.page(api)}", flush=True)
    run = Run(nodes, options.jobs)
    drive(run, f"{params.data.source} {params.scale}", asdict(params))
    run.report()
    return 130 if run.cancelled.is_set() else int(any(run.outcomes.get(name) not in GOOD for name in nodes))


class Run:
    """One run of the graph: what has become of each stage, and the processes that live now."""

    def __init__(self, nodes: dict[str, Node], jobs: int) -> None:
        self.nodes = nodes
        self.stale = set(graph.status())
        self.outcomes: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self.slots = threading.Semaphore(jobs)
        self.alive: dict[str, subprocess.Popen] = {}
        self.cancelled = threading.Event()

    def stage(self, name: str, environment: dict[str, str], say: Callable[[str], None]) -> str:
        """Brings one stage up to date, saying each line of its output; returns and keeps the outcome."""
        upstream = [self.outcomes[other] for other in self.nodes[name].upstream]
        if any(outcome not in GOOD for outcome in upstream):
            outcome = "skipped"
        elif name not in self.stale and "ran" not in upstream:
            outcome = "cached"
        else:
            with self.slots:
                outcome = self._through_dvc(name, environment, say)
        self.outcomes[name] = outcome
        return outcome

    def cancel(self) -> None:
        """Ends all processes and lets no further one start."""
        self.cancelled.set()
        processes.end(list(self.alive.values()))

    def report(self) -> None:
        """Prints what has become of each stage."""
        from rich.console import Console
        from rich.table import Table

        table = Table("stage", "outcome", "seconds")
        for name in self.nodes:
            seconds = f"{self.seconds[name]:.0f}" if name in self.seconds else ""
            table.add_row(name, self.outcomes.get(name, "not run"), seconds)
        Console(highlight=False).print(table)

    def _through_dvc(self, name: str, environment: dict[str, str], say: Callable[[str], None]) -> str:
        if self.cancelled.is_set():
            return "cancelled"
        started, ran = time.monotonic(), False
        command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", name]
        self.alive[name] = process = processes.start(command, environment)
        if self.cancelled.is_set():  # between the first look and the start
            processes.end([process])
        for line in process.stdout:
            ran = ran or line.startswith("Running stage")
            if line.strip():
                say(line.rstrip())
        failed = process.wait() != 0
        del self.alive[name]
        self.seconds[name] = time.monotonic() - started
        if self.cancelled.is_set():
            return "cancelled"
        return "failed" if failed else "ran" if ran else "cached"


def drive(run: Run, name: str, parameters: dict) -> None:
    """Has Prefect run the stages of ``run`` as tasks of one flow run called ``name``."""
    from prefect import allow_failure, flow, task
    from prefect.cache_policies import NO_CACHE
    from prefect.client.schemas.objects import State
    from prefect.flow_engine import run_flow
    from prefect.futures import wait
    from prefect.logging import get_run_logger
    from prefect.runtime import task_run
    from prefect.states import Cancelled, Completed, Failed
    from prefect.task_runners import ThreadPoolTaskRunner

    from flows import page

    def state(outcome: str) -> State:  # made anew each time: a state carries the moment it was made
        match outcome:
            case "ran":
                return Completed()
            case "cached":
                return Completed(name="Cached", message="up to date")
            case "failed":
                return Failed(message="see the log")
            case "skipped":  # not of type Cancelled, behind which Prefect would leave the next stages pending for ever
                return Failed(name="Skipped", message="a stage it depends on failed")
            case _:
                return Cancelled()

    @task(persist_result=False, cache_policy=NO_CACHE)
    def stage(name: str):
        logger = get_run_logger()

        def say(line: str) -> None:
            logger.info(line)
            print(f"[{name}] {line}", flush=True)

        return state(run.stage(name, child_environment(task_run.id), say))

    @flow(name="personal-emoji", persist_result=False, validate_parameters=False)
    def pipeline(settings: dict):
        futures = {}
        try:
            for node in run.nodes.values():
                before = [allow_failure(futures[other]) for other in node.upstream]
                named = stage.with_options(name=node.name, task_run_name=node.name)
                futures[node.name] = named.submit(node.name, wait_for=before)
            while wait(list(futures.values()), timeout=POLL).not_done:
                if page.is_cancelled():
                    run.cancel()
        except BaseException:  # Ctrl-C, SIGTERM
            run.cancel()
            wait(list(futures.values()))
        bad = [name for name in run.nodes if run.outcomes.get(name) not in (*GOOD, "skipped")]
        if run.cancelled.is_set():
            return Cancelled(message="cancelled; its processes have ended")
        return Failed(message=f"failed: {', '.join(bad)}") if bad else Completed()

    pipeline = pipeline.with_options(task_runner=ThreadPoolTaskRunner(max_workers=len(run.nodes)))
    try:
        run_flow(pipeline, page.open_run(pipeline, name, parameters), {"settings": parameters}, return_type="state")
    except Exception as error:
        if len(run.outcomes) < len(run.nodes):
            raise
        print(f"Prefect's server went away ({type(error).__name__}); the stages are not affected")
    finally:
        processes.end(list(run.alive.values()))


def child_environment(task: str) -> dict[str, str]:
    """The environment of a stage: this one's, with our Python first and the task that its run is to be shown under."""
    from flows.page import PARENT

    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1", PARENT: str(task)}
