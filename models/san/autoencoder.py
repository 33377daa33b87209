"""The semi-adversarial autoencoder (Mirjalili, Raschka, Namboodiri and Ross 2018, "Semi-Adversarial Networks: Convolutional
Autoencoders for Imparting Privacy to Face Images", section 3.1): a grey face is encoded beside the prototype of its own
attribute, and a proto-combiner draws the decoded features beside any prototype.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array, nn

from models.layers import channelwise, convolution, form_here, pointwise

WIDTHS = (8, 12, 256, 128)  # of the two encoding and the two decoding convolutions: 324,248 values
SLOPE = 0.01
# Which of three taps meets which of two neighbours (the one before, the one here) in the odd place before and the even
# place here of a row whose every pixel was doubled.
DOUBLED = np.array([[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]]])


class Convolution(nnx.Module):
    """3×3, zero padding, leaky ReLU: (N, H, W, I) -> (N, H, W, O). Drawn as PyTorch draws: U(±1/√fan-in)."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs):
        self.kernel, self.bias = uniform((3, 3, inputs, outputs), 9 * inputs, rngs), uniform((outputs,), 9 * inputs, rngs)

    def __call__(self, x: Array) -> Array:
        x = convolution(jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), self.kernel[...], form_here())
        return nn.leaky_relu(x + channelwise(self.bias[...]), SLOPE)

    def of_doubled(self, x: Array) -> Array:
        """The same of `doubled(x)`: (N, 2H, 2W, O), as one matrix product of 2×2 neighbourhoods of x.

        Where pixels come in pairs, three taps see only two of them: 16 products a pixel instead of 36.
        """
        n, h, w, inputs = x.shape
        outputs = self.kernel.shape[-1]
        doubled = jnp.asarray(DOUBLED, x.dtype)
        kernel = jnp.einsum("ptk,qul,klio->tuipqo", doubled, doubled, self.kernel[...]).reshape(4 * inputs, 4 * outputs)
        x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        near = jnp.concatenate([x[:, i : i + h + 1, j : j + w + 1] for i in range(2) for j in range(2)], axis=-1)
        y = (near.reshape(-1, 4 * inputs) @ kernel).reshape(n, h + 1, w + 1, 2, 2, outputs)
        y = y.transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * h + 2, 2 * w + 2, outputs)[:, 1:-1, 1:-1]
        return nn.leaky_relu(y + channelwise(self.bias[...]), SLOPE)


class Autoencoder(nnx.Module):
    """Grey faces (N, H, W, 1) in [0, 1] beside prototypes; H and W are multiples of 4."""

    def __init__(self, widths: tuple[int, int, int, int] = WIDTHS, *, rngs: nnx.Rngs):
        self.widths = widths
        first, second, third, fourth = widths
        self.encoder = nnx.List([Convolution(4, first, rngs), Convolution(first, second, rngs)])
        self.decoder = nnx.List([Convolution(second, third, rngs), Convolution(third, fourth, rngs)])
        self.kernel, self.bias = uniform((fourth + 3, 1), fourth + 3, rngs), uniform((1,), fourth + 3, rngs)

    def encode(self, faces: Array, same: Array) -> Array:
        """Features (N, H/2, W/2, widths[3]) of faces beside the prototypes (N or 1, H, W, 3) in [0, 1] of their own kind.

        Each stands for 2×2 pixels: the last doubling of the paper is left to `combine`.
        """
        same = jnp.broadcast_to(same, (*faces.shape[:3], 3))
        x = jnp.concatenate([faces, same], axis=-1)
        for layer in self.encoder:
            x = halved(layer(x))
        return self.decoder[1].of_doubled(self.decoder[0](x))

    def logits(self, features: Array, prototypes: Array) -> Array:
        """What `combine` makes before its sigmoid."""
        width = self.widths[3]
        drawn = doubled(pointwise(features, self.kernel[:width]))
        return drawn + pointwise(prototypes, self.kernel[width:]) + channelwise(self.bias[...])

    def combine(self, features: Array, prototypes: Array) -> Array:
        """Faces (N, H, W, 1) in [0, 1]: the features drawn beside prototypes (N or 1, H, W, 3) of any kind."""
        return nn.sigmoid(self.logits(features, prototypes))

    def __call__(self, faces: Array, same: Array, *prototypes: Array) -> tuple[Array, ...]:
        """The faces beside each of `prototypes`."""
        features = self.encode(faces, same)
        return tuple(self.combine(features, each) for each in prototypes)


def uniform(shape: tuple[int, ...], inputs: int, rngs: nnx.Rngs) -> nnx.Param:
    """Values from U(±1/√inputs)."""
    bound = inputs**-0.5
    return nnx.Param(jax.random.uniform(rngs.params(), shape, minval=-bound, maxval=bound))


def halved(x: Array) -> Array:
    """The mean of each 2×2 pixels."""
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))


def doubled(x: Array) -> Array:
    """Every pixel as 2×2."""
    return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)


def published_names() -> dict[str, str]:
    """Our weight's path -> the official checkpoint's name."""
    layers = {"encoder/0": "autoencoder.0", "encoder/1": "autoencoder.3", "decoder/0": "autoencoder.6",
              "decoder/1": "autoencoder.9"}  # fmt: skip
    names = {f"{ours}/{kind}": f"{theirs}.{name}" for ours, theirs in layers.items()
             for kind, name in (("kernel", "weight"), ("bias", "bias"))}  # fmt: skip
    return names | {"kernel": "protocombiner.0.weight", "bias": "protocombiner.0.bias"}


def as_ours(name: str, value: np.ndarray) -> Any:
    """A published value in our layout: kernels (O, I, k, k) as (k, k, I, O), the proto-combiner's as (I, 1)."""
    if value.ndim != 4:
        return value
    return value[:, :, 0, 0].T if name == "kernel" else value.transpose(2, 3, 1, 0)
