"""The auxiliary classifier that a semi-adversarial network learns to please with one prototype and to mislead with the other
(Mirjalili et al. 2018, section 3.2): six convolutions, halved by maxima, and one linear layer.

The authors' takes 224×224 and averages 7×7 places at the end; here all that is left is averaged over, so that any size of at
least 32 will do. With their widths and two classes it has their 2,159,618 values.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.layers import NHWC, channelwise
from models.san.autoencoder import SLOPE, uniform

WIDTHS = (32, 64, 128, 256, 256, 512)  # the first convolution is 5×5, the others 3×3; all but the last are halved
DROPPED = 0.25


class AttributeClassifier(nnx.Module):
    """Grey faces (N, H, W, 1) in [0, 1] -> logits (N, classes)."""

    def __init__(self, classes: int = 2, widths: tuple[int, ...] = WIDTHS, *, rngs: nnx.Rngs):
        self.classes, self.widths = classes, widths
        sizes, inputs = (5, *[3] * (len(widths) - 1)), (1, *widths)
        self.kernels = nnx.List([uniform((k, k, i, o), k * k * i, rngs) for k, i, o in zip(sizes, inputs, widths)])
        self.biases = nnx.List([uniform((o,), k * k * i, rngs) for k, i, o in zip(sizes, inputs, widths)])
        self.head = uniform((widths[-1], classes), widths[-1], rngs)
        self.bias = uniform((classes,), widths[-1], rngs)

    def __call__(self, faces: Array, key: Array | None = None) -> Array:
        """With a `key` a quarter of the last maps is dropped, as in training."""
        x = faces
        for number, (kernel, bias) in enumerate(zip(self.kernels, self.biases)):
            x = jax.lax.conv_general_dilated(x, kernel[...], (1, 1), "SAME", dimension_numbers=NHWC)
            x = jax.nn.leaky_relu(x + channelwise(bias[...]), SLOPE)
            if number < len(self.widths) - 1:
                n, h, w, c = x.shape
                x = x[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c).max(axis=(2, 4))
        x = jnp.mean(x, axis=(1, 2))
        if key is not None:
            x = jnp.where(jax.random.bernoulli(key, 1 - DROPPED, x.shape), x / (1 - DROPPED), 0)
        return x @ self.head[...] + self.bias[...][None]
