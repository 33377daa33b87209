"""Programs that take turns, round by round, so that a noisy moment falls on all of them; and the clock that they use."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Command = Sequence[str | Path]


def in_turns(commands: Mapping[str, Command], rounds: int) -> list[dict[str, dict[str, Any]]]:
    """What each program's last line says, as JSON, by its name, round by round.

    Each runs as its users run it: ours in the environment that `python -m flows` makes, the others in their own.
    """
    return [{name: _said(command) for name, command in commands.items()} for _ in range(rounds)]


def _said(command: Command) -> dict[str, Any]:
    environment = None
    if str(command[0]) == sys.executable:
        from flows.environment import VARIABLES

        environment = os.environ | VARIABLES
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def milliseconds(step: Callable[[], object], count: int, warm: int) -> list[float]:
    """How long each of `count` calls took, after `warm` more that compile and settle."""
    times = []
    for _ in range(warm + count):
        began = time.perf_counter()
        step()
        times.append((time.perf_counter() - began) * 1e3)
    return times[warm:]
