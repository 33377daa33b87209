"""The expression networks by the names that recipes and cards give them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.fer.alizadeh_fazel import AlizadehFazel, deep, hybrid, shallow
from models.fer.efficientnet import EFFICIENTNETS
from models.fer.inception_resnet import INCEPTION_RESNETS
from models.fer.mini_xception import MiniXception
from models.fer.mobilenet import MOBILENETS
from models.fer.recipe import OF_ONE_SIZE
from models.fer.residual import Residual
from models.fer.transfer import Transfer
from models.fer.vgg import Vgg
from models.fer.yu_zhang import YuZhang

# Each is called with (N, H, W, channels) float32 in [-1, 1], `train`, and gives logits (N, classes).
Network = MiniXception | Residual | Vgg | AlizadehFazel | YuZhang | Transfer
ARCHITECTURES = MOBILENETS | EFFICIENTNETS | INCEPTION_RESNETS
NETWORKS: dict[str, Callable[..., Network]] = {
    "mini_xception": MiniXception,
    "residual": Residual,
    "vgg": Vgg,
    "alizadeh_shallow": shallow,
    "alizadeh_deep": deep,
    "alizadeh_hybrid": hybrid,
    "yu_zhang": YuZhang,
    **{name: partial(Transfer, shape) for name, shape in ARCHITECTURES.items()},
}
DRAWING = (AlizadehFazel, YuZhang, Transfer)  # what they do in training is drawn from a `key`


def sized(name: str, size: int) -> dict[str, int]:
    """What the network called `name` is to be told of pictures of `size`×`size` pixels: nothing, if it takes any."""
    return {"size": size} if name in OF_ONE_SIZE else {}


def blank(name: str, classes: int, channels: int, **options: Any) -> Network:
    """The network called `name` with shapes in place of values; `options` are its own: those of `sized`, or of
    `models.fer.transfer.Transfer`.

    Raises ValueError for a name that is not known.
    """
    if name not in NETWORKS:
        raise ValueError(f"no expression network is called {name!r}; known: {', '.join(NETWORKS)}")
    return nnx.eval_shape(lambda: NETWORKS[name](classes, channels, rngs=nnx.Rngs(0), **options))


def for_export(network: Network) -> Callable[[Array], Array]:
    """`network` in the form that converts to ONNX."""
    return partial(network, form="grouped") if isinstance(network, MiniXception) else network


def standardise(images: Array) -> Array:
    """uint8 pixels -> float32 in [-1, 1], the range that the published weights and ours were trained on."""
    return images.astype(jnp.float32) / 127.5 - 1.0
