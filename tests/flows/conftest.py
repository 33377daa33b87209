"""Where the tests of the pipeline's machinery run: in a small project of their own, without a Prefect server."""

from pathlib import Path

import pytest
from dvc_project import NOBODY, make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, which is also the working directory; it has conf/ and params.yaml, but no dvc.yaml yet."""
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_API_URL", NOBODY)
    return tmp_path
