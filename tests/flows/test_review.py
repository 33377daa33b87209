"""The review page counts rightly, shows what is worth a person's look, and holds all it needs, whatever the data."""

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pandas as pd
import pytest

from data.cleaning import RULES
from data.faceset import FaceSet, FaceSetWriter
from flows import review
from flows.review import write_review


class Page(HTMLParser):
    """What a browser would see: rows of all tables, cards by the section they are in, and every tag's attributes."""

    def __init__(self, text: str):
        super().__init__()
        self.rows, self.cards, self.tags = [], {}, []
        self.section, self.into = None, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag == "section":
            self.section = attributes["id"]
        elif tag == "figure":
            card = {"id": attributes["data-id"], "pictures": [], "words": []}
            self.cards.setdefault(self.section, []).append(card)
            self.into = card["words"]
        elif tag == "img":
            self.cards[self.section][-1]["pictures"].append(attributes["src"])
        elif tag == "tr":
            self.rows.append(row := [])
            self.into = row

    def handle_endtag(self, tag):
        if tag in ("figure", "tr"):
            self.into = None

    def handle_data(self, data):
        if self.into is not None and data.strip():
            self.into.append(data.strip())


def make_set(folder, rows: list[dict], size: int = 32, channels: int = 3) -> FaceSet:
    images = np.random.default_rng(0).integers(0, 256, (len(rows), size, size, channels), np.uint8)
    with FaceSetWriter(folder, images.shape[1:]) as writer:
        writer.append(images, rows)
    return FaceSet.open(folder)


def make_verdicts(pictures: FaceSet, marks: dict[str, list[int]], **measures: np.ndarray) -> pd.DataFrame:
    """Verdicts in which each rule marks the rows that `marks` gives, and marked rows of all splits but test leave."""
    verdicts = pictures.table[["id", "origin", "split", "label"]].copy()
    named = [",".join(name for name in (*RULES, "curation") if row in marks.get(name, ()))
             for row in range(len(verdicts))]
    verdicts["kept"] = [not names or split == "test" for names, split in zip(named, verdicts["split"], strict=True)]
    verdicts["rejected_by"] = named
    return verdicts.assign(**dict.fromkeys(RULES, np.nan) | measures)


def written(tmp_path, verdicts: pd.DataFrame, pictures: FaceSet, **thresholds: float) -> Page:
    write_review(tmp_path / "review.html", verdicts, pictures, dict.fromkeys(RULES) | thresholds)
    return Page((tmp_path / "review.html").read_text(encoding="utf-8"))


def test_counts_are_given_by_expression_split_and_rule(tmp_path):
    known = [(3, "train"), (3, "train"), (3, "test"), (0, "train"), (None, "validation")]
    pictures = make_set(tmp_path / "set", [{"label": label, "split": split} for label, split in known])
    page = written(tmp_path, make_verdicts(pictures, {"blank": [1, 2], "blur": [1, 3]}), pictures, blank=0.1, blur=0.1)
    at = {name: page.rows[0].index(name) for name in ("before", "after", "removed", "blank", "blur")}
    figures = {row[0]: [int(row[column]) for column in at.values()] for row in page.rows if row[0][:3] != "by "}
    assert figures == {
        "angry": [1, 0, 1, 0, 1],
        "happy": [3, 2, 1, 2, 1],
        "unlabelled": [1, 1, 0, 0, 0],
        "test": [1, 1, 0, 1, 0],
        "train": [3, 1, 2, 1, 2],
        "validation": [1, 1, 0, 0, 0],
        "all": [5, 3, 2, 2, 2],
    }
    assert len([row for row in page.rows if row[0] == "all"]) == 2
    assert [card["id"] for card in page.cards["blank"][:2]] == pictures.table["id"].tolist()[1:3]
    assert any("marked, stays" in word for word in page.cards["blank"][1]["words"])


@pytest.mark.parametrize("name", ["blank", "covered"])  # a rule that marks what is lower, one that marks what is higher
def test_the_worst_come_first_and_both_sides_of_the_threshold_are_shown(tmp_path, name):
    count, sign = 300, {"lower": 1, "higher": -1}[RULES[name].WORSE]
    pictures = make_set(tmp_path / "set", [{"split": "train"}] * count, size=16)
    badness = np.random.default_rng(1).permutation(np.linspace(0, 1, count))
    marked = np.flatnonzero(badness < 0.4)
    verdicts = make_verdicts(pictures, {name: marked.tolist()}, **{name: sign * badness})
    page = written(tmp_path, verdicts, pictures, **{name: sign * 0.4})
    row_of = {name: row for row, name in enumerate(pictures.table["id"])}
    shown = [badness[row_of[card["id"]]] for card in page.cards[name]]
    bad, good = [each for each in shown if each < 0.4], [each for each in shown if each >= 0.4]
    assert shown == sorted(shown) and 40 <= len(shown) <= 60
    assert bad[0] == 0 and max(np.diff(bad)) < 0.03  # from the worst on, without a gap
    assert bad[-5:] == sorted(badness[marked])[-5:]
    assert good == sorted(badness[badness >= 0.4])[:len(good)] and len(good) >= 10


@pytest.mark.parametrize("threshold", [0.4, None, 7.0])
def test_the_bars_of_a_histogram_hold_every_measured_picture_once(tmp_path, threshold):
    values = np.append(np.random.default_rng(0).normal(size=500), [1e6, np.nan, np.inf])
    plot = review.histogram("blank", values, threshold)
    bars = {bar["x"]: [int(number) for number in re.search(r": (\d+) pictures, (\d+) ", bar["tip"]).groups()]
            for bar in plot["bars"]}
    assert np.sum(list(bars.values()), axis=0).tolist() == [501, 0 if threshold is None else (values < threshold).sum()]
    assert all(0 <= float(bar["y"]) and float(bar["x"]) + float(bar["width"]) <= plot["wide"] for bar in plot["bars"])


def test_a_copy_is_shown_beside_what_it_is_a_copy_of(tmp_path):
    patches = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3), np.uint8)
    images = np.stack([cv2.resize(patch, (64, 64), interpolation=cv2.INTER_CUBIC) for patch in patches])
    images[6] = cv2.GaussianBlur(images[2], (7, 7), 0)
    images[7] = cv2.convertScaleAbs(images[5][:, ::-1], alpha=0.7, beta=20)
    rows = [{"split": "train", "origin": f"{number}.png"} for number in range(8)]
    with FaceSetWriter(tmp_path / "set", (64, 64, 3)) as writer:
        writer.append(images, rows)
    pictures = FaceSet.open(tmp_path / "set")
    page = written(tmp_path, make_verdicts(pictures, {"duplicate": [6, 7], "blank": [2]}), pictures)
    blurred, mirrored = page.cards["duplicate"][:2]
    assert blurred["pictures"] == [review.as_uri(images[6]), review.as_uri(images[2])] and "2.png" in blurred["words"]
    assert mirrored["pictures"] == [review.as_uri(images[7]), review.as_uri(images[5])] and "5.png" in mirrored["words"]


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_shown_as_they_are(channels):
    image = np.zeros((64, 32, channels), np.uint8)
    image[..., 0] = 200
    uri = review.as_uri(image)
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert shown.shape[:2] == (96, 48)
    expected = [200] if channels == 1 else [0, 0, 200]  # OpenCV's order
    np.testing.assert_allclose(np.atleast_1d(shown.mean(axis=(0, 1))), expected, atol=4)


def test_a_label_origin_or_split_can_hold_anything(tmp_path):
    nasty = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp; {{ 7 * 7 }} ünïcode"
    pictures = make_set(tmp_path / "set", [{"origin": nasty, "split": nasty}, {"origin": None, "split": None}])
    page = written(tmp_path, make_verdicts(pictures, {"blur": [0, 1], "duplicate": [1]}), pictures, blur=0.5)
    assert nasty in page.cards["blur"][0]["words"]
    assert nasty in [row[0] for row in page.rows]
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert all(source.startswith("data:image/") for card in page.cards["blur"] for source in card["pictures"])


def test_nothing_is_fetched_from_anywhere(tmp_path):
    pictures = make_set(tmp_path / "set", [{"split": "train"}] * 3)
    page = written(tmp_path, make_verdicts(pictures, {"blur": [0]}), pictures, blur=0.5)
    text = re.sub(r"data:image/jpeg;base64,[\w+/=]+", "", (tmp_path / "review.html").read_text())
    assert not re.search(r"https?:|//[a-z]|url\(|@import|fetch\(|XMLHttpRequest", text)
    assert not {tag for tag, _ in page.tags} & {"link", "iframe", "object", "base"}
    addresses = {attributes[name][:5] for _, attributes in page.tags for name in ("src", "href") if name in attributes}
    assert all(address == "data:" or address.startswith("#") for address in addresses)


def test_the_page_stays_small_and_the_same_arguments_give_the_same_bytes(tmp_path):
    count = 500
    pictures = make_set(tmp_path / "set", [{"split": "train"}] * count, size=16, channels=1)
    noise = np.random.default_rng(2).random((len(RULES), count))
    marks = dict.fromkeys(RULES, range(count // 2))
    verdicts = make_verdicts(pictures, marks, **dict(zip(RULES, noise, strict=True)))
    page = written(tmp_path, verdicts, pictures)
    assert set(page.cards) == set(RULES) and all(len(cards) <= 60 for cards in page.cards.values())
    first = (tmp_path / "review.html").read_bytes()
    assert len(first) < 6e6
    written(tmp_path, verdicts.reset_index(drop=True), pictures)
    assert (tmp_path / "review.html").read_bytes() == first


def test_a_persons_earlier_verdicts_have_a_section_of_their_own(tmp_path):
    pictures = make_set(tmp_path / "set", [{"split": "train"}] * 3)
    page = written(tmp_path, make_verdicts(pictures, {"curation": [1]}), pictures)
    assert [card["id"] for card in page.cards["curation"]] == [pictures.table["id"][1]]


def test_verdicts_about_other_pictures_are_refused_and_nothing_is_written(tmp_path):
    pictures = make_set(tmp_path / "set", [{"split": "train"}] * 3)
    verdicts = make_verdicts(pictures, {})
    for wrong, words in ((verdicts[::-1], "order of the set"), (verdicts[:2], "2 verdicts .* 3 pictures"),
                         (verdicts.drop(columns="blank"), "without column blank")):
        with pytest.raises(ValueError, match=words):
            write_review(tmp_path / "review.html", wrong, pictures, {})
    assert [file.name for file in tmp_path.iterdir()] == ["set"]
