"""A small DVC project for tests: this repository's settings, and stages that a test makes up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "http://127.0.0.1:9/api"  # the discard port: no Prefect server answers there


def make_project(folder: Path) -> None:
    """Puts configuration and DVC's own files into ``folder``."""
    from flows.configure import configure

    shutil.copytree(ROOT / "conf", folder / "conf")
    (folder / ".dvc").mkdir()
    config = (ROOT / ".dvc" / "config").read_text()
    (folder / ".dvc" / "config").write_text(config.replace("[core]", "[core]\n    no_scm = true"))
    configure(["scale=smoke"], folder / "conf", folder / "params.yaml")


def python(folder: Path, *arguments: str, api: str = NOBODY, **options) -> subprocess.Popen:
    """``python ARGUMENTS`` in ``folder``, with its output merged and piped."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "PREFECT_API_URL": api}
    environment["PREFECT_HOME"] = str(folder / ".prefect")
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **options,
    )
