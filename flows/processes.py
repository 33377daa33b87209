"""Processes that really end: each in a group of its own, ended whole, also when the one that started it is gone.

``python -m flows.processes COMMAND…`` becomes COMMAND after asking the system for that last promise.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def start(command: list[str], environment: dict[str, str]) -> subprocess.Popen:
    """Starts ``command`` in its own process group; its output, both streams merged, is read as lines of ``stdout``."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows.processes", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
        start_new_session=True,
    )


def end(processes: list[subprocess.Popen], grace: float = 10) -> None:
    """Ends whole groups: asks first, and after ``grace`` seconds no longer asks."""
    import psutil

    members = [member for process in processes if process.poll() is None for member in _family(process.pid)]
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, sign)
        _, members = psutil.wait_procs(members, timeout=grace)
        if not members:
            return


def end_with_parent() -> None:
    """Has this process get SIGTERM when its parent is gone (Linux; elsewhere nothing happens)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _family(pid: int) -> list:
    import psutil

    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


if __name__ == "__main__":
    end_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])
