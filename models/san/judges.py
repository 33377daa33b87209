"""Networks that look at SAN's pictures, each with pixels as it learnt them: size, range and number of channels.

SAN knows a network only as a `Judge`: grey pictures in [0, 1] in, logits or a descriptor out, differentiable.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from models import weights_file
from models.batches import in_batches
from models.face_matcher import weights as matcher_weights
from models.fer import weights as fer_weights
from models.fer.predict import mirrored
from models.san import vgg_face
from models.san import weights as san_weights

Judge = Callable[[Array], Array]  # (N, H, W, 1) in [0, 1] -> (N, K)
OURS = ("paper", "port")  # networks of models.san.gender; others are those of models.fer


def seen_by(network: Judge, size: int | None = None, channels: int = 1, low: float = -1.0, high: float = 1.0) -> Judge:
    """`network`, which was made for pictures (N, size, size, channels) in [low, high], as a judge of SAN's.

    mini-Xception's gender network as published: `seen_by(network, 64)`, where `network` is what `models.fer.weights.load`
    reads; a face matcher of colour pictures: `seen_by(matcher, channels=3)`. Without `size` the pictures stay as they are.
    """

    def judge(pictures: Array) -> Array:
        count, height, width, _ = pictures.shape
        if size is not None and (height, width) != (size, size):
            pictures = jax.image.resize(pictures, (count, size, size, 1), "linear")
        pictures = low + (high - low) * pictures
        return network(jnp.broadcast_to(pictures, (*pictures.shape[:3], channels)))

    return judge


def classifier(path: Path) -> tuple[Judge, dict[str, Any]]:
    """The classifier in a file of `models.san.weights` or `models.fer.weights`, and its card, which has its `labels`.

    Where the card says so, its word on a picture is the mean over the picture and its mirror image. Raises FileNotFoundError
    and WeightsError.
    """
    if path.suffix == ".npz" and weights_file.read(path, ("network", "labels"))[1]["network"] in OURS:
        return san_weights.load(path)
    network, card = fer_weights.load(path)
    judge = seen_by(network, card["size"], card["channels"])
    return mirrored(judge) if card.get("mirror", False) else judge, card


def matcher(path: Path) -> Judge:
    """The face matcher in a file of `models.face_matcher.weights` (.npz), or VGG-Face in one of `vgg_face.read`.

    Raises FileNotFoundError, WeightsError, and UntrustedPickleError.
    """
    if path.suffix != ".npz":
        vgg = vgg_face.read(path)
        return seen_by(vgg, vgg.side, low=0.0)
    network, card = matcher_weights.load(path)
    return seen_by(network, card["size"], card["channels"])


def said(judge: Judge, images: Any) -> np.ndarray:
    """What a judge says of pictures (N, H, W, 1) uint8, any array-like that takes slices: (N, K) float32."""
    look = jax.jit(lambda pictures: judge(pictures.astype(jnp.float32) / 255))
    return in_batches(look, images)
