"""The two classifiers that SAN programs were trained against, for gender or any other attribute: that of the official
program (Mirjalili et al. 2018, "Semi-Adversarial Networks") and that of the Keras port. Layer by layer as
their programs have them; pictures smaller than 224 pixels go through as many of the port's halvings as they have room for.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax

from models.layers import NHWC, channelwise, convolution, form_here, halved_by_maximum

PAPER_WIDTHS = (32, 64, 128, 256, 256, 512)
PORT_WIDTHS = (32, 64, 64, 128, 128, 256)
he = nnx.initializers.he_uniform()


class Convolution(nnx.Module):
    """k×k convolution with bias; `padding` "SAME" or "VALID"."""

    def __init__(self, channels: int, features: int, size: int, padding: str, rngs: nnx.Rngs):
        self.kernel = nnx.Param(he(rngs.params(), (size, size, channels, features)))
        self.bias = nnx.Param(jnp.zeros(features))
        self.padding = padding

    def __call__(self, x: Array) -> Array:
        kernel = self.kernel[...]
        if kernel.shape[0] != 3:
            y = lax.conv_general_dilated(x, kernel, (1, 1), self.padding, dimension_numbers=NHWC)
        else:
            edge = 1 if self.padding == "SAME" else 0
            y = convolution(jnp.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0))), kernel, form_here())
        return y + channelwise(self.bias[...])


class PaperClassifier(nnx.Module):
    """The official program's: grey (N, H, W, 1) in [0, 1], sides from 32 up -> logits (N, classes).

    Six convolutions, the first five with a halving; 2,159,618 weights with 2 classes (woman 0, man 1).
    """

    def __init__(self, classes: int = 2, *, rngs: nnx.Rngs):
        self.classes = classes
        widths = (1, *PAPER_WIDTHS)
        sizes = (5, 3, 3, 3, 3, 3)
        self.layers = nnx.List([Convolution(c, f, k, "SAME", rngs) for c, f, k in zip(widths, widths[1:], sizes)])
        self.out = nnx.Linear(widths[-1], classes, rngs=rngs)

    def __call__(self, x: Array, key: Array | None = None) -> Array:
        """With a `key`, as in training: a quarter of the maps and of the features are dropped."""
        for number, layer in enumerate(self.layers):
            x = jax.nn.leaky_relu(layer(x), 0.01)
            if number < len(PAPER_WIDTHS) - 1:
                x = halved_by_maximum(x)
        if key is not None:
            keys = jax.random.split(key)
            x = dropped(keys[0], x, (x.shape[0], 1, 1, x.shape[3]), 0.25)
        features = jnp.mean(x, axis=(1, 2))
        return self.out(features if key is None else dropped(keys[1], features, features.shape, 0.25))


class PortClassifier(nnx.Module):
    """The Keras port's: grey (N, size, size, 1) in [0, 1] -> logits (N, classes).

    The port puts two sigmoids on them and trains by categorical cross-entropy, which divides by their sum; here they are
    logits of a softmax like any other's.
    """

    def __init__(self, classes: int = 2, size: int = 224, *, rngs: nnx.Rngs):
        self.classes, self.size = classes, size
        channels, layers, side = 1, [], size
        for number, features in enumerate(PORT_WIDTHS):
            kernel = 3 if number else 5
            if (side - kernel + 1) // 2 < 1:
                break
            layers.append(Convolution(channels, features, kernel, "VALID", rngs))
            channels, side = features, (side - kernel + 1) // 2
        if not layers:
            raise ValueError(f"size is {size}, expected at least 6 pixels")
        self.layers = nnx.List(layers)
        self.hidden = nnx.Linear(side * side * channels, 256, rngs=rngs)
        self.out = nnx.Linear(256, classes, rngs=rngs)

    def __call__(self, x: Array, key: Array | None = None) -> Array:
        """With a `key`, as in training: half of the hidden features are dropped."""
        if x.shape[1:] != (self.size, self.size, 1):
            raise ValueError(f"pictures are {x.shape[1:]}, this classifier was made for {(self.size, self.size, 1)}")
        for layer in self.layers:
            x = halved_by_maximum(jax.nn.leaky_relu(layer(x), 0.3))
        hidden = self.hidden(x.reshape(x.shape[0], -1))
        if key is not None:
            hidden = dropped(key, hidden, hidden.shape, 0.5)
        return self.out(jax.nn.leaky_relu(hidden, 0.3))


Classifier = PaperClassifier | PortClassifier


def made(kind: str, classes: int, size: int, rngs: nnx.Rngs) -> Classifier:
    """The classifier that recipes and cards call "paper" or "port", for pictures of `size` pixels a side."""
    match kind:
        case "paper":
            return PaperClassifier(classes, rngs=rngs)
        case "port":
            return PortClassifier(classes, size, rngs=rngs)
    raise ValueError(f"no classifier is called {kind!r}; known: paper, port")


def dropped(key: Array, x: Array, shape: tuple[int, ...], rate: float) -> Array:
    """`x` without a share `rate` of its values, drawn once for all that `shape` counts as one, and the rest raised."""
    kept = jnp.broadcast_to(jax.random.bernoulli(key, 1 - rate, shape), x.shape)
    return jnp.where(kept, x / (1 - rate), 0.0)
