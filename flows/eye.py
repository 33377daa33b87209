"""How the pipeline compares portraits: whom its own matcher sees in them, and by what a projection is steered."""

from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from flows.forms import featured
from flows.generated import GREY
from flows.judge import as_faces
from flows.sections import Faces
from models import vgg16
from models.face_matcher import weights
from models.stylegan2.project import Features, perceptual, pixel_pyramid


def recognise(path: Path, faces: Faces) -> Callable[[np.ndarray], np.ndarray]:
    """From portraits (N, R, R, 3) uint8 to unit vectors (N, D), by the matcher in `path` that learnt from `faces`."""
    matcher, card = weights.load(path)
    size, channels = card["size"], card["channels"]

    def look(portraits: np.ndarray) -> np.ndarray:
        return weights.embed(matcher, featured(as_faces(portraits, size, channels, faces), faces.features))

    return look


def projection_features(choice: str, matcher: Path) -> Features:
    """What a projection compares: pixels at several sizes, and the maps of the matcher or of the VGG-16 in file `choice`."""
    if choice == "matcher":
        network, card = weights.load(matcher)

        def maps(pictures: Array) -> list[Array]:
            if card["channels"] == 1:
                pictures = (pictures @ jnp.array(GREY))[..., None]
            shape = (len(pictures), card["size"], card["size"], card["channels"])
            return network.features(jax.image.resize(pictures, shape, "linear"))

    else:
        layers = vgg16.load(Path(choice).expanduser())

        def maps(pictures: Array) -> list[Array]:
            return vgg16.maps(layers, pictures)

    return lambda pictures: [*perceptual(maps)(pictures), *pixel_pyramid(pictures)]
