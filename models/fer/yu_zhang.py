"""The network of Yu and Zhang 2015, "Image based Static Facial Expression Recognition with Multiple Deep Network Learning"
(ICMI, section 4): five convolutions, three stochastic poolings, three dense layers. Several of them, drawn and trained
from different seeds, are joined by weights that are learnt: `models.fer.ensemble`.

Numbers of layers and the pooling are the paper's; its widths could not be read here, these are of the usual rebuilding.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.fer.stochastic_pooling import stochastic_pool
from models.layers import precision_here

# (features, side of the kernel, pooled)
KERNELS = ((64, 5, True), (64, 3, False), (64, 3, True), (128, 3, False), (128, 3, True))
DENSE = (1024, 1024)
WINDOW, STRIDE = 3, 2  # of the poolings

he = nnx.initializers.he_normal()


class YuZhang(nnx.Module):
    """(N, size, size, channels) float32 in [-1, 1] -> logits (N, classes). With 7 classes and 48×48 grey: 6.3 million."""

    def __init__(self, classes: int = 7, channels: int = 1, *, size: int = 48, rngs: nnx.Rngs):
        self.classes, self.channels, self.size = classes, channels, size
        before = (channels, *(features for features, _, _ in KERNELS))
        self.convolutions = nnx.List([
            nnx.Conv(c, f, (k, k), padding="SAME", kernel_init=he, dtype=precision_here(), rngs=rngs)
            for c, (f, k, _) in zip(before, KERNELS)
        ])  # fmt: skip
        side = size
        for _, _, pooled in KERNELS:
            side = max(-(-(side - WINDOW) // STRIDE), 0) + 1 if pooled else side
        widths = (side * side * before[-1], *DENSE)
        self.dense = nnx.List([nnx.Linear(c, f, kernel_init=he, rngs=rngs) for c, f in zip(widths, DENSE)])
        self.logits = nnx.Linear(DENSE[-1], classes, rngs=rngs)

    def __call__(self, x: Array, train: bool = False, key: Array | None = None) -> Array:
        """What the poolings choose is drawn from `key`; None: they take the weighted mean."""
        if x.shape[1:3] != (self.size, self.size):
            raise ValueError(f"pictures of {x.shape[1]}×{x.shape[2]} pixels, this network is made for {self.size}")
        return self.decide(self.maps(x, train, key), x, train, key)

    def maps(self, x: Array, train: bool = False, key: Array | None = None) -> Array:
        """What the dense layers see: (N, side, side, 128)."""
        for number, (convolution, (_, _, pooled)) in enumerate(zip(self.convolutions, KERNELS)):
            x = jax.nn.relu(convolution(x).astype(jnp.float32))
            if pooled:
                x = stochastic_pool(x, WINDOW, STRIDE, None if key is None else jax.random.fold_in(key, number))
        return x

    def decide(self, maps: Array, pictures: Array, train: bool = False, key: Array | None = None) -> Array:
        """Logits of the maps that the convolutions made."""
        x = maps.reshape(len(maps), -1)
        for dense in self.dense:
            x = jax.nn.relu(dense(x))
        return self.logits(x)
