"""``sources``: the face data that can be read: what to download, where to put it, and its terms."""

import argparse

from rich.console import Console
from rich.table import Table

from data.sources import SOURCES
from flows.settings import nearest


def main(argv: list[str]) -> int:
    """Prints a table of all sources, or of those named; returns the exit status."""
    words = argparse.ArgumentParser(prog="python -m flows sources", description=__doc__.partition("\n")[0])
    words.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(SOURCES)}; default: all")
    names = words.parse_args(argv).names or list(SOURCES)
    if unknown := [name for name in names if name not in SOURCES]:
        raise ValueError(f"unknown source '{unknown[0]}'; {nearest(unknown[0], list(SOURCES))}")
    table = Table("source", show_lines=True)
    table.add_column("what to get and where to put it", overflow="fold", ratio=2)
    table.add_column("terms", overflow="fold", ratio=1)
    for name in names:
        table.add_row(name, SOURCES[name].WHERE or f"nothing: ./run configure data={name}", SOURCES[name].TERMS)
    Console(highlight=False).print(table)
    return 0
