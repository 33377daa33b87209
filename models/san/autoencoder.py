"""The convolutional autoencoder with proto-combiner (Mirjalili, Raschka, Namboodiri and Ross 2018, "Semi-Adversarial
Networks"): a grey face and the prototype of its class go in, and with any class's prototype a face comes out.

The mathematics is the paper's, the order of work is not, because half of it would be spent on repeated pixels: a 3×3
convolution of a picture enlarged by repetition is four 2×2 convolutions of the small one, and a 1×1 convolution of it is
the small one's result, enlarged. So the last maps are never made at full size, and each further prototype costs nothing.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax

from models.layers import NHWC, Form, channelwise, convolution, form_here, halved_by_mean, pointwise

ENCODER, DECODER = (8, 12), (256, 128)  # the paper's widths
SLOPE = 0.01  # of the leaky rectifier in the official program; 0.3 in the Keras port
STEP = 4  # sides that are a multiple of it need no padding


class Convolution(nnx.Module):
    """3×3 convolution, zeros around, with bias; drawn as PyTorch draws it: uniform within ±1/√fan-in."""

    def __init__(self, channels: int, features: int, size: int, rngs: nnx.Rngs):
        bound = (size * size * channels) ** -0.5
        self.kernel = nnx.Param(_uniform(rngs, (size, size, channels, features), bound))
        self.bias = nnx.Param(_uniform(rngs, (features,), bound))

    def __call__(self, x: Array, form: Form) -> Array:
        if form == "shifted":
            y = convolution(jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), self.kernel[...], form)
        else:
            y = lax.conv_general_dilated(x, self.kernel[...], (1, 1), "SAME", dimension_numbers=NHWC)
        return y + channelwise(self.bias[...])


def _uniform(rngs: nnx.Rngs, shape: tuple[int, ...], bound: float) -> Array:
    return jax.random.uniform(rngs.params(), shape, minval=-bound, maxval=bound)


class Autoencoder(nnx.Module):
    """Grey faces (N, H, W, 1) in [0, 1] with prototypes (N, H, W, 3) in [0, 1] -> faces (N, H, W, 1) in (0, 1).

    H and W are even. With the default widths: 324,248 weights. The decoder ends at half size, whose pixels are repeated;
    with `enlarge` each pixel of the faces is repeated before they are coded, so that small ones lose no detail there.
    """

    def __init__(
        self,
        encoder: tuple[int, int] = ENCODER,
        decoder: tuple[int, int] = DECODER,
        slope: float = SLOPE,
        enlarge: bool = False,
        *,
        rngs: nnx.Rngs,
    ):
        self.encoder_widths, self.decoder_widths = tuple(encoder), tuple(decoder)
        self.slope, self.enlarge = slope, enlarge
        widths = (4, *encoder)
        self.encoder = nnx.List([Convolution(c, f, 3, rngs) for c, f in zip(widths, widths[1:])])
        self.expand = Convolution(encoder[-1], decoder[0], 3, rngs)
        self.refine = Convolution(*decoder, 3, rngs)
        self.combine = Convolution(decoder[-1] + 3, 1, 1, rngs)

    def __call__(self, x: Array, same: Array, shown: Array | None = None, form: Form | None = None) -> Array:
        """The face with the class of the prototypes `shown`; without them, of its own. "grouped" converts to ONNX."""
        return jax.nn.sigmoid(self.logits(self.share(x, same, form), same if shown is None else shown))

    def code(self, x: Array, same: Array, form: Form | None = None) -> Array:
        """What the encoder makes of faces and their own prototypes: (N, ⌈H/4⌉, ⌈W/4⌉, 12), or of twice as many places."""
        _checked(x, same)
        height, width = x.shape[1:3]
        maps = jnp.concatenate([x, same], axis=3)
        # Where a side is no multiple of 4, its edge is repeated; what it becomes is cut off again at the end.
        if not self.enlarge and (height % STEP or width % STEP):
            maps = jnp.pad(maps, ((0, 0), (0, -height % STEP), (0, -width % STEP), (0, 0)), mode="edge")
        for number, layer in enumerate(self.encoder):
            if self.enlarge and number == 0:
                maps = enlarged_convolution(maps, layer.kernel[...]) + channelwise(layer.bias[...])
            else:
                maps = layer(maps, form or form_here())
            maps = halved_by_mean(jax.nn.leaky_relu(maps, self.slope))
        return maps

    def features(self, x: Array, same: Array, form: Form | None = None) -> Array:
        """What the proto-combiner sees beside the prototype, at half size: (N, ⌈H/4⌉·2, ⌈W/4⌉·2, 128)."""
        maps = jax.nn.leaky_relu(self.expand(self.code(x, same, form), form or form_here()), self.slope)
        maps = enlarged_convolution(maps, self.refine.kernel[...]) + channelwise(self.refine.bias[...])
        return jax.nn.leaky_relu(maps, self.slope)

    def share(self, x: Array, same: Array, form: Form | None = None) -> Array:
        """(N, H, W, 1): the part of the logits that is the same whichever prototype is shown."""
        kernel = self.combine.kernel[...][0, 0, :-3]
        small = self.features(x, same, form) @ kernel + channelwise(self.combine.bias[...])
        return small if self.enlarge else enlarged(small)[:, : x.shape[1], : x.shape[2]]

    def logits(self, share: Array, shown: Array) -> Array:
        """(N, H, W, 1) before the sigmoid, from the `share` of faces and the prototypes (N, H, W, 3) to be shown."""
        return share + shown @ self.combine.kernel[...][0, 0, -3:]


def _checked(x: Array, same: Array) -> None:
    if x.ndim != 4 or x.shape[3] != 1 or x.shape[1] % 2 or x.shape[2] % 2:
        raise ValueError(f"faces are {x.shape}, expected grey ones (N, H, W, 1) with even sides")
    if same.shape != (*x.shape[:3], 3):
        raise ValueError(f"prototypes are {same.shape}, expected one for each face, {(*x.shape[:3], 3)}")


def enlarged(x: Array) -> Array:
    """(N, H, W, C) with each pixel repeated as 2×2."""
    n, h, w, c = x.shape
    return jnp.broadcast_to(x[:, :, None, :, None], (n, h, 2, w, 2, c)).reshape(n, 2 * h, 2 * w, c)


def enlarged_convolution(x: Array, kernel: Array) -> Array:
    """3×3 convolution, zeros around, of `enlarged(x)`: (N, H, W, C) by (3, 3, C, F) -> (N, 2H, 2W, F).

    An output pixel in an even row sees rows y-1 and y of the small picture, the second one twice; one in an odd row sees
    row y twice and then y+1. Likewise in columns.
    """
    n, h, w, _ = x.shape
    features = kernel.shape[-1]
    rows = [(kernel[0], kernel[1] + kernel[2]), (kernel[0] + kernel[1], kernel[2])]
    taps = [
        [tap for row in pair for tap in ((row[0], row[1] + row[2]) if even else (row[0] + row[1], row[2]))]
        for pair in rows for even in (True, False)
    ]  # fmt: skip
    # As a matrix product of each pixel's 2×2 surroundings: of so many channels XLA's own convolution has a gradient that
    # is a hundred times slower on a CPU.
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    around = [padded[:, a : a + h + 1, b : b + w + 1] for a in range(2) for b in range(2)]
    matrix = jnp.concatenate([jnp.concatenate(four, axis=0) for four in taps], axis=1)
    made = pointwise(jnp.concatenate(around, axis=3), matrix)
    pieces = [
        made[:, a : a + h, b : b + w, (2 * a + b) * features : (2 * a + b + 1) * features]
        for a in range(2) for b in range(2)
    ]  # fmt: skip
    return jnp.stack(pieces, axis=3).reshape(n, h, w, 2, 2, features).swapaxes(2, 3).reshape(n, 2 * h, 2 * w, features)
