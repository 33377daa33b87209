"""Pictures of studies as PNG: reliability diagrams, accuracy against cost. In the style of `metrics.plots`."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from metrics.calibration import Reliability
from metrics.pareto import pareto_front
from metrics.plots import COLOURS, _panels, _save, _style


def reliability_picture(diagrams: Mapping[str, Reliability], path: Path) -> None:
    """One panel for each titled diagram: accuracy of each bin as a bar, the diagonal on which it should end as a line."""
    with _style():
        figure, panels = _panels(len(diagrams), width=3.4, height=3.4)
        for axes, (title, found) in zip(panels, diagrams.items(), strict=True):
            width = np.diff(found.edges)
            axes.bar(found.edges[:-1], np.nan_to_num(found.accuracy), width, align="edge", color=COLOURS[0], alpha=0.8)
            axes.plot([0, 1], [0, 1], color=COLOURS[1], linestyle="--", linewidth=1)
            axes.set(title=f"{title}, ECE {found.error():.3f}, n = {found.counts.sum():,}", xlabel="confidence",
                     ylabel="accuracy", xlim=(0, 1), ylim=(0, 1), aspect="equal")  # fmt: skip
        _save(figure, path)


def cost_picture(table: pd.DataFrame, cost: str, label: str, path: Path) -> None:
    """`accuracy` with its interval against the column `cost`, on a logarithmic axis; a line joins the Pareto front.

    `table` also has `accuracy_low`, `accuracy_high` and `row`, the name of each point. Raises ValueError where it is empty.
    """
    with _style():
        figure, (axes,) = _panels(min(len(table), 1), width=7.0, height=4.4)
        bars = [table["accuracy"] - table["accuracy_low"], table["accuracy_high"] - table["accuracy"]]
        axes.errorbar(table[cost], table["accuracy"], bars, fmt="o", color=COLOURS[0], ecolor="#999999", markersize=4)
        front = table[pareto_front(table[cost], table["accuracy"])].sort_values(cost)
        axes.plot(front[cost], front["accuracy"], color=COLOURS[1], linewidth=1, label="Pareto front")
        for _, point in table.iterrows():
            axes.annotate(point["row"], (point[cost], point["accuracy"]), xytext=(4, 4), textcoords="offset points", fontsize=7)
        axes.set(xscale="log", xlabel=label, ylabel="accuracy")
        axes.legend(loc="lower right")
        _save(figure, path)
