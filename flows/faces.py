"""Stage `faces`: one face a picture, found by MTCNN, turned upright, cut out and resized; or, where every picture is a
face already, only resized.

Writes `set/`, `rejected.csv` (pictures without a face), `contact_sheet.png` and `metrics.json` (how many were found).
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from data.alignment import cut, moved, moved_box, squared, upright
from data.faceset import FaceSet, FaceSetWriter
from data.letterbox import letterbox, letterbox_points
from data.png import write_png
from flows.settings import Faces
from flows.stage import Stage

BATCH = 64
NO_FACE = "no face found"
# Sources whose pictures are faces already are cut tighter than ours. Of 1,095 Training pictures of FER-2013, cut anew by
# our rule out of their repeated borders, the published network gets 70.3 % right at margin -0.1, 66.0 % at 0, 56.4 % at
# 0.25 (75.1 % of the pictures as they are); without turning 70.1 %, 68.4 % and 61.3 %.
FACES_ALREADY = frozenset({"fer2013", "ferplus", "faceset"})
TIGHT = -0.1


def run(stage: Stage) -> None:
    """Makes the set of faces that `faces` in params.yaml asks for from the set of pictures that `ingest` made."""
    settings = stage.params.faces
    pictures = FaceSet.open(stage.inputs["ingest"] / "set")
    fitted = found_faces(pictures, settings) if settings.detect else whole_pictures(pictures, settings)
    rejected, done = [], 0
    with FaceSetWriter(stage.out / "set", (settings.size, settings.size, settings.channels)) as writer:
        for table, faces in fitted:
            kept = np.array([face is not None for face in faces], bool)
            rejected.append(table.loc[~kept, ["id", "origin", "split"]])
            if kept.any():
                images, boxes, landmarks = zip(*(face for face in faces if face is not None), strict=True)
                rows = table[kept].assign(parent=table.loc[kept, "id"], box=list(boxes), landmarks=list(landmarks))
                writer.append(np.stack(images), rows)
            done += len(table)
            stage.watch.progress(done, len(pictures), f"{len(writer)} faces")
        if len(writer) == 0:
            raise ValueError(f"no face of at least {settings.min_face} pixels in any of {len(pictures)} pictures: "
                             "lower faces.min_face, raise data.size, or, if they are faces already, set faces.detect "
                             "to false")
    report(stage, pictures, pd.concat(rejected))


# Picture (size, size, channels) uint8, box (4,) and landmarks (10,) in its pixels.
Face = tuple[np.ndarray, np.ndarray | None, np.ndarray | None]


def found_faces(pictures: FaceSet, settings: Faces) -> Iterator[tuple[pd.DataFrame, list[Face | None]]]:
    """Yields rows of `pictures` and the main face of each, None where there is none."""
    from models.mtcnn import Detector  # here, because a stage that detects nothing need not wait for JAX

    detector = Detector(min_face=settings.min_face)
    for start in range(0, len(pictures), BATCH):
        images = pictures.images[start:start + BATCH]
        detections = detector.detect(np.repeat(images, 3, axis=3) if images.shape[3] == 1 else images)
        faces = []
        for image, found in zip(images, detections, strict=True):
            main = main_face(found.boxes, image.shape[:2])
            faces.append(None if main is None else cut_face(image, found.boxes[main], found.landmarks[main], settings))
        yield pictures.table.iloc[start:start + BATCH], faces


def whole_pictures(pictures: FaceSet, settings: Faces) -> Iterator[tuple[pd.DataFrame, list[Face]]]:
    """Yields rows of `pictures` and each picture resized, with the box and landmarks that were known already."""
    shape, size = pictures.images.shape[1:3], settings.size

    def resized(image: np.ndarray, box: np.ndarray | None, landmarks: np.ndarray | None) -> Face:
        if landmarks is not None:
            landmarks = letterbox_points(landmarks.reshape(5, 2), shape, size).ravel()
        if box is not None:
            corner, end = letterbox_points([box[:2], box[:2] + box[2:]], shape, size)
            box = np.concatenate([corner, end - corner])
        return letterbox(image, size, settings.channels), box, landmarks

    for start in range(0, len(pictures), BATCH):
        table = pictures.table.iloc[start:start + BATCH]
        images = pictures.images[start:start + BATCH]
        yield table, [resized(*each) for each in zip(images, table["box"], table["landmarks"], strict=True)]


def cut_for(sources: Collection[str], settings: Faces) -> Faces:
    """How to cut faces out of pictures for a classifier that learnt from `sources`: as it saw them."""
    if settings.detect and not FACES_ALREADY.issuperset(sources):
        return settings
    return replace(settings, margin=TIGHT, align=True)


def main_face(boxes: np.ndarray, shape: tuple[int, int]) -> int | None:
    """Which of the boxes (k, 4) x1, y1, x2, y2 is the face that a picture of `shape` (H, W) is of; None if k is 0.

    facenet's rule: the largest area less twice the squared distance from the middle of the picture.
    """
    if not len(boxes):
        return None
    corner, end = boxes[:, :2], boxes[:, 2:]
    distance = (corner + end) / 2 - np.array(shape[::-1]) / 2
    return int(np.argmax((end - corner).prod(axis=1) - 2 * (distance ** 2).sum(axis=1)))


def cut_face(image: np.ndarray, box: np.ndarray, landmarks: np.ndarray, settings: Faces) -> Face:
    """One face cut out of `image` (H, W, C), given its box x1, y1, x2, y2 and landmarks (5, 2)."""
    box = np.concatenate([box[:2], box[2:] - box[:2]])
    if settings.align:
        matrix = upright(landmarks, settings.size, settings.margin)
    else:
        matrix = squared(box, settings.size, settings.margin)
    face = letterbox(cut(image, matrix, settings.size), settings.size, settings.channels)
    return face, moved_box(box, matrix), moved(landmarks, matrix).ravel()


def report(stage: Stage, pictures: FaceSet, rejected: pd.DataFrame) -> None:
    """Writes rejected.csv, the contact sheet and metrics.json; the wrapper shows picture and figures."""
    faces = FaceSet.open(stage.out / "set")
    rejected[["id", "origin"]].assign(reason=NO_FACE).to_csv(stage.out / "rejected.csv", index=False)
    write_png(stage.out / "contact_sheet.png", faces.picture())

    before, after = pictures.table["split"].value_counts(), faces.table["split"].value_counts()
    rates = (after.reindex(before.index, fill_value=0) / before).sort_index()
    figures = {"pictures": len(pictures), "faces": len(faces), "rejected": len(rejected)}
    figures |= {"found": len(faces) / len(pictures)} | {f"found/{split}": float(rate) for split, rate in rates.items()}
    (stage.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")
    stage.watch.log(f"{len(faces):,} faces from {len(pictures):,} pictures, {len(rejected):,} pictures without a face")
