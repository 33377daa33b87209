"""``ui``: the Prefect server that shows the runs. Everything works without one; where one answers, runs appear in it.

The address is ``PREFECT_API_URL``, or this machine's port 4200. A server started here keeps its state in ``.prefect/``
and goes on until ``python -m flows ui --stop``.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

HOME = Path(".prefect")
DEFAULT = "http://127.0.0.1:4200/api"


class ServerError(OSError):
    """No Prefect server could be started."""


def main(argv: list[str]) -> int:
    """Starts a server if none answers and prints its address; ``--stop`` ends the one started here."""
    parser = argparse.ArgumentParser(prog="python -m flows ui", description=__doc__.partition("\n")[0])
    parser.add_argument("--stop", action="store_true", help="end the server that was started here")
    if parser.parse_args(argv).stop:
        print("stopped" if stop() else "no server of ours is running")
    else:
        print(f"Prefect: {page(ensure())}")
    return 0


def address() -> str:
    """The API address of the server that would be used."""
    return os.environ.get("PREFECT_API_URL", DEFAULT).rstrip("/")


def page(api: str) -> str:
    """The address for a browser."""
    return api.removesuffix("/api")


def answers(api: str, timeout: float = 0.3) -> bool:
    """Whether a healthy server is at ``api``; asked without importing Prefect, which takes seconds."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{api}/health", timeout=timeout) as response:
            return response.read().strip() == b"true"
    except (OSError, ValueError):
        return False


def connect(api: str) -> None:
    """Points this process and those it starts to the server; to be called before Prefect is imported."""
    os.environ |= {"PREFECT_API_URL": api, "DO_NOT_TRACK": "1"}
    os.environ.setdefault("PREFECT_HOME", str(HOME.resolve()))
    os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "1")  # a server that went away must not hold up the work
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")  # the terminal has its own, shorter log


def ensure(wait: float = 90) -> str:
    """The API address of a server that answers, started if need be; ``ServerError`` after ``wait`` seconds without."""
    api = address()
    if answers(api, timeout=2):
        return api
    url = urlsplit(api)
    if url.hostname not in ("127.0.0.1", "localhost"):
        raise ServerError(f"no Prefect server answers at {api}; start it there, or unset PREFECT_API_URL")
    HOME.mkdir(exist_ok=True)
    log = HOME / "server.log"
    command = [sys.executable, "-m", "prefect", "server", "start"]
    command += ["--host", url.hostname, "--port", str(url.port or 80)]
    environment = {key: value for key, value in os.environ.items() if key != "PREFECT_API_URL"}
    environment |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_UI_API_URL": api}
    environment.setdefault("PREFECT_HOME", str(HOME.resolve()))
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    _pid_file().write_text(str(server.pid))
    deadline = time.monotonic() + wait
    while not answers(api):
        if server.poll() is not None or time.monotonic() > deadline:
            stop()
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            raise ServerError(f"the Prefect server did not start at {api}; the end of {log}:\n{tail}")
        time.sleep(0.2)
    return api


def stop() -> bool:
    """Ends the server started here; returns whether there was one."""
    import psutil

    try:
        server = psutil.Process(int(_pid_file().read_text()))
        if "prefect" not in server.cmdline():  # the number may belong to another program by now
            return False
        os.killpg(server.pid, signal.SIGTERM)
        psutil.wait_procs([server], timeout=10)
        return True
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess, ProcessLookupError):
        return False
    finally:
        _pid_file().unlink(missing_ok=True)


def _pid_file() -> Path:
    return HOME / "server-started-here.pid"
