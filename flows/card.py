"""The model card of the realtime runner: what is in it, from which data, how good it is, and on what terms."""

from collections.abc import Iterable
from pathlib import Path

from data.sources import SOURCES
from realtime.bundle import Settings

RELEASED = Path("models/released/mini_xception_fer2013.npz")  # the classifier that exports take by default
ACCURATE = RELEASED.with_name("residual_fer2013.npz")  # ninety times as large
DETECTOR = """MTCNN (Zhang et al. 2016), the P-, R- and O-Net weights of the `mtcnn` package (MIT licence)."""
SHOWN_ABOVE = ("labels", "size", "channels")
LIMITS = """The classifier names the expression that a face shows, which is not what a person feels. Neutral and sad are
the pair most often taken for each other; glasses and dark or turned faces cost accuracy; the pictures it learned from
show mostly Western faces. Do not decide anything about people by it."""


def card(file: str, record: dict, evaluation: dict | None, settings: Settings, differences: dict[str, float],
         emoji: list[str], privacy: list[str]) -> str:
    """The card as Markdown.

    Args:
        file: name of the classifier's weight file.
        record: the card in that file.
        evaluation: figures of the `evaluate` stage, for a classifier trained in this run.
        settings: what model.json holds.
        differences: the largest difference of each ONNX network from its JAX form.
        emoji: where they are from, a line each.
        privacy: what is hidden and how well, a line each; none where nothing can be.
    """
    colour = "grey" if settings.channels == 1 else "RGB"
    turned = "eyes level" if settings.align else "not turned"
    sections = {
        "Classifier": [
            f"file: {file}",
            f"labels: {', '.join(settings.labels)}",
            f"input: {settings.size}x{settings.size} {colour}, value * {settings.scale:.8f} {settings.offset:+g}",
            f"cut: {turned}, margin {settings.margin:g}",
            *_lines({name: value for name, value in record.items() if name not in SHOWN_ABOVE}),
        ],
        "Figures of this run": _lines(evaluation) if evaluation else [],
        "Detector": [DETECTOR, f"faces from {settings.min_face:g} pixels, in every {settings.detect_every}th frame"],
        "Conversion": [f"{name}: ONNX and JAX differ by at most {value:.1e}" for name, value in differences.items()],
        "Emoji": emoji,
        "Privacy": privacy,
    }
    parts = ["# emoji_cam"] + [_section(title, lines) for title, lines in sections.items() if lines]
    return "\n\n".join([*parts, f"## Limits\n\n{LIMITS}"]) + "\n"


def terms_of(sources: Iterable[str]) -> dict[str, str]:
    """On what terms the data of these sources is, by source."""
    return {source: SOURCES[source].TERMS for source in sources}


def _section(title: str, lines: list[str]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines)


def _lines(values: dict, prefix: str = "") -> list[str]:
    """One line a value; names of nested values are joined by a dot."""
    lines = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines += _lines(value, f"{prefix}{name}.")
        else:
            lines.append(f"{prefix}{name}: {value:.4g}" if isinstance(value, float) else f"{prefix}{name}: {value}")
    return lines
