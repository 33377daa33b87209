"""``edit``: the face in a picture of yours with another expression, by the GANimation of this run.

The face is found, cut out as the faces were that the network learnt from, edited, and pasted back, so that all else keeps
its own pixels.
"""

import argparse
from pathlib import Path

import numpy as np

from data.alignment import cut, squared
from data.faceset import ACTION_UNITS, EXPRESSIONS
from data.picture_file import decode_picture
from data.png import write_png
from flows import settings
from flows.cutting import cut_for, main_face
from flows.facs import expected_units
from flows.film import write_film
from flows.grey import grey
from models.action_units import weights as reader_weights
from models.action_units.read import read
from models.ganimation import weights
from models.ganimation.edit import between, paste
from models.mtcnn import Detector

EDITOR, READER = Path("artifacts/ganimation/weights.npz"), Path("artifacts/action_units/weights.npz")
FRAMES, PACE = 16, 60  # of a film, and milliseconds of each


def main(argv: list[str]) -> int:
    """Writes the edited picture, or with --film the way there."""
    words = argparse.ArgumentParser(prog="python -m flows edit", description=__doc__.partition("\n")[0])
    words.add_argument("picture", type=Path)
    words.add_argument("--expression", choices=EXPRESSIONS, help="take all action units from this one")
    words.add_argument("--unit", action="append", default=[], metavar="N=LEVEL", help="and set single ones, from 0 to 1")
    words.add_argument("--film", action="store_true", help="write a GIF of the way there")
    words.add_argument("--out", type=Path, required=True, help="file to write: .png, or .gif with --film")
    options = words.parse_args(argv)
    units = dict(map(unit_of, options.unit))
    if options.expression is None and not units:
        raise ValueError("nothing is to be edited: give --expression, --unit, or both")
    picture = decode_picture(options.picture.read_bytes(), str(options.picture))
    pair, card = weights.load(EDITOR)
    size = pair.generator.arch.size
    faces = settings.load().faces
    cut_like_its_own = cut_for(card["sources"], faces) if "sources" in card else faces
    matrix = squared(face_in(picture, str(options.picture)), size, cut_like_its_own.margin)
    face = cut(picture, matrix, size)
    own = read(reader_weights.load(READER)[0], grey(face[None]))[0]
    wanted = own.copy() if options.expression is None else expected_units()[EXPRESSIONS.index(options.expression)]
    for unit, level in units.items():
        wanted[ACTION_UNITS.index(unit)] = level

    made = between(pair.generator, face, own, wanted, FRAMES if options.film else 2)
    scale = matrix[0, 0]
    box = (-matrix[0, 2] / scale, -matrix[1, 2] / scale, size / scale, size / scale)
    frames = [paste(picture, box, colour, mask) for colour, mask in zip(made.colour, made.attention)]
    if options.film:
        write_film(options.out, frames, [PACE] * (len(frames) - 1) + [10 * PACE])
    else:
        write_png(options.out, frames[-1])
    print(options.out)
    return 0


def unit_of(text: str) -> tuple[int, float]:
    """"12=0.66" as (12, 0.66); raises ValueError for another unit, or a level outside [0, 1]."""
    unit, _, level = text.partition("=")
    try:
        found = int(unit), float(level)
    except ValueError:
        raise ValueError(f"--unit {text}: expected N=LEVEL, for instance 12=0.66") from None
    if found[0] not in ACTION_UNITS or not 0 <= found[1] <= 1:
        raise ValueError(f"--unit {text}: expected one of {ACTION_UNITS} and a level from 0 to 1")
    return found


def face_in(picture: np.ndarray, name: str) -> np.ndarray:
    """x, y, width, height of the face that a picture is of; raises ValueError where none is found."""
    [found] = Detector(min_face=settings.load().faces.min_face).detect(picture[None])
    chosen = main_face(found.boxes, picture.shape[:2])
    if chosen is None:
        raise ValueError(f"{name}: no face was found; take a picture with a larger or clearer one")
    left, top, right, bottom = found.boxes[chosen]
    return np.array([left, top, right - left, bottom - top])
