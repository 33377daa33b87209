"""StyleGAN2's layers: equalised learning rate (Karras et al. 2018, section 4.1), modulated and demodulated convolution
(Karras et al. 2019, "Analyzing and Improving the Image Quality of StyleGAN", section 2.2, equations 1-3), and the first
StyleGAN's AdaIN (Karras et al. 2018, "A Style-Based Generator", equation 1) as the other form of the same block.

Kernels are (k, k, in, out) and always applied as correlations, also where the picture grows: NVIDIA's PyTorch stores the
kernels of those layers flipped, its TensorFlow as here.
"""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array, lax

from models.layers import NHWC, channelwise, form_here, product_convolution
from models.stylegan2.resample import downsample, smooth

EPSILON = 1e-8
LARGE = 2**23  # values in, times features out, of a convolution: 16 pictures of 32×32 by 16 and 16 features are half of it
LRELU_GAIN = float(np.sqrt(2))
# Which of three taps meets which of two neighbours (the one before, the one here) in even and in odd places of a row that
# is spread to twice its length by zeros.
PHASES = np.array([[[1, 0, 0], [0, 0, 1]], [[0, 0, 0], [0, 1, 0]]])  # phase, neighbour, tap

normal = nnx.initializers.normal(1.0)


def lrelu(x: Array, gain: float = 1.0, clamp: float | None = None) -> Array:
    """Leaky ReLU of slope 0.2, times √2 and `gain`, cut off at ±clamp·gain."""
    x = jax.nn.leaky_relu(x, 0.2) * (LRELU_GAIN * gain)
    return x if clamp is None else jnp.clip(x, -clamp * gain, clamp * gain)


def normalise(x: Array) -> Array:
    """(N, C) with a mean square of 1 in each row."""
    return x * lax.rsqrt(jnp.mean(x**2, axis=-1, keepdims=True) + EPSILON)


def as_product(x: Array, kernel: Array) -> bool:
    """Whether a 3×3 convolution of (N, H, W, I) with (3, 3, I, O) is faster as a matrix product: on a CPU where it is large,
    because of its gradients, of which XLA's take up to twenty times as long; small ones are not, and compile more slowly."""
    return form_here() == "shifted" and x.size * kernel.shape[3] >= LARGE


def convolve(x: Array, kernel: Array) -> Array:
    """Correlation of (N, H, W, I) with (k, k, I, O), k odd and zeros outside: (N, H, W, O)."""
    if kernel.shape[0] == 3 and as_product(x, kernel):
        return product_convolution(jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), kernel)
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=NHWC)


def convolve_up(x: Array, kernel: Array) -> Array:
    """3×3 correlation of (N, H, W, I) spread to twice its size, then smoothed: (N, 2H, 2W, O).

    As one matrix product of 2×2 neighbourhoods that gives all four phases of the larger picture: no zero is multiplied,
    and the gradient of a spread convolution's kernel, as XLA has it, takes twenty times as long on a CPU.
    """
    n, h, w, inputs = x.shape
    outputs = kernel.shape[-1]
    phases = jnp.asarray(PHASES, x.dtype)
    spread = jnp.einsum("ptk,qul,klio->tuipqo", phases, phases, kernel).reshape(4 * inputs, 4 * outputs)
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    near = jnp.concatenate([x[:, i : i + h + 1, j : j + w + 1] for i in range(2) for j in range(2)], axis=-1)
    y = (near.reshape(-1, 4 * inputs) @ spread).reshape(n, h + 1, w + 1, 2, 2, outputs)
    y = y.transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * h + 2, 2 * w + 2, outputs)
    return smooth(y[:, :-1, :-1], (1, 1), gain=4)


def convolve_down(x: Array, kernel: Array) -> Array:
    """Smoothed, then correlated with stride 2: (N, H, W, I) -> (N, H/2, W/2, O)."""
    if kernel.shape[0] == 1:
        return convolve(downsample(x), kernel)
    x = smooth(x, (2, 2))
    if not as_product(x, kernel):
        return lax.conv_general_dilated(x, kernel, (2, 2), "VALID", dimension_numbers=NHWC)
    return halving_product(x, kernel)


def halving_product(x: Array, kernel: Array) -> Array:
    """3×3 correlation with stride 2 as one matrix product: (N, 2H + 1, 2W + 1, I) -> (N, H, W, O).

    What R1 differentiates of it takes a seventh of the time on a CPU.
    """
    n, h, w, inputs = x.shape[0], x.shape[1] // 2, x.shape[2] // 2, x.shape[3]
    taps = [x[:, i : i + 2 * h - 1 : 2, j : j + 2 * w - 1 : 2] for i in range(3) for j in range(3)]
    near = jnp.concatenate(taps, axis=-1).reshape(-1, 9 * inputs)
    return (near @ kernel.reshape(9 * inputs, -1)).reshape(n, h, w, -1)


def modulated_convolution(x: Array, kernel: Array, styles: Array, demodulate: bool = True, up: bool = False) -> Array:
    """(N, H, W, I), (k, k, I, O), styles (N, I) -> (N, H, W, O), or twice the size with `up`.

    The kernel is shared: scaling the input by its style and the output by the demodulation equals a kernel for each
    sample, without a grouped convolution.
    """
    x = x * styles[:, None, None, :]
    x = convolve_up(x, kernel) if up else convolve(x, kernel)
    if not demodulate:
        return x
    power = styles**2 @ jnp.sum(kernel**2, axis=(0, 1))  # (N, O)
    return x * lax.rsqrt(power + EPSILON)[:, None, None, :]


def instance_norm(x: Array) -> Array:
    """(N, H, W, C) with mean 0 and variance 1 over each sample's channel."""
    x = x - x.mean(axis=(1, 2), keepdims=True)
    return x * lax.rsqrt(jnp.mean(x**2, axis=(1, 2), keepdims=True) + EPSILON)


class Buffer(nnx.Variable):
    """A value that belongs to the weights but is not trained by gradients: fixed noise, the average w."""


class Dense(nnx.Module):
    """Equalised fully connected layer: x·(W·lr/√in) + b·lr, W drawn from N(0, 1)/lr: (N, I) -> (N, O)."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs, lr: float = 1.0, bias: float = 0.0):
        self.weight = nnx.Param(normal(rngs.params(), (inputs, outputs)) / lr)
        self.bias = nnx.Param(jnp.full((outputs,), bias, jnp.float32))
        self.scale, self.lr = lr / float(np.sqrt(inputs)), lr

    def __call__(self, x: Array) -> Array:
        return x @ (self.weight[...] * self.scale) + (self.bias[...] * self.lr)[None]


class Convolution(nnx.Module):
    """Equalised k×k convolution: W·1/√(in·k²), W drawn from N(0, 1); `bias` False leaves it out."""

    def __init__(self, size: int, inputs: int, outputs: int, rngs: nnx.Rngs, bias: bool = True):
        self.kernel = nnx.Param(normal(rngs.params(), (size, size, inputs, outputs)))
        self.bias = nnx.Param(jnp.zeros((outputs,))) if bias else None
        self.scale = 1 / float(np.sqrt(inputs * size**2))

    def __call__(self, x: Array, down: bool = False) -> Array:
        kernel = (self.kernel[...] * self.scale).astype(x.dtype)
        x = convolve_down(x, kernel) if down else convolve(x, kernel)
        return x if self.bias is None else x + channelwise(self.bias[...]).astype(x.dtype)


Block = Literal["modulated", "adain"]


class StyledLayer(nnx.Module):
    """One layer of the synthesis network, 3×3, with its style, noise and activation.

    `form` "modulated" is StyleGAN2's (style and demodulation on the kernel, then noise, bias, activation); "adain" the
    first StyleGAN's (convolution, noise, bias, activation, then instance normalisation scaled and shifted by the style),
    whose droplet artefacts made the second drop it.
    """

    def __init__(
        self, size: int, inputs: int, outputs: int, styles: int, rngs: nnx.Rngs, up: bool, form: Block = "modulated"
    ):
        self.form, self.up = form, up
        if form == "modulated":
            self.affine = Dense(styles, inputs, rngs, bias=1.0)
        else:
            self.affine = Dense(styles, 2 * outputs, rngs)
        self.kernel = nnx.Param(normal(rngs.params(), (3, 3, inputs, outputs)))
        self.scale = 1 / float(np.sqrt(9 * inputs))
        self.bias = nnx.Param(jnp.zeros((outputs,)))
        self.noise_strength = nnx.Param(jnp.zeros(()))
        self.noise = Buffer(normal(rngs.params(), (size, size)))

    def __call__(self, x: Array, w: Array, noise: Array | None, clamp: float | None = None) -> Array:
        """(N, H, W, I), w (N, S), noise (N or 1, H', W') or None -> (N, H', W', O)."""
        styles = self.affine(w)
        kernel = (self.kernel[...] * self.scale).astype(x.dtype)
        if self.form == "modulated":
            x = modulated_convolution(x, kernel, styles.astype(x.dtype), up=self.up)
        else:
            x = convolve_up(x, kernel) if self.up else convolve(x, kernel)
        if noise is not None:
            x = x + (noise * self.noise_strength[...]).astype(x.dtype)[..., None]
        x = lrelu(x + channelwise(self.bias[...]).astype(x.dtype), clamp=clamp)
        if self.form == "modulated":
            return x
        scale, shift = jnp.split(styles.astype(x.dtype), 2, axis=-1)
        return instance_norm(x) * (1 + scale)[:, None, None, :] + shift[:, None, None, :]


class ToRGB(nnx.Module):
    """1×1 modulated convolution without demodulation: (N, H, W, I), w (N, S) -> (N, H, W, channels) float32."""

    def __init__(self, inputs: int, channels: int, styles: int, rngs: nnx.Rngs):
        self.affine = Dense(styles, inputs, rngs, bias=1.0)
        self.kernel = nnx.Param(normal(rngs.params(), (1, 1, inputs, channels)))
        self.bias = nnx.Param(jnp.zeros((channels,)))
        self.scale = 1 / float(np.sqrt(inputs))

    def __call__(self, x: Array, w: Array, clamp: float | None = None) -> Array:
        styles = self.affine(w) * self.scale
        x = modulated_convolution(x, self.kernel[...].astype(x.dtype), styles.astype(x.dtype), demodulate=False)
        x = x.astype(jnp.float32) + channelwise(self.bias[...])
        return x if clamp is None else jnp.clip(x, -clamp, clamp)
