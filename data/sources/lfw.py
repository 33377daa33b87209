"""Labeled Faces in the Wild (Huang et al. 2007, UMass Amherst TR 07-49): 13,233 pictures, 250×250, of 5,749 people.

Reads a folder a person, `George_W_Bush/George_W_Bush_0001.jpg`, plain, funneled (Huang, Jain & Learned-Miller 2007) or
deep-funneled (Huang et al. 2012). LFW itself says nothing of gender: it comes from a gender.csv of the columns person
and gender (male or female), where one lies there. `read_pairs` gives the pairs that matchers are measured on,
`first_and_second` two pictures of everybody who has two.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data.faceset import GENDERS
from data.sources.archive import Files, open_files
from data.sources.source_error import SourceError, known

WHERE = ("LFW is given out by the University of Massachusetts: vis-www.cs.umass.edu/lfw. Put lfw-deepfunneled.tgz (or "
         "lfw-funneled.tgz, lfw.tgz), and a gender.csv of person,gender if you have one, into data/raw/lfw and run: "
         "./run configure data=lfw data.path=data/raw/lfw")
TERMS = "LFW: for research; the pictures are news photographs, whose rights stay with their owners"
SHAPE = (250, 250, 3)
GENDER = {"female": GENDERS.index("woman"), "male": GENDERS.index("man")}


class Pair(NamedTuple):
    """Two pictures of pairs.txt, named as the ends of `origin`: `Abel_Pacheco/Abel_Pacheco_0001.jpg`."""

    fold: int  # 0 to 9 in View 2
    first: str
    second: str
    same: bool  # whether they are of one person


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every picture (250, 250, 3) uint8 RGB and its `source`, `origin`, `subject`, `gender`.

    Raises:
        SourceError: a picture is broken, of another size or not in its person's folder, or gender.csv does not belong
            to the pictures.
    """
    with open_files(path) as files:
        pictures = files.match(r"(?P<person>[^/]+)/(?P=person)_(\d{4})\.jpg",
                               "after its folder, as George_W_Bush/George_W_Bush_0001.jpg is", WHERE)
        genders = _genders(files, {match["person"] for match in pictures.values()})
        for name, match in pictures.items():
            person = match["person"]
            image = files.picture(name)
            if image.shape != SHAPE:
                raise SourceError(f"{files.place(name)}: {image.shape[1]}×{image.shape[0]} pixels, expected 250×250; "
                                  "take the pictures as LFW gives them out")
            yield image, {"source": "lfw", "origin": name, "subject": person, "gender": genders.get(person)}


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of pairs.txt (View 2: ten folds of 300 of one person and 300 of two), or of pairsDevTrain.txt and such.

    Args:
        path: the file, whose first line gives the folds, if they are several, and the pairs of each kind in each.

    Raises:
        SourceError: names the line that is no pair, or says how many are missing.
    """
    with open_files(path) as files:
        place, lines = files.place(path.name), files.lines(path.name)
    head = lines[0].split()
    if not head or len(head) > 2 or not all(word.isdecimal() and int(word) for word in head):
        raise SourceError(f"{place}, line 1: {lines[0][:40]!r}, expected the number of folds and of pairs, as 10 300")
    count, folds = int(head[-1]), int(head[0]) if len(head) == 2 else 1
    if len(lines) != 1 + 2 * count * folds:
        raise SourceError(f"{place}: {len(lines) - 1:,} pairs, but line 1 says {2 * count * folds:,}; "
                          "download it again")
    pairs = []
    for number, line in enumerate(lines[1:]):
        fold, rank = divmod(number, 2 * count)
        same = rank < count
        match line.split("\t"):
            case [person, first, second] if same and first.isdecimal() and second.isdecimal():
                pairs.append(Pair(fold, _picture(person, first), _picture(person, second), True))
            case [one, first, other, second] if not same and first.isdecimal() and second.isdecimal():
                pairs.append(Pair(fold, _picture(one, first), _picture(other, second), False))
            case _:
                form = "person, number, number" if same else "person, number, person, number"
                raise SourceError(f"{place}, line {number + 2}: {line[:80]!r}, expected {form} with tabs between")
    return pairs


def first_and_second(origins: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The two lowest-numbered of `origins`, as `read` gives them, of every person who has two or more, by person.

    So people are matched who are seen twice: first pictures are known, second ones are looked for among them.
    """
    pictures: dict[str, list[str]] = {}
    for origin in sorted(origins, key=lambda origin: origin.rpartition("/")[2]):
        pictures.setdefault(origin.split("/")[-2], []).append(origin)
    return {person: (names[0], names[1]) for person, names in sorted(pictures.items()) if len(names) > 1}


def _picture(person: str, number: str) -> str:
    return f"{person}/{person}_{int(number):04d}.jpg"


def _genders(files: Files, people: set[str]) -> dict[str, int]:
    """Gender by person, of those who are in gender.csv."""
    name = files.find("gender.csv")
    genders = {}
    for line, row in files.table(name, ("person", "gender")) if name else ():
        if row["person"] not in people:
            raise SourceError(f"{files.place(name)}, line {line}: there are no pictures of {row['person']}")
        genders[row["person"]] = known(files.place(name), line, "gender", row["gender"], GENDER)
    return genders
