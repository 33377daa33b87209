"""UTKFace (Zhang, Song & Qi 2017, "Age progression/regression by conditional adversarial autoencoder", CVPR): over
20,000 faces of all ages, aligned and cut to 200×200, or as found.

All that is known stands in a picture's name, `age_gender_race_date.jpg.chip.jpg`, of which gender is taken: 0 is a man
there and 1 a woman, the other way round than here. Some names of the publisher lack a number; where it cannot be told
that gender is there, it is null.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.faceset import GENDERS
from data.sources.archive import open_files
from data.sources.source_error import SourceError

WHERE = ("UTKFace is given out by its authors: susanqq.github.io/UTKFace. Put UTKFace.tar.gz (the aligned and cropped "
         "faces), or its folder, into data/raw/utkface and run: "
         "./run configure data=utkface data.path=data/raw/utkface")
TERMS = "UTKFace: non-commercial research only; the pictures' rights stay with their owners"
GENDER = {"0": GENDERS.index("man"), "1": GENDERS.index("woman")}
OLDEST = 116  # years, as the publisher says
# age, gender, race; or two of the three, as in 61_3_… and 53__0_…; then the date to the millisecond. The publisher's
# names have "jpg", ".pg" and " .jpg" too.
NAME = r"(\d{1,3})_(?:([01])_([0-4])|_?([0-4]))_(\d{14,18})[ .]*j?pg(?:\.chip\.jpg)?"


def read(path: Path) -> Iterator[tuple[np.ndarray, dict]]:
    """Yields every picture (H, W, 3) uint8 RGB and its `source`, `origin`, `gender`.

    Raises:
        SourceError: a picture is broken or not named as the publisher names them.
    """
    with open_files(path) as files:
        for name, match in files.match(NAME, "age_gender_race_date.jpg, as 26_1_0_20170104.jpg", WHERE).items():
            if int(match[1]) > OLDEST:
                raise SourceError(f"{files.place(name)}: age is {match[1]}, expected 0 to {OLDEST}")
            yield files.picture(name), {"source": "utkface", "origin": name, "gender": GENDER.get(match[2])}
