"""The ORL database of faces, or AT&T's (Samaria & Harter 1994, "Parameterisation of a stochastic model for human face
identification", WACV): 40 people, ten grey pictures each, 92×112, in s1/1.pgm to s40/10.pgm.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.sources.archive import open_files
from data.sources.source_error import SourceError

WHERE = ("The ORL faces were put up by AT&T Laboratories Cambridge: www.cl.cam.ac.uk/research/dtg/attarchive/"
         "facedatabase.html. Put att_faces.zip, or its folders s1 to s40, into data/raw/orl and run: "
         "./run configure data=orl data.path=data/raw/orl")
TERMS = "ORL: free to use with credit to AT&T Laboratories Cambridge (Olivetti Research Laboratory)"
SHAPE = (112, 92, 3)


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every picture (112, 92, 3) uint8, grey in three equal channels, and its `source`, `origin`, `subject`.

    Raises:
        SourceError: a picture is broken, misnamed or of another size.
    """
    with open_files(path) as files:
        pictures = files.match(r"(s(?:[1-9]|[123]\d|40))/([1-9]|10)\.pgm", "by person and number, as s1/10.pgm is",
                               WHERE)
        for name, match in pictures.items():
            image = files.picture(name)
            if image.shape != SHAPE:
                raise SourceError(f"{files.place(name)}: {image.shape[1]}×{image.shape[0]} pixels, expected 92×112")
            yield image, {"source": "orl", "origin": name, "subject": match[1]}
