"""``configure``: composes ``params.yaml`` from the choices in ``conf/``, by DVC's own function, and shows what changed.

    python -m flows configure data=fer2013 data.path=data/raw/fer2013.csv scale=smoke fer.epochs=3

``data=`` and ``scale=`` name a file in ``conf/data`` and ``conf/scale``; every other key is one of params.yaml. What is
not given is as in ``conf/config.yaml``, so the same words give the same file, as does ``dvc exp run -S data=fer2013``.
Paths may have any letters in them, and begin with ~.
"""

import os
import re
import shlex
import tempfile
from pathlib import Path

from flows import settings
from flows.settings import SettingsError, flatten, nearest

CONF = Path("conf")
PATHS = ("data.path", "faces.curation", "singan.features", "san.expressions", "san.matcher", "emoji.path", "stylegan.features",
         "personal_emoji.photos", "personal_emoji.features")  # settings that name what people have on disk
PLAIN = re.compile(r"[A-Za-z0-9_./-]+")


def main(argv: list[str]) -> int:
    """Writes ``params.yaml`` for the given choices; returns the exit status."""
    from rich.console import Console
    from rich.table import Table

    before = flatten(settings.read(settings.FILE)) if settings.FILE.exists() else {}
    after = flatten(configure(argv))
    changed = [key for key in {**before, **after} if (key in before, before.get(key)) != (key in after, after.get(key))]
    console = Console(highlight=False)
    if changed:
        table = Table("setting", "was", "is", title=str(settings.FILE), title_justify="left")
        for key in changed:
            table.add_row(key, *(str(side[key]) if key in side else "-" for side in (before, after)))
        console.print(table)
    else:
        console.print(f"{settings.FILE}: nothing changed")
    if not Path(after["data.path"]).exists():
        console.print(f"note: data.path is {after['data.path']}, where nothing is yet; ingest needs it", style="yellow")
    return 0


def configure(overrides: list[str], conf: Path = CONF, file: Path = settings.FILE) -> dict:
    """Composes ``conf`` with ``overrides`` into ``file`` and returns the values; writes nothing unless all is valid."""
    for override in overrides:
        _check(override, conf)
    words = shlex.join(["configure", *overrides])
    overrides = [_spelt(override) for override in overrides]
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
        composed = Path(folder) / file.name
        _compose(overrides, conf, composed)
        values = settings.read(composed)
        settings.validate(values, file)
        composed.write_text(f"# Made by `python -m flows {words}` from {conf.name}/.\n{composed.read_text()}")
        os.replace(composed, file)
    return values


def _compose(overrides: list[str], conf: Path, output: Path) -> None:
    from dvc.utils.hydra import compose_and_dump
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        compose_and_dump(output, str(conf.resolve()), None, "config", str(conf.resolve()), overrides)
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingsError(f"{conf} cannot be composed with '{' '.join(overrides)}': {error}") from None


def _spelt(override: str) -> str:
    """The word as Hydra's grammar wants it: a path with other than its plain letters in quotes, ~ as the home folder."""
    key, _, value = override.partition("=")
    if key not in PATHS or not value or PLAIN.fullmatch(value) or value[0] in ("'", '"'):
        return override
    value = str(Path(value).expanduser()).replace("'", "\\'")
    return f"{key}='{value}'"


def _check(override: str, conf: Path) -> None:
    """Refuses a word that names no choice and no setting, with the nearest that does; Hydra's own errors name none."""
    key, equals, value = override.partition("=")
    folders = [each for each in conf.iterdir() if each.is_dir()]
    groups = {folder.name: sorted(file.stem for file in folder.glob("*.yaml")) for folder in folders}
    known = [*groups, *settings.keys()]
    if not equals:
        raise SettingsError(f"'{override}' is not of the form key=value; {nearest(key, known)}")
    if key not in known:
        raise SettingsError(f"unknown setting '{key}'; {nearest(key, known)}")
    if key in groups and value not in groups[key]:
        raise SettingsError(f"{conf / key} has no choice '{value}'; {nearest(value, groups[key])}")
