"""StyleGAN2's generator: mapping network and skip synthesis (Karras et al. 2019, "Analyzing and Improving the Image
Quality of StyleGAN", sections 2 and 4; mapping, truncation and style mixing from Karras et al. 2018, "A Style-Based
Generator"), with the first StyleGAN's AdaIN blocks as a switch.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import jax.numpy as jnp
from flax import nnx
from jax import Array

from models.stylegan2.layers import Block, Buffer, Dense, StyledLayer, ToRGB, lrelu, normal, normalise
from models.stylegan2.resample import upsample

Noise = Literal["fixed", "random", "none"]
CLAMP = 256.0  # of half-precision layers (Karras et al. 2020, "Training GANs with Limited Data", appendix)


@dataclass(frozen=True)
class Architecture:
    """What a generator and its discriminator are built from; two generators blend only if theirs are equal.

    Raises ValueError, naming the field, for a value outside its range.
    """

    resolution: int  # side of the picture in pixels, a power of 2 from 16 to 1024
    channel_base: int = 16384  # features of a resolution: base / resolution …
    channel_max: int = 512  # … and no more than this
    latent: int = 512  # length of z and of w
    mapping_layers: int = 8
    labels: int = 0  # length of the one-hot label that z comes with; 0 without
    label_layers: int = 8  # of the discriminator, which learn slowly, from a label's embedding to what it is compared with
    channels: int = 3
    block: Block = "modulated"
    half: int = 0  # of the highest resolutions, how many compute in half precision

    def __post_init__(self) -> None:
        if self.resolution not in (sizes := [2**k for k in range(4, 11)]):
            raise ValueError(f"resolution is {self.resolution}, expected one of {sizes}")
        for name in ("channel_base", "channel_max", "latent", "mapping_layers", "channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        if self.channel_base < self.resolution:
            raise ValueError(f"channel_base {self.channel_base} leaves no feature at {self.resolution} pixels")
        if self.block not in ("modulated", "adain"):
            raise ValueError(f"block is {self.block!r}, expected 'modulated' or 'adain'")
        for name in ("labels", "label_layers", "half"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")

    def features(self, resolution: int) -> int:
        """Channels of the layers at `resolution`."""
        return min(self.channel_base // resolution, self.channel_max)

    @property
    def resolutions(self) -> tuple[int, ...]:
        """4, 8, … up to the picture's."""
        return tuple(2**k for k in range(2, self.resolution.bit_length()))

    @property
    def layers(self) -> int:
        """How many w the synthesis network takes: 2·log2(resolution) - 2."""
        return 2 * len(self.resolutions)

    def precision(self, resolution: int) -> type:
        """The type in which the layers at `resolution` compute."""
        return jnp.bfloat16 if resolution in self.resolutions[len(self.resolutions) - self.half :] else jnp.float32

    def as_dict(self) -> dict[str, int | str]:
        """For a card: `Architecture(**as_dict())` gives it back."""
        return asdict(self)


class Mapping(nnx.Module):
    """z (N, latent), and one-hot labels (N, labels) if there are any, -> w (N, latent)."""

    def __init__(self, arch: Architecture, rngs: nnx.Rngs):
        self.embed = Dense(arch.labels, arch.latent, rngs) if arch.labels else None
        widths = [arch.latent * (2 if arch.labels else 1), *[arch.latent] * arch.mapping_layers]
        self.dense = nnx.List([Dense(i, o, rngs, lr=0.01) for i, o in zip(widths, widths[1:])])
        self.average = Buffer(jnp.zeros(arch.latent))

    def __call__(self, z: Array, labels: Array | None = None) -> Array:
        x = normalise(z)
        if self.embed is not None:
            if labels is None:
                raise ValueError("this generator was made with labels and needs a one-hot label for each z")
            x = jnp.concatenate([x, normalise(self.embed(labels))], axis=-1)
        for layer in self.dense:
            x = lrelu(layer(x))
        return x

    def truncate(self, w: Array, psi: float) -> Array:
        """w (…, latent) drawn towards the average: `psi` 1 leaves it, 0 gives the average."""
        average = self.average[...].reshape((1,) * (w.ndim - 1) + (-1,))
        return average + psi * (w - average)


class SynthesisBlock(nnx.Module):
    """The layers of one resolution: growing 3×3 (not at 4×4), 3×3, and the picture's share by 1×1."""

    def __init__(self, arch: Architecture, resolution: int, rngs: nnx.Rngs):
        features = arch.features(resolution)
        size, latent, form = resolution, arch.latent, arch.block
        if resolution == 4:
            self.const, self.grow = nnx.Param(normal(rngs.params(), (4, 4, features))), None
        else:
            before = arch.features(resolution // 2)
            self.const, self.grow = None, StyledLayer(size, before, features, latent, rngs, up=True, form=form)
        self.conv = StyledLayer(size, features, features, latent, rngs, up=False, form=form)
        self.to_rgb = ToRGB(features, arch.channels, latent, rngs)
        self.precision = arch.precision(resolution)

    def layers(self) -> list[StyledLayer]:
        """Those with a style and noise, in order."""
        return [self.conv] if self.grow is None else [self.grow, self.conv]

    def __call__(
        self, x: Array | None, picture: Array | None, ws: Sequence[Array], noises: Sequence[Array | None]
    ) -> tuple[Array, Array]:
        """Features and picture of half the size (None at 4×4), a w for each layer and one for the picture's share."""
        clamp = CLAMP if self.precision != jnp.float32 else None
        if self.const is not None:
            start = self.const[...]
            x = jnp.broadcast_to(start[None], (ws[0].shape[0], *start.shape))
        x = x.astype(self.precision)
        for layer, w, noise in zip(self.layers(), ws, noises):
            x = layer(x, w, noise, clamp)
        share = self.to_rgb(x, ws[-1], clamp)
        return x, share if picture is None else upsample(picture) + share


class Synthesis(nnx.Module):
    """ws (N, layers, latent) -> pictures (N, R, R, channels) float32, about -1 … 1.

    Layer i of the network takes ws[:, i]; the picture's share of a resolution takes the w that the next resolution begins
    with, so that there is one w more than there are layers.
    """

    def __init__(self, arch: Architecture, rngs: nnx.Rngs):
        self.blocks = nnx.List([SynthesisBlock(arch, resolution, rngs) for resolution in arch.resolutions])

    def __call__(self, ws: Array, noise: Noise | Sequence[Array] = "fixed", rngs: nnx.Rngs | None = None) -> Array:
        """`noise`: the network's own fixed maps, drawn from `rngs.noise()`, none, or a map (N or 1, H, W) a layer."""
        given = iter(noise) if not isinstance(noise, str) else None
        x = picture = None
        start = 0
        for block in self.blocks:
            layers = block.layers()
            noises = [next(given) if given else _noise(layer, noise, ws.shape[0], rngs) for layer in layers]
            here = [ws[:, start + i] for i in range(len(layers) + 1)]
            x, picture = block(x, picture, here, noises)
            start += len(layers)
        return picture


def _noise(layer: StyledLayer, kind: Noise, count: int, rngs: nnx.Rngs | None) -> Array | None:
    match kind:
        case "none":
            return None
        case "fixed":
            return layer.noise[...][None]
        case "random" if rngs is not None:
            return normal(rngs.noise(), (count, *layer.noise[...].shape))
        case "random":
            raise ValueError("random noise needs rngs with a stream `noise`")
        case _:
            raise ValueError(f"noise is {kind!r}, expected 'fixed', 'random', 'none' or a map for each layer")


class Generator(nnx.Module):
    """z (N, latent) -> pictures (N, R, R, channels) float32, about -1 … 1."""

    def __init__(self, arch: Architecture, *, rngs: nnx.Rngs):
        self.arch = arch
        self.mapping = Mapping(arch, rngs)
        self.synthesis = Synthesis(arch, rngs)

    def __call__(
        self,
        z: Array,
        labels: Array | None = None,
        psi: float = 1.0,
        noise: Noise | Sequence[Array] = "fixed",
        rngs: nnx.Rngs | None = None,
    ) -> Array:
        w = self.mapping.truncate(self.mapping(z, labels), psi)
        return self.synthesis(self.spread(w), noise, rngs)

    def spread(self, w: Array) -> Array:
        """w (N, latent) -> (N, layers, latent), the same for every layer."""
        return jnp.broadcast_to(w[:, None], (w.shape[0], self.arch.layers, w.shape[1]))


def mix(first: Array, second: Array, crossover: int | Array) -> Array:
    """Style mixing: ws (N, L, latent) of `first` before layer `crossover`, of `second` from there on."""
    layer = jnp.arange(first.shape[1]).reshape(1, -1, 1)
    return jnp.where(layer < crossover, first, second)
