"""An expression network on a backbone that was made for ImageNet: the backbone's last map averaged over its places, hidden
dense layers where a study wants them ("DNN"), dropout, one linear layer (Yosinski et al. 2014, "How transferable are
features in deep neural networks?").
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.fer.keras_layers import Activation, Dense, dropped


@dataclass(frozen=True)
class Architecture:
    """A backbone: `build` makes its blocks, each called with (x, train, key), one after the other."""

    build: Callable[[nnx.Rngs], list[nnx.Module]]
    features: int  # of the last map
    smallest: int  # side of a picture in pixels
    activation: Activation = jax.nn.relu  # of hidden dense layers
    hidden_names: tuple[str, ...] = ()  # Keras' names of them, where its own top has any
    logits_name: str = "predictions"


class Head(nnx.Module):
    """(N, features) -> logits (N, classes)."""

    def __init__(self, shape: Architecture, classes: int, hidden: Sequence[int], dropout: float, rngs: nnx.Rngs):
        widths = (shape.features, *hidden)
        names = (*shape.hidden_names, *(f"hidden_{k}" for k in range(len(shape.hidden_names), len(hidden))))
        self.hidden = nnx.List([Dense(n, c, f, rngs=rngs) for n, c, f in zip(names, widths, hidden)])
        self.logits = Dense(shape.logits_name, widths[-1], classes, rngs=rngs)
        self.activation, self.dropout = shape.activation, dropout

    def __call__(self, x: Array, key: Array | None) -> Array:
        """Dropout with `key` follows each hidden layer, or the pooling where there is none; None: no dropout."""
        stages = [lambda x: x] if not self.hidden else [lambda x, d=d: self.activation(d(x)) for d in self.hidden]
        for number, stage in enumerate(stages):
            x = stage(x)
            if self.dropout and key is not None:
                x = dropped(x, self.dropout, jax.random.fold_in(key, number), x.shape)
        return self.logits(x)


class Transfer(nnx.Module):
    """(N, H, W, channels) float32 in [-1, 1] -> logits (N, classes). H and W from the backbone's smallest side up.

    A grey picture goes in as three equal channels, which is what weights from ImageNet need.

    Args:
        shape: the backbone.
        classes, channels: 1 or 3 channels.
        hidden: widths of dense layers before the logits.
        dropout: share of the values dropped in training before each of the head's last layers.
        backbone_learns: False keeps the backbone as it is outside training while the head is trained: normalisation by
            the running statistics, no stochastic depth.
    """

    def __init__(
        self,
        shape: Architecture,
        classes: int = 7,
        channels: int = 1,
        *,
        hidden: Sequence[int] = (),
        dropout: float = 0.0,
        backbone_learns: bool = True,
        rngs: nnx.Rngs,
    ):
        if channels not in (1, 3):
            raise ValueError(f"channels is {channels}, expected 1 (grey) or 3 (red, green, blue)")
        self.classes, self.channels, self.hidden = classes, channels, tuple(hidden)
        self.smallest, self.backbone_learns = shape.smallest, backbone_learns
        self.blocks = nnx.List(shape.build(rngs))
        self.head = Head(shape, classes, hidden, dropout, rngs)

    def __call__(self, x: Array, train: bool = False, key: Array | None = None) -> Array:
        """Training draws dropout and stochastic depth from `key`. Raises ValueError without it, or for a small picture."""
        if train and key is None:
            raise ValueError("a network with a backbone is trained with a key, which its dropout is drawn from")
        keys = jax.random.split(key) if train else (None, None)
        return self.head(jnp.mean(self.maps(x, train and self.backbone_learns, keys[0]), axis=(1, 2)), keys[1])

    def maps(self, x: Array, train: bool = False, key: Array | None = None) -> Array:
        """The backbone's last map: (N, h, w, features)."""
        if min(x.shape[1:3]) < self.smallest:
            raise ValueError(f"pictures of {x.shape[1]}×{x.shape[2]} pixels, this network takes {self.smallest} and more")
        if self.channels == 1:
            x = jnp.concatenate([x, x, x], axis=-1)
        for number, block in enumerate(self.blocks):
            x = block(x, train, jax.random.fold_in(key, number) if train else None)
        return x

    def features(self, x: Array) -> Array:
        """(N, H, W, channels) -> (N, features): the last map averaged over its places."""
        return jnp.mean(self.maps(x), axis=(1, 2))
