"""In data/raw git sees what DVC notes of a download, and never the download."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_git_keeps_the_notes_of_dvc_and_not_the_pictures(tmp_path):
    for name in (".gitignore", "data/raw/.gitignore"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("fer2013.csv", "fer2013.csv.dvc", "mine/happy/1.jpg", "mine.dvc", "README.md"):
        (tmp_path / "data/raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data/raw" / name).write_text("x")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    command = ["git", "-C", tmp_path, "ls-files", "--others", "--exclude-standard", "data"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert found == ["data/raw/.gitignore", "data/raw/README.md", "data/raw/fer2013.csv.dvc", "data/raw/mine.dvc"]
