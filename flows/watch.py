"""What a stage says while it runs: a log, progress, figures, tables and pictures, to a terminal, a log file or Prefect.

``Watch`` is the one that stages get. It passes all on to its views; each view slows down what is too fast for it.
"""

import logging
import sys
import time
from numbers import Integral, Real
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LOGGER = logging.getLogger("flows")


class Watcher(Protocol):
    """What programs may say about their work. They take one without importing it, so they run without ``flows``."""

    def log(self, text: str) -> None: ...
    def progress(self, done: int, total: int, text: str = "") -> None: ...
    def metrics(self, values: dict[str, float]) -> None: ...
    def table(self, name: str, rows: list[dict]) -> None: ...
    def picture(self, name: str, path: Path) -> None: ...


class Watch:
    """Passes all on to its views, and the words also to the log file."""

    def __init__(self, *views: Watcher) -> None:
        self.views = list(views)

    def log(self, text: str) -> None:
        """One line about what happens; at most a few a minute."""
        LOGGER.info(text)
        for view in self.views:
            view.log(text)

    def progress(self, done: int, total: int, text: str = "") -> None:
        """``done`` of ``total`` pieces of work are done; may be called as often as one likes."""
        for view in self.views:
            view.progress(done, total, text)

    def metrics(self, values: dict[str, float]) -> None:
        """Figures of one moment, an epoch for instance: one row of a growing table."""
        LOGGER.info(row(values))
        for view in self.views:
            view.metrics(values)

    def table(self, name: str, rows: list[dict]) -> None:
        """A table that replaces the last one of that name."""
        LOGGER.info("%s: %s", name, rows)
        for view in self.views:
            view.table(name, rows)

    def picture(self, name: str, path: Path) -> None:
        """A picture file that replaces the last one of that name."""
        for view in self.views:
            view.picture(name, path)


class Terminal:
    """A progress bar in a terminal; in a log, plain lines, at most one in ``every`` seconds about progress."""

    def __init__(self, name: str, file=None, every: float = 5) -> None:
        self.name, self.every = name, every
        self.console = Console(file=file or sys.stdout, highlight=False, soft_wrap=True, markup=False)
        self.bar: Progress | None = None
        self.said = time.monotonic()

    def log(self, text: str) -> None:
        self.console.print(f"{self.name}: {text}")

    def progress(self, done: int, total: int, text: str = "") -> None:
        if self.console.is_terminal:
            self._draw(done, total, text)
        elif time.monotonic() - self.said >= self.every:
            self.said = time.monotonic()
            self.log(f"{done}/{total} {text}".rstrip())

    def metrics(self, values: dict[str, float]) -> None:
        self.log(row(values))

    def table(self, name: str, rows: list[dict]) -> None:
        self.log(f"{name}: {row(rows[0])}" if len(rows) == 1 else f"{name}: {len(rows)} rows")

    def picture(self, name: str, path: Path) -> None:
        """A terminal shows no pictures; they are files in the stage's folder."""

    def close(self) -> None:
        """Takes the bar away."""
        if self.bar:
            self.bar.stop()
            self.bar = None

    def _draw(self, done: int, total: int, text: str) -> None:
        if not self.bar:
            times = (TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
            columns = (TextColumn(self.name), BarColumn(), MofNCompleteColumn(), *times)
            self.bar = Progress(*columns, console=self.console, transient=True)
            self.bar.start()
            self.bar.add_task(text, total=total)
        self.bar.update(self.bar.task_ids[0], completed=done, total=total, description=text)


def row(values: dict) -> str:
    """``{"epoch": 3, "loss": 1.23456}`` as ``epoch 3  loss 1.235``."""
    return "  ".join(f"{key} {_short(value)}" for key, value in values.items())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, Real) and not isinstance(value, Integral) else str(value)
