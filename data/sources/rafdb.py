"""RAF-DB, single-label subset (Li, Deng & Du 2017, "Reliable crowdsourcing and deep locality-preserving learning for
expression recognition in the wild", CVPR): 12,271 pictures for training and 3,068 for test, of the seven expressions.

Reads the folder `basic`: EmoLabel/list_patition_label.txt (spelt so), whose numbers have an order of their own, and
Image/aligned (100×100) or else Image/original, unpacked or as .zip.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.faceset import EXPRESSIONS
from data.sources.archive import open_files
from data.sources.source_error import SourceError, known

WHERE = ("RAF-DB is given to researchers who write to its authors: whdeng.cn/RAF/model1.html. Put EmoLabel/"
         "list_patition_label.txt and Image/aligned.zip (or original.zip) of its folder basic into data/raw/rafdb and "
         "run: ./run configure data=rafdb data.path=data/raw/rafdb")
TERMS = "RAF-DB: non-commercial research only; the pictures are not to be passed on"
ORDER = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")  # RAF-DB's 1 to 7
LABELS = {str(number): EXPRESSIONS.index(name) for number, name in enumerate(ORDER, 1)}


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every picture (H, W, 3) uint8 RGB and its `source`, `origin`, `split`, `label`.

    The aligned pictures are taken where they are there, otherwise the original ones.

    Raises:
        SourceError: a picture is broken, or the list and the pictures do not belong together.
    """
    with open_files(path) as files:
        name = files.require("list_patition_label.txt", WHERE)
        place = files.place(name)
        listed = {picture.removesuffix(".jpg"): (line, known(place, line, "label", label, LABELS))
                  for line, (picture, label) in files.fields(name, 2)}
        pictures = files.match(r"((?:train|test)_\d{5})(_aligned)?\.jpg",
                               "as train_00001_aligned.jpg or train_00001.jpg", WHERE)
        aligned = {name: match for name, match in pictures.items() if match[2]}
        pictures = {match[1]: name for name, match in (aligned or pictures).items()}
        for base, (line, _) in listed.items():
            if base not in pictures:
                raise SourceError(f"{place}, line {line}: there is no picture {base}{'_aligned' * bool(aligned)}.jpg")
        for base, name in pictures.items():
            if base not in listed:
                raise SourceError(f"{files.place(name)}: not in {place}; the two must be of one version")
            yield files.picture(name), {"source": "rafdb", "origin": name, "split": base.partition("_")[0],
                                        "label": listed[base][1]}
