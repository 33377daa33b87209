"""P-, R- and O-Net of MTCNN (Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks", figure 2), as flax modules on (N, H, W, 3) pictures.

Input everywhere: float32 RGB, (pixel − 127.5) / 128. Outputs: the probability of a face in [0, 1]; the box regression
(x1, y1, x2, y2) as shares of the side of the window; for O-Net the landmarks as shares of that side too, five x then
five y: left eye, right eye, nose, left and right corner of the mouth, where left is the left of the picture.

The released weights were trained on pictures stored column by column. The kernels used here are already turned to
(H, W); what remains of it is that the last map is flattened with W before H.
"""

import jax
import jax.numpy as jnp
from flax import nnx


class PReLU(nnx.Module):
    """max(x, 0) + alpha · min(x, 0) with one alpha per channel; any input (…, channels)."""

    def __init__(self, channels: int):
        self.alpha = nnx.Param(jnp.zeros(channels))

    def __call__(self, x: jax.Array) -> jax.Array:
        alpha = self.alpha[...].reshape((1,) * (x.ndim - 1) + (-1,))
        return jnp.where(x > 0, x, alpha * x)


def conv(inputs: int, outputs: int, side: int, rngs: nnx.Rngs) -> nnx.Conv:
    return nnx.Conv(inputs, outputs, kernel_size=(side, side), padding="VALID", rngs=rngs)


def max_pool(x: jax.Array, side: int, padding: str) -> jax.Array:
    """Maximum over side×side pixels in steps of 2, one axis after the other: a quarter of the time of both at once."""
    x = nnx.max_pool(x, window_shape=(side, 1), strides=(2, 1), padding=padding)
    return nnx.max_pool(x, window_shape=(1, side), strides=(1, 2), padding=padding)


def flatten(x: jax.Array) -> jax.Array:
    """(N, H, W, C) to (N, W·H·C): the order in which the released dense layers expect the map."""
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], -1)


def face_probability(logits: jax.Array) -> jax.Array:
    """(…, 2) logits of (no face, face) to the probability of a face (…)."""
    return nnx.softmax(logits)[..., 1]


class PNet(nnx.Module):
    """Proposal network: fully convolutional, looks at every 12×12 window in steps of 2.

    (N, H, W, 3) → probability (N, h, w), box (N, h, w, 4) with h = ceil((H − 2) / 2) − 4, w likewise; H, W ≥ 12.
    """

    def __init__(self, rngs: nnx.Rngs):
        self.conv1, self.prelu1 = conv(3, 10, 3, rngs), PReLU(10)
        self.conv2, self.prelu2 = conv(10, 16, 3, rngs), PReLU(16)
        self.conv3, self.prelu3 = conv(16, 32, 3, rngs), PReLU(32)
        self.box = conv(32, 4, 1, rngs)
        self.face = conv(32, 2, 1, rngs)

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        x = max_pool(self.prelu1(self.conv1(x)), 2, "SAME")
        x = self.prelu2(self.conv2(x))
        x = self.prelu3(self.conv3(x))
        return face_probability(self.face(x)), self.box(x)


class RNet(nnx.Module):
    """Refinement network: (N, 24, 24, 3) → probability (N,), box (N, 4)."""

    def __init__(self, rngs: nnx.Rngs):
        self.conv1, self.prelu1 = conv(3, 28, 3, rngs), PReLU(28)
        self.conv2, self.prelu2 = conv(28, 48, 3, rngs), PReLU(48)
        self.conv3, self.prelu3 = conv(48, 64, 2, rngs), PReLU(64)
        self.dense4, self.prelu4 = nnx.Linear(576, 128, rngs=rngs), PReLU(128)
        self.box = nnx.Linear(128, 4, rngs=rngs)
        self.face = nnx.Linear(128, 2, rngs=rngs)

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        x = max_pool(self.prelu1(self.conv1(x)), 3, "SAME")     # 22 → 11
        x = max_pool(self.prelu2(self.conv2(x)), 3, "VALID")    # 9 → 4
        x = self.prelu3(self.conv3(x))                          # 3
        x = self.prelu4(self.dense4(flatten(x)))
        return face_probability(self.face(x)), self.box(x)


class ONet(nnx.Module):
    """Output network: (N, 48, 48, 3) → probability (N,), box (N, 4), landmarks (N, 10)."""

    def __init__(self, rngs: nnx.Rngs):
        self.conv1, self.prelu1 = conv(3, 32, 3, rngs), PReLU(32)
        self.conv2, self.prelu2 = conv(32, 64, 3, rngs), PReLU(64)
        self.conv3, self.prelu3 = conv(64, 64, 3, rngs), PReLU(64)
        self.conv4, self.prelu4 = conv(64, 128, 2, rngs), PReLU(128)
        self.dense5, self.prelu5 = nnx.Linear(1152, 256, rngs=rngs), PReLU(256)
        self.box = nnx.Linear(256, 4, rngs=rngs)
        self.landmarks = nnx.Linear(256, 10, rngs=rngs)
        self.face = nnx.Linear(256, 2, rngs=rngs)

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        x = max_pool(self.prelu1(self.conv1(x)), 3, "SAME")     # 46 → 23
        x = max_pool(self.prelu2(self.conv2(x)), 3, "VALID")    # 21 → 10
        x = max_pool(self.prelu3(self.conv3(x)), 2, "SAME")     # 8 → 4
        x = self.prelu4(self.conv4(x))                          # 3
        x = self.prelu5(self.dense5(flatten(x)))
        return face_probability(self.face(x)), self.box(x), self.landmarks(x)
