"""A picture of studies as PNG: accuracy against cost, in the style of `metrics.plots`."""

from pathlib import Path

import pandas as pd

from metrics.pareto import pareto_front
from metrics.plots import COLOURS, house_style, panelled, save


def cost_picture(table: pd.DataFrame, cost: str, label: str, path: Path) -> None:
    """`accuracy` with its interval against the column `cost`, on a logarithmic axis; a line joins the Pareto front.

    `table` also has `accuracy_low`, `accuracy_high` and `row`, the name of each point. Raises ValueError where it is empty.
    """
    with house_style():
        figure, (axes,) = panelled(min(len(table), 1), width=7.0, height=4.4)
        bars = [table["accuracy"] - table["accuracy_low"], table["accuracy_high"] - table["accuracy"]]
        axes.errorbar(table[cost], table["accuracy"], bars, fmt="o", color=COLOURS[0], ecolor="#999999", markersize=4)
        front = table[pareto_front(table[cost], table["accuracy"])].sort_values(cost)
        axes.plot(front[cost], front["accuracy"], color=COLOURS[1], linewidth=1, label="Pareto front")
        for _, point in table.iterrows():
            axes.annotate(point["row"], (point[cost], point["accuracy"]), xytext=(4, 4), textcoords="offset points", fontsize=7)
        axes.set(xscale="log", xlabel=label, ylabel="accuracy")
        axes.legend(loc="lower right")
        save(figure, path)
