"""Pictures of results as PNG: confusion matrices, ROC curves, learning curves. Same figures in, same bytes out.

Colours are Okabe & Ito's, told apart with any colour vision (Wong 2011, "Points of view: Color blindness", Nature
Methods 8); the heat map has one hue that darkens. Lines also differ in dash.
"""

import os
from collections.abc import Mapping, Sequence
from itertools import cycle, product
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from metrics.roc import Curve, area, corners

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":")
STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so the picture is the same on every machine
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "savefig.dpi": 150,
    "savefig.bbox": "tight",
}


def confusion_picture(matrices: Mapping[str, np.ndarray], names: Sequence[str], path: Path) -> None:
    """One panel for each titled confusion matrix (K, K): counts, coloured by share of their row (the actual class)."""
    with house_style():
        figure, panels = panelled(len(matrices), width=0.62 * len(names) + 1.5, height=0.55 * len(names) + 1.4)
        for axes, (title, matrix) in zip(panels, matrices.items(), strict=True):
            matrix = np.asarray(matrix)
            shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
            image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
            for i, j in product(range(len(names)), repeat=2):
                ink = "white" if shares[i, j] > 0.5 else "black"
                axes.text(j, i, f"{matrix[i, j]:,}", ha="center", va="center", color=ink, fontsize=8)
            axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
            axes.set_yticks(range(len(names)), names)
            axes.set(title=f"{title}, n = {matrix.sum():,}", xlabel="predicted", ylabel="actual")
            axes.grid(False)
            axes.spines[:].set_visible(False)
            axes.tick_params(length=0)
        figure.colorbar(image, ax=panels, label="share of the actual class", shrink=0.8)
        save(figure, path)


def heat_picture(panels: Mapping[str, np.ndarray], rows: Sequence[str], columns: Sequence[str], path: Path) -> None:
    """One panel for each titled table (R, C) of numbers in [0, 1], darker for higher; what is not a number stays empty."""
    with house_style():
        figure, places = panelled(len(panels), width=0.36 * len(columns) + 1.5, height=0.4 * len(rows) + 1.2)
        for axes, (title, values) in zip(places, panels.items(), strict=True):
            image = axes.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
            axes.set_xticks(range(len(columns)), columns, rotation=90)
            axes.set_yticks(range(len(rows)), rows)
            axes.set_title(title)
            axes.grid(False)
            axes.spines[:].set_visible(False)
            axes.tick_params(length=0)
        figure.colorbar(image, ax=places, shrink=0.8)
        save(figure, path)


def roc_picture(
    curves: Mapping[str, Mapping[str, Curve]],
    path: Path,
    legend: str = "against the rest, area",
    columns: int | None = None,
) -> None:
    """One panel for each titled set of named curves, each with its area in the legend, which is titled `legend`; all in one
    row, or in rows of `columns`."""
    with house_style():
        figure, panels = panelled(len(curves), width=4.6, height=4.4, columns=columns)
        for axes, (title, named) in zip(panels, curves.items(), strict=True):
            axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
            for (name, curve), colour, dash in zip(named.items(), cycle(COLOURS), cycle(DASHES)):
                line = corners(curve)
                axes.plot(line.fpr, line.tpr, dash, color=colour, linewidth=1.4, label=f"{name}, {area(curve):.3f}")
            axes.set(title=title, xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
            axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
            if named:
                axes.legend(title=legend, loc="lower right")
        save(figure, path)


def learning_curve_picture(
    history: pd.DataFrame, panels: Mapping[str, Sequence[str]], path: Path, x: str = "epoch"
) -> None:
    """The columns of `history` over its column `x`; `panels` says by title which go together.

    Empty cells are skipped, so a figure measured every few epochs is drawn through its own points.
    """
    missing = [name for name in (x, *(c for columns in panels.values() for c in columns)) if name not in history]
    if missing:
        there_are = ", ".join(map(str, history.columns))
        raise ValueError(f"no column {', '.join(missing)} in the history; it has {there_are}")
    with house_style():
        figure, places = panelled(len(panels), width=4.6, height=3.2)
        for axes, (title, columns) in zip(places, panels.items(), strict=True):
            for name, colour, dash in zip(columns, cycle(COLOURS), cycle(DASHES)):
                line = history[[x, name]].dropna()
                axes.plot(line[x], line[name], dash, color=colour, linewidth=1.4, label=name)
            axes.set(title=title, xlabel=x)
            axes.legend()
        save(figure, path)


def trade_off_picture(
    points: pd.DataFrame,
    panels: Mapping[str, tuple[str, str]],
    names: Sequence[str],
    before: Mapping[str, tuple[float, float]],
    axes_names: tuple[str, str],
    path: Path,
) -> None:
    """Two figures against each other, a panel for each title with its columns (x, y) of `points`, whose rows are `names`.

    Where the columns `…_low` and `…_high` are there, bars show the interval; `before` is a point to compare with.
    """
    with house_style():
        figure, places = panelled(len(panels), width=4.6, height=4.0)
        for place, (title, columns) in zip(places, panels.items(), strict=True):
            place.plot(*before[title], "x", color="#555555", label="before")
            for number, name, colour in zip(range(len(points)), names, cycle(COLOURS)):
                row = points.iloc[number]
                spread = [
                    [[row[c] - row[f"{c}_low"]], [row[f"{c}_high"] - row[c]]] if f"{c}_low" in points else None
                    for c in columns
                ]
                place.errorbar(
                    row[columns[0]], row[columns[1]], xerr=spread[0], yerr=spread[1], fmt="os^Dv<>ph"[number % 9],
                    color=colour, linewidth=0.8, label=name,
                )  # fmt: skip
            place.set(title=title, xlabel=axes_names[0], ylabel=axes_names[1])
        places[-1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        save(figure, path)


def house_style() -> matplotlib.rc_context:
    """Matplotlib's own defaults and STYLE, whatever this user's matplotlibrc says."""
    return matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE})


def panelled(count: int, width: float, height: float, columns: int | None = None) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels, each `width` by `height` inches, in one row or in full rows of `columns`."""
    if count == 0:
        raise ValueError("there is nothing to draw")
    columns = columns or count
    if count % columns:
        raise ValueError(f"{count} panels do not fill rows of {columns}")
    rows = count // columns
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    FigureCanvasAgg(figure)  # draws to memory: no window system, no global state
    return figure, list(figure.subplots(rows, columns, squeeze=False).ravel())


def save(figure: Figure, path: Path) -> None:
    """Write beside `path` and rename, without the program's name and version that matplotlib would put in."""
    beside = path.with_name(f".{path.name}.part")
    figure.savefig(beside, format="png", metadata={"Software": None})
    os.replace(beside, path)
