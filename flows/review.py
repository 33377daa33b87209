"""The review page of the stage `faces`: what the cleaning rules took out, to be judged by a person in a browser.

One self-contained HTML file. The verdicts given on it are downloaded as `curation.csv`, which `faces.curation` reads.
"""

import base64
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.ticker import MaxNLocator

from data.cleaning import RULES, beyond, duplicate
from data.cleaning.look import Look
from data.faceset import EXPRESSIONS, FaceSet

TEMPLATE = Path(__file__).with_name("review.html.jinja")
CURATION = "curation"  # a person's earlier verdict, which stands among the rules in `rejected_by` but measures nothing
UNLABELLED = "unlabelled"

MARKED = 42  # pictures shown of those that a rule marks ...
CLOSEST = 14  # ... of which so many are the nearest to the threshold; the others lie evenly between it and the worst
BORDERLINE = 18  # kept pictures shown, the nearest to the threshold
SIDE = 96  # pixels of a shown picture
QUALITY = 80  # of its JPEG: about 3 kB a picture, so a page with all rules full is about 2.5 MB

BINS = 48
WIDE, HIGH = 640, 120  # of a histogram's bars, in the units of its picture
PIXELS = 16  # side of the thumbnails that are compared to find what a duplicate is a copy of
RATHER = 0.1  # by so much must another copy be more like before it is shown instead of an unmarked picture
BATCH = 1024


def write_review(
    path: Path, verdicts: pd.DataFrame, pictures: FaceSet, thresholds: dict[str, float | None]
) -> None:
    """Writes the page; the same arguments give the same bytes.

    Args:
        path: the file to write, whole or not at all.
        verdicts: one row a row of `pictures`, in the same order: id, origin, split, label (index into `EXPRESSIONS` or
            null), kept (bool), rejected_by (comma-joined rules that mark it), and one column a rule with its measure
            (float, nan where it cannot be told).
        pictures: what `ingest` made. Only the few pictures that are shown are read, and, where duplicates are marked,
            every picture once.
        thresholds: of each rule; None where it is off.

    Raises:
        ValueError: `verdicts` is not about `pictures`, or lacks a column.
    """
    check(verdicts, pictures)
    marks = marks_of(verdicts)
    environment = Environment(loader=FileSystemLoader(TEMPLATE.parent), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)
    environment.filters["number"] = "{:,}".format
    page = environment.get_template(TEMPLATE.name).render(
        key=hashlib.sha256("".join(verdicts["id"]).encode()).hexdigest()[:16],
        expressions=EXPRESSIONS,
        marks=list(marks),
        before=len(verdicts),
        after=int(verdicts["kept"].sum()),
        tables={"expression": counts(class_names(verdicts), marks, verdicts["kept"]),
                "split": counts(verdicts["split"].fillna("none"), marks, verdicts["kept"])},
        rules=[section(name, verdicts, marks, pictures, thresholds.get(name)) for name in marks],
    )
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(page, encoding="utf-8")
    beside.replace(path)


def check(verdicts: pd.DataFrame, pictures: FaceSet) -> None:
    """Raises ValueError where the verdicts are not about these pictures, row by row."""
    wanted = ["id", "origin", "split", "label", "kept", "rejected_by", *RULES]
    if absent := [name for name in wanted if name not in verdicts]:
        raise ValueError(f"verdicts without column {', '.join(absent)}: give one for each rule, nan where not measured")
    if len(verdicts) != len(pictures) or (verdicts["id"].to_numpy() != pictures.table["id"].to_numpy()).any():
        raise ValueError(f"{len(verdicts)} verdicts are not about these {len(pictures)} pictures: "
                         "give one row a picture, in the order of the set")


def marks_of(verdicts: pd.DataFrame) -> dict[str, np.ndarray]:
    """Which pictures (N,) bool each rule marks, in the order of `RULES`; curation after them, if there was any."""
    named = verdicts["rejected_by"].fillna("").str.split(",")
    marks = {name: np.array([name in names for names in named], bool) for name in (*RULES, CURATION)}
    return {name: marked for name, marked in marks.items() if name in RULES or marked.any()}


def class_names(verdicts: pd.DataFrame) -> pd.Series:
    """The name of each picture's expression."""
    names = verdicts["label"].map(dict(enumerate(EXPRESSIONS))).fillna(UNLABELLED)
    return pd.Series(pd.Categorical(names, [*EXPRESSIONS, UNLABELLED]), verdicts.index)


def counts(groups: pd.Series, marks: dict[str, np.ndarray], kept: pd.Series) -> pd.DataFrame:
    """Pictures of each group and of all: before, after, removed, and marked by each rule."""
    columns = {"before": np.ones(len(kept), int), "after": kept.to_numpy(int), "removed": 1 - kept.to_numpy(int)}
    each = pd.DataFrame(columns | {name: marked.astype(int) for name, marked in marks.items()})
    table = each.groupby(groups.array, observed=True).sum()
    table.index = table.index.astype(str)
    table.loc["all"] = each.sum()
    return table


@dataclass(frozen=True)
class Card:
    """One picture as it is shown, with what is known of it."""

    id: str
    picture: str  # data URI
    score: str
    label: str
    split: str
    origin: str
    kept: bool
    marks: str
    original: str | None = None  # data URI of the picture it is a copy of
    original_origin: str = ""
    original_split: str = ""


@dataclass(frozen=True)
class Section:
    """All that is shown about one rule."""

    name: str
    measure: str
    beyond: str  # "above" or "below" the threshold it marks
    threshold: str | None
    marked: int
    removed: int
    alone: int
    measured: int
    histogram: dict | None
    cards: list[Card]
    borderline: list[Card]


def section(
    name: str, verdicts: pd.DataFrame, marks: dict[str, np.ndarray], pictures: FaceSet, threshold: float | None
) -> Section:
    """What is shown about the rule `name`, which marks the pictures `marks[name]`."""
    marked, kept = marks[name], verdicts["kept"].to_numpy(bool)
    rule = RULES.get(name)
    measures = verdicts[name].to_numpy(float) if rule else np.full(len(verdicts), np.nan)
    higher = rule is not None and rule.WORSE == "higher"
    rows = choose_marked(measures, marked, higher)
    copied = originals(pictures, rows, marked) if name == "duplicate" else {}
    return Section(
        name=name,
        measure=rule.MEASURE if rule else "a person's verdict, read from the curation file",
        beyond="above" if higher else "below",
        threshold=None if threshold is None else f"{threshold:.4g}",
        marked=int(marked.sum()),
        removed=int((marked & ~kept).sum()),
        alone=int((marked & ~kept & (sum(marks.values()) == 1)).sum()),
        measured=int(np.isfinite(measures).sum()),
        histogram=histogram(name, measures, threshold) if np.isfinite(measures).any() else None,
        cards=[card(row, verdicts, measures, pictures, copied.get(row)) for row in rows],
        borderline=[card(row, verdicts, measures, pictures)
                    for row in choose_borderline(measures, kept & ~marked, higher)],
    )


def choose_marked(measures: np.ndarray, marked: np.ndarray, higher: bool) -> list[int]:
    """Up to `MARKED` of the marked rows, the worst first: evenly over the measure, and all of those next to the end."""
    rows = np.flatnonzero(marked)
    rows = rows[np.argsort(-measures[rows] if higher else measures[rows], kind="stable")]
    if len(rows) <= MARKED:
        return rows.tolist()
    spread = np.linspace(0, len(rows) - CLOSEST - 1, MARKED - CLOSEST).round().astype(int)
    return [*rows[spread].tolist(), *rows[-CLOSEST:].tolist()]


def choose_borderline(measures: np.ndarray, unmarked: np.ndarray, higher: bool) -> list[int]:
    """Up to `BORDERLINE` of the unmarked rows: those that would be marked next, were the threshold moved."""
    rows = np.flatnonzero(unmarked & np.isfinite(measures))
    order = np.argsort(-measures[rows] if higher else measures[rows], kind="stable")
    return rows[order][:BORDERLINE].tolist()


def card(
    row: int, verdicts: pd.DataFrame, measures: np.ndarray, pictures: FaceSet, original: int | None = None
) -> Card:
    """The picture in `row` as it is shown, beside the one in row `original`, of which it is a copy."""
    known = verdicts.iloc[row]
    shown = Card(
        id=known["id"],
        picture=as_uri(pictures.images[row]),
        score="" if np.isnan(measures[row]) else f"{measures[row]:.3g}",
        label=UNLABELLED if pd.isna(known["label"]) else EXPRESSIONS[int(known["label"])],
        split=_text(known["split"]),
        origin=_text(known["origin"]),
        kept=bool(known["kept"]),
        marks=_text(known["rejected_by"]).replace(",", ", "),
    )
    if original is None:
        return shown
    other = verdicts.iloc[original]
    return replace(shown, original=as_uri(pictures.images[original]), original_origin=_text(other["origin"]),
                   original_split=_text(other["split"]))


def _text(value: str | None) -> str:
    """What is not known is shown as nothing."""
    return "" if pd.isna(value) else str(value)


def as_uri(image: np.ndarray) -> str:
    """A picture (H, W, C) uint8, RGB or grey, at a longer side of `SIDE` pixels, as a data URI."""
    scale = SIDE / max(image.shape[:2])
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    shown = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    if shown.ndim == 3:
        shown = cv2.cvtColor(shown, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode()}"


def originals(pictures: FaceSet, rows: list[int], marked: np.ndarray) -> dict[int, int]:
    """The other picture that looks most like each of `rows`, rather one that is not `marked` (N,) bool, by row.

    The rule gives a distance and not whose it is. One reading of the set tells it: slopes of the rule's thumbnails are
    compared, which weigh all spatial frequencies alike as the rule does, as they are and mirrored. Of 489 near copies
    in 12,589 pictures of FER-2013, 416 get the very picture that the rule compared, 69 another copy, 4 something else.
    """
    if not rows:
        return {}
    chosen = pictures.images[np.array(rows)]
    wanted = np.concatenate([_slopes(chosen), _slopes(chosen[:, :, ::-1])])
    best, nearest = np.full(len(rows), -np.inf), np.full(len(rows), -1)
    for start in range(0, len(pictures), BATCH):
        alike = wanted @ _slopes(pictures.images[start:start + BATCH]).T
        alike = np.maximum(*np.split(alike, 2)) + RATHER * ~marked[start:start + BATCH]
        alike[np.array(rows)[:, None] == np.arange(start, start + alike.shape[1])] = -np.inf
        better = alike.max(axis=1) > best
        best[better], nearest[better] = alike.max(axis=1)[better], start + alike.argmax(axis=1)[better]
    return {row: int(other) for row, other in zip(rows, nearest, strict=True) if other >= 0}


def _slopes(images: np.ndarray) -> np.ndarray:
    """How the grey of small thumbnails of pictures (n, H, W, C) uint8 changes to the right and down, of length 1."""
    nothing = dict.fromkeys(("boxes", "scores", "landmarks", "main", "face"))
    looks = [Look(image=np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image, **nothing) for image in images]
    thumbnails = [duplicate.describe(look).reshape(duplicate.SIDE, duplicate.SIDE) for look in looks]
    small = np.stack([cv2.resize(each, (PIXELS, PIXELS), interpolation=cv2.INTER_AREA) for each in thumbnails])
    small = small.astype(np.float32)
    slopes = np.concatenate([np.diff(small, axis=axis).reshape(len(images), -1) for axis in (1, 2)], axis=1)
    return slopes / np.maximum(np.linalg.norm(slopes, axis=1, keepdims=True), 1e-6)


def histogram(name: str, measures: np.ndarray, threshold: float | None) -> dict:
    """Bars of the finite measures, and where the threshold lies, which is an edge of two bars.

    The outermost bars hold what lies beyond 99 % of the measures, and heights are square roots of counts, because what
    a rule is after is rare.
    """
    values = measures[np.isfinite(measures)]
    low, high = np.quantile(values, [0.005, 0.995])
    anchor = low if threshold is None else threshold
    bin_width = (max(high, anchor) - min(low, anchor)) / BINS or 1.0
    first, last = np.floor((low - anchor) / bin_width), np.ceil((high - anchor) / bin_width)
    edges = anchor + bin_width * np.arange(min(first, -1), max(last, 1) + 1)
    clipped = np.clip(values, edges[0], edges[-1])
    worse = beyond(name, values, threshold)
    marked, unmarked = (np.histogram(clipped[which], edges)[0] for which in (worse, ~worse))

    bar_width, scale = WIDE / (len(edges) - 1), HIGH / np.sqrt((marked + unmarked).max())
    bars = []
    for column, (bad, good) in enumerate(zip(marked, unmarked, strict=True)):
        tip = f"{edges[column]:.3g} to {edges[column + 1]:.3g}: {bad + good:,} pictures, {bad:,} marked"
        whole, part = scale * np.sqrt(bad + good), scale * np.sqrt(good)
        for kind, top, bottom in (("bad", whole, part), ("good", part, 0)):
            if top > bottom:
                bars.append({"kind": kind, "x": f"{column * bar_width:.2f}", "width": f"{bar_width - 1:.2f}",
                             "y": f"{HIGH - top:.2f}", "height": f"{top - bottom:.2f}", "tip": tip})

    def place(value: float) -> float:
        return round(WIDE * (value - edges[0]) / (edges[-1] - edges[0]), 2)

    ticks = [(place(value), f"{value:,.6g}") for value in MaxNLocator(6).tick_values(edges[0], edges[-1])
             if edges[0] <= value <= edges[-1]]
    at = None if threshold is None else place(threshold)
    return {"bars": bars, "ticks": ticks, "at": at, "wide": WIDE, "high": HIGH}
