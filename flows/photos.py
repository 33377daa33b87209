"""The photos of one person, cut as the generator's faces were: from a folder, or those of a drawn person."""

from pathlib import Path

import numpy as np

from data.faceset import EXPRESSIONS, FaceSet
from data.letterbox import letterbox
from data.picture_file import decode_picture
from flows.cutting import cut_face, like_portraits
from flows.sections import Faces
from flows.stage import Stage
from models.mtcnn import Detector

ROOT = Path(__file__).resolve().parents[1]
DRAWN = "data/synthetic"
LOOKED_AT = 512  # pixels, the longer side of a photo when faces are looked for: one size, compiled once
LEAST_FACE = 60  # pixels of those; smaller ones are bystanders
MOST = 7  # photos of a drawn person


def person_of(stage: Stage) -> np.ndarray:
    """Portraits (N, R, R, 3) uint8 of the person in `personal_emoji.photos`.

    A photo that cannot be used is told of, with the reason, and the others are. Raises ValueError where none can.
    """
    place = stage.params.personal_emoji.photos
    learnt_from = FaceSet.open(stage.inputs["faces"] / "portraits")
    if place == DRAWN:
        return drawn_person(learnt_from)
    folder = ROOT / Path(place).expanduser()
    files = sorted(file for file in folder.glob("[!.]*") if file.is_file())
    if not files:
        raise ValueError(f"personal_emoji.photos: {folder} is no folder with photos: put one or more of a person there")
    settings = like_portraits(learnt_from.table["source"].dropna().unique(), stage.params.faces)
    detector = Detector(min_face=LEAST_FACE)
    portraits, faults = [], []
    for file in files:
        try:
            portraits.append(portrait_in(file, detector, settings))
        except ValueError as error:
            faults.append(str(error))
            stage.watch.log(f"left out: {error}")
    if not portraits:
        raise ValueError(f"personal_emoji.photos: no photo in {folder} shows one face: " + "; ".join(faults))
    return np.stack(portraits)


def portrait_in(file: Path, detector: Detector, settings: Faces) -> np.ndarray:
    """The one face in a photo, upright. Raises ValueError, naming the file, for none, several, or no photo at all."""
    image = decode_picture(file.read_bytes(), file.name)
    if min(image.shape[:2]) < settings.size:
        raise ValueError(f"{file.name}: {image.shape[1]}×{image.shape[0]} pixels, at least {settings.size} each way are needed")
    image = letterbox(image, LOOKED_AT, 3)
    [faces] = detector.detect(image[None])
    if len(faces.boxes) != 1:
        raise ValueError(f"{file.name}: {len(faces.boxes) or 'no'} face{'s' * (len(faces.boxes) != 1)} found, "
                         "one is needed: cut the photo, or take another")
    return cut_face(image, faces.boxes[0], faces.landmarks[0], settings)[0]


def drawn_person(portraits: FaceSet) -> np.ndarray:
    """Up to MOST portraits of the first person that nothing was trained on, of different expressions where known."""
    table = portraits.table
    unseen = table[~table["split"].isin(["train", "validation"])]
    unseen = unseen if len(unseen) else table
    subject = unseen["subject"].iloc[0]
    of_one = unseen[unseen["subject"] == subject] if isinstance(subject, str) else unseen.iloc[:1]
    neutral_first = of_one["label"].eq(EXPRESSIONS.index("neutral")).fillna(False)
    rows = of_one.index[np.argsort(~neutral_first.to_numpy(bool), kind="stable")][:MOST]
    return np.asarray(portraits.images[np.sort(rows.to_numpy())])
