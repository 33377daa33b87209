"""Real faces for the study of SAN: UTKFace, LFW and ORL, found by MTCNN, turned upright, grey, and packed to travel.

    python -m studies.san.pictures DATA OUT     # DATA has utkface/, lfw/ (with gender.csv), orl/ and weights/

Nobody is in two splits. UTKFace, which says nobody's name, is divided by the content of its pictures into "train",
"validation" and "test"; a quarter of LFW's people is "common", whom the matcher that SAN learns from has seen, another
quarter "unseen", for another matcher, and half of them, with all of ORL's, are "test". OUT also gets `judge.npz`: the
gender network published with Arriaga et al. 2017, which no part of the study trains.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from data.alignment import cut, moved, upright
from data.faceset import conform, content_id
from data.sources import read
from data.splits import carve
from flows.cutting import main_face
from models.fer import weights as fer_weights
from models.mtcnn import Detector
from studies.san import packed

SOURCES = ("utkface", "lfw", "orl")
JUDGE = "gender_mini_XCEPTION.21-0.95.hdf5"
LEAST_FACE = 40  # pixels
BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=176, help="pixels a side; most faces are no larger")
    parser.add_argument("--margin", type=float, default=0.33, help="kept around the face, as a share of its side")
    parser.add_argument("--quality", type=int, default=85, help="of WebP")
    options = parser.parse_args()

    network, card = fer_weights.load(options.data / "weights" / JUDGE)
    detector, faces, rows = Detector(min_face=LEAST_FACE), [], []
    for source in SOURCES:
        counts = Counter()
        for images, known in batches(read(source, options.data / source)):
            for image, row, found in zip(images, known, detector.detect(images), strict=True):
                main = main_face(found.boxes, image.shape[:2])
                counts["faces" if main is not None else "left out, no face found"] += 1
                if main is not None:
                    matrix = upright(found.landmarks[main], options.size, options.margin)
                    faces.append(cut(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), matrix, options.size))
                    landmarks = moved(found.landmarks[main], matrix).astype(np.float32).ravel()
                    rows.append(row | {"id": content_id(image), "landmarks": landmarks})
        print(source, dict(counts), flush=True)
    table = conform(rows)
    packed.write(options.out, np.stack(faces), table.assign(split=splits(table)), options.quality)
    fer_weights.save(options.out / "judge.npz", network, card)
    size = sum(file.stat().st_size for file in options.out.iterdir())
    print(f"{len(rows):,} faces, {size:,} bytes")


def batches(pictures: Iterator[tuple[np.ndarray, dict]]) -> Iterator[tuple[np.ndarray, list[dict]]]:
    """Pictures of one shape together, up to BATCH; small ones at twice their size, for the detector's sake."""
    for _, alike in groupby(enumerate(pictures), lambda each: (each[0] // BATCH, each[1][0].shape)):
        images, rows = zip(*(picture for _, picture in alike))
        if min(images[0].shape[:2]) < 4 * LEAST_FACE:
            images = [cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for image in images]
        yield np.stack(images), list(rows)


def splits(table: pd.DataFrame) -> np.ndarray:
    """(N,) the split of each face, as the head of this module says."""
    chosen = np.full(len(table), "test", object)
    for source, first, second in (("utkface", "train", "validation"), ("lfw", "common", "unseen")):
        rows = np.flatnonzero((table["source"] == source).to_numpy())
        for name, share in ((first, 0.7 if first == "train" else 0.25), (second, 1 / 3)):
            part = table.iloc[rows]
            taken = carve(part["id"].tolist(), part["gender"].tolist(), part["subject"].tolist(), share, 0)
            chosen[rows[taken]] = name
            rows = rows[~taken]
    return chosen


if __name__ == "__main__":
    main()
