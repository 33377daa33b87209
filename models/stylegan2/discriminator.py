"""StyleGAN2's residual discriminator with minibatch statistics (Karras et al. 2019, "Analyzing and Improving the Image
Quality of StyleGAN", section 4; the statistics are those of Karras et al. 2018, section 3; the label's projection that
of Miyato and Koyama 2018).
"""

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from models.stylegan2.generator import CLAMP, Architecture
from models.stylegan2.layers import EPSILON, Convolution, Dense, lrelu, normalise

HALF_GAIN = float(np.sqrt(0.5))  # of each of the two branches that are added


class ResidualBlock(nnx.Module):
    """(N, H, W, I) -> (N, H/2, W/2, O); the first one takes the picture itself."""

    def __init__(self, arch: Architecture, resolution: int, rngs: nnx.Rngs):
        inputs, outputs = arch.features(resolution), arch.features(resolution // 2)
        first = resolution == arch.resolution
        self.from_rgb = Convolution(1, arch.channels, inputs, rngs) if first else None
        self.skip = Convolution(1, inputs, outputs, rngs, bias=False)
        self.conv = Convolution(3, inputs, inputs, rngs)
        self.down = Convolution(3, inputs, outputs, rngs)
        self.precision = arch.precision(resolution)

    def __call__(self, x: Array) -> Array:
        clamp = CLAMP if self.precision != jnp.float32 else None
        x = x.astype(self.precision)
        if self.from_rgb is not None:
            x = lrelu(self.from_rgb(x), clamp=clamp)
        y = self.skip(x, down=True) * HALF_GAIN
        x = lrelu(self.conv(x), clamp=clamp)
        return y + lrelu(self.down(x, down=True), HALF_GAIN, clamp)


class Discriminator(nnx.Module):
    """Pictures (N, R, R, channels) float32 in [-1, 1] -> logits (N, 1): large for real ones.

    `group` samples share their statistics; N must be a multiple of it, or smaller than it.
    """

    def __init__(self, arch: Architecture, group: int = 4, *, rngs: nnx.Rngs):
        self.arch, self.group = arch, group
        self.blocks = nnx.List([ResidualBlock(arch, size, rngs) for size in arch.resolutions[:0:-1]])
        features = arch.features(4)
        self.conv = Convolution(3, features + 1, features, rngs)
        self.dense = Dense(features * 16, features, rngs)
        self.out = Dense(features, arch.latent if arch.labels else 1, rngs)
        self.labels = nnx.List([])
        if arch.labels:
            widths = [arch.latent] * (arch.label_layers + 1)
            self.embed = Dense(arch.labels, arch.latent, rngs)
            self.labels = nnx.List([Dense(i, o, rngs, lr=0.01) for i, o in zip(widths, widths[1:])])

    def __call__(self, pictures: Array, labels: Array | None = None) -> Array:
        return self.judge(self.look(pictures), labels)

    def look(self, pictures: Array) -> Array:
        """What is seen in pictures: (N, latent) where labels are asked for, else (N, 1)."""
        x = pictures
        for block in self.blocks:
            x = block(x)
        x = x.astype(jnp.float32)
        x = lrelu(self.conv(jnp.concatenate([x, minibatch_deviation(x, self.group)], axis=-1)))
        # Flattened by channel first, as in the published weights.
        x = lrelu(self.dense(x.transpose(0, 3, 1, 2).reshape(x.shape[0], -1)))
        return self.out(x)

    def judge(self, seen: Array, labels: Array | None) -> Array:
        """Logits (N, 1) of what `look` saw in pictures that come with these labels (N, labels)."""
        if not self.arch.labels:
            return seen
        if labels is None:
            raise ValueError("this discriminator was made with labels and needs a one-hot label for each picture")
        y = normalise(self.embed(labels))
        for layer in self.labels:
            y = lrelu(layer(y))
        return jnp.sum(seen * y, axis=-1, keepdims=True) / float(np.sqrt(self.arch.latent))


def minibatch_deviation(x: Array, group: int) -> Array:
    """(N, H, W, C) -> (N, H, W, 1): the standard deviation within the sample's group, mean over features and places.

    A group is every N/group-th sample. Raises ValueError where N is no multiple of the group.
    """
    n, h, w, _ = x.shape
    group = min(group, n)
    if n % group:
        raise ValueError(f"{n} samples cannot be divided into groups of {group}: choose a multiple of {group}")
    y = x.reshape(group, n // group, *x.shape[1:])
    y = y - y.mean(axis=0, keepdims=True)
    deviation = jnp.sqrt(jnp.mean(y**2, axis=0) + EPSILON).mean(axis=(1, 2, 3))
    return jnp.broadcast_to(jnp.tile(deviation, group).reshape(n, 1, 1, 1), (n, h, w, 1))
