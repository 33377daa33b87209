"""CelebA (Liu et al. 2015, "Deep learning face attributes in the wild", ICCV): 202,599 aligned pictures, 178×218.

Reads the lists of the folders Anno and Eval of the publisher, and the pictures of Img/img_align_celeba, unpacked or as
the .zip. Gender is the attribute `Male`; there are no expressions. Landmarks are given where
list_landmarks_align_celeba.txt is there. Splits are the publisher's, in which no person is on two sides.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.faceset import GENDERS
from data.sources.archive import Files, open_files
from data.sources.source_error import SourceError, known

WHERE = ("CelebA is given out by the Multimedia Laboratory of the Chinese University of Hong Kong: "
         "mmlab.ie.cuhk.edu.hk/projects/CelebA.html. Put img_align_celeba.zip, list_attr_celeba.txt, "
         "identity_CelebA.txt, list_eval_partition.txt and, if you like, list_landmarks_align_celeba.txt into "
         "data/raw/celeba and run: ./run configure data=celeba data.path=data/raw/celeba")
TERMS = "CelebA: non-commercial research only; the pictures are not to be passed on"
SHAPE = (218, 178, 3)
ATTRIBUTES = 40
GENDER = {"-1": GENDERS.index("woman"), "1": GENDERS.index("man")}
SPLITS = {"0": "train", "1": "validation", "2": "test"}


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every picture (218, 178, 3) uint8 RGB and `source`, `origin`, `split`, `subject`, `gender`, `landmarks`.

    Raises:
        SourceError: a list or picture is missing, broken or of another version; names file and line.
    """
    with open_files(path) as files:
        genders = _genders(files)
        subjects = _numbers(files, files.require("identity_CelebA.txt", WHERE), 1)
        splits = _splits(files)
        aligned = files.find("list_landmarks_align_celeba.txt")
        landmarks = _numbers(files, aligned, 10, header=2) if aligned else {}
        pictures = files.match(r"(\d{6}\.jpg)", "as 000001.jpg, which CelebA's aligned pictures are", WHERE)
        bases = {match[1] for match in pictures.values()}
        for listed in (subjects, splits, *([landmarks] if aligned else []), dict.fromkeys(bases)):
            if lacking := genders.keys() ^ listed.keys():
                raise SourceError(f"{path}: {min(lacking)} and {len(lacking) - 1:,} more are not both in "
                                  "list_attr_celeba.txt and in the other lists and among the pictures; download what "
                                  "is incomplete again, all of one version")
        for name, match in pictures.items():
            image = files.picture(name)
            if image.shape != SHAPE:
                raise SourceError(f"{files.place(name)}: {image.shape[1]}×{image.shape[0]} pixels, expected 178×218; "
                                  "take the aligned pictures of img_align_celeba.zip")
            yield image, {
                "source": "celeba",
                "origin": name,
                "split": splits[match[1]],
                "subject": str(subjects[match[1]][0]),
                "gender": genders[match[1]],
                "landmarks": landmarks[match[1]] if aligned else None,
            }


def _genders(files: Files) -> dict[str, int]:
    """Gender by picture, from a list that gives its own length in its first line."""
    name = files.require("list_attr_celeba.txt", WHERE)
    lines, place = files.lines(name), files.place(name)
    attributes = lines[1].split() if len(lines) > 1 else []
    if len(attributes) != ATTRIBUTES or "Male" not in attributes:
        raise SourceError(f"{place}, line 2: expected {ATTRIBUTES} names of attributes, with Male among them, found "
                          f"{' '.join(attributes)[:80] or 'nothing'}")
    column = 1 + attributes.index("Male")
    genders = {words[0]: known(place, line, "Male", words[column], GENDER)
               for line, words in files.fields(name, 1 + ATTRIBUTES, header=2)}
    if lines[0].strip() != str(len(genders)):
        raise SourceError(f"{place}: {len(genders):,} pictures listed, but line 1 says {lines[0].strip()[:20]}; "
                          "download the list again")
    return genders


def _splits(files: Files) -> dict[str, str]:
    name = files.require("list_eval_partition.txt", WHERE)
    return {words[0]: known(files.place(name), line, "partition", words[1], SPLITS)
            for line, words in files.fields(name, 2)}


def _numbers(files: Files, name: str, count: int, header: int = 0) -> dict[str, list[int]]:
    """The `count` whole numbers that a list has beside each picture."""
    numbers = {}
    for line, (picture, *words) in files.fields(name, 1 + count, header):
        if not all(word.removeprefix("-").isdecimal() for word in words):
            raise SourceError(f"{files.place(name)}, line {line}: {' '.join(words)}, expected whole numbers")
        numbers[picture] = [int(word) for word in words]
    return numbers
