"""Environments for what we are compared with: made for one measurement, never a dependency of ours."""

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path


def install(folder: Path, packages: Sequence[str]) -> Path:
    """A new environment in `folder` with `packages`, some minutes' work; returns its Python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python
