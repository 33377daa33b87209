"""Reliability diagrams as PNG (Guo et al. 2017, figure 1), in the style of `metrics.plots`."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from metrics.calibration import Reliability
from metrics.plots import COLOURS, house_style, panelled, save


def reliability_picture(diagrams: Mapping[str, Reliability], path: Path, columns: int | None = None) -> None:
    """One panel for each titled diagram, all in one row or in rows of `columns`: accuracy of each bin as a bar, as dark as
    rows are in it, and the diagonal on which it should end as a line."""
    with house_style():
        figure, panels = panelled(len(diagrams), width=3.4, height=3.6, columns=columns)
        for axes, (title, found) in zip(panels, diagrams.items(), strict=True):
            width, shares = np.diff(found.edges), found.counts / found.counts.max()
            bars = axes.bar(found.edges[:-1], np.nan_to_num(found.accuracy), width, align="edge", color=COLOURS[0], edgecolor="white")
            for bar, share in zip(bars, shares, strict=True):
                bar.set_alpha(0.25 + 0.75 * share)
            axes.plot([0, 1], [0, 1], color=COLOURS[1], linestyle="--", linewidth=1)
            axes.set(title=f"{title}\nECE {found.error():.3f}, n = {found.counts.sum():,}", xlabel="confidence",
                     ylabel="accuracy", xlim=(0, 1), ylim=(0, 1), aspect="equal")  # fmt: skip
        save(figure, path)
