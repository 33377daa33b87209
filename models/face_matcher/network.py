"""Compact face matchers, whose vectors have length 1 (the idea of Schroff, Kalenichenko and Philbin 2015, "FaceNet", section
3: equal people lie near each other on a sphere). Two kinds that have nothing in common but how they are trained, so that
what deceives one need not deceive the other: four 3×3 convolutions, each halved by averaging, and a linear layer over 3×3
places; and mini-Xception with as many classes as a vector has numbers.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array, lax

from models.fer.convolution import NormalisedConv
from models.fer.mini_xception import MiniXception
from models.layers import halved_by_mean, remember

FEATURES = (32, 64, 128, 128)
PLACES = 3  # a side: faces are aligned, so it tells people apart where on the face something is
EPSILON = 1e-8
MOMENTUM = 0.9  # of mini-Xception's running statistics: a matcher is trained for a few hundred steps


class FaceMatcher(nnx.Module):
    """Faces (N, H, W, channels) float32 in [-1, 1], H and W multiples of 16 -> unit vectors (N, dimensions)."""

    def __init__(self, channels: int, dimensions: int = 128, *, rngs: nnx.Rngs):
        self.channels, self.dimensions = channels, dimensions
        widths = (channels, *FEATURES)
        self.convolutions = nnx.List([NormalisedConv(c, f, rngs) for c, f in zip(widths, FEATURES)])
        self.head = nnx.Linear(PLACES**2 * FEATURES[-1], dimensions, rngs=rngs)

    def features(self, x: Array, train: bool = False) -> list[Array]:
        """The maps after each halving: (N, H/2, W/2, 32), (N, H/4, W/4, 64), …"""
        maps = []
        for convolution in self.convolutions:
            x = halved_by_mean(jax.nn.relu(convolution(x, train)))
            maps.append(x)
        return maps

    def __call__(self, x: Array, train: bool = False) -> Array:
        return unit(self.head(placed(self.features(x, train)[-1])))


class XceptionMatcher(nnx.Module):
    """Faces (N, H, W, channels) float32 in [-1, 1], H and W from 32 up -> unit vectors (N, dimensions)."""

    def __init__(self, channels: int, dimensions: int = 128, *, rngs: nnx.Rngs):
        self.channels, self.dimensions = channels, dimensions
        self.network = MiniXception(dimensions, channels, rngs=rngs)
        remember(self.network, MOMENTUM)

    def __call__(self, x: Array, train: bool = False) -> Array:
        return unit(self.network(x, train))


Matcher = FaceMatcher | XceptionMatcher
MATCHERS: dict[str, type[Matcher]] = {"convolutions": FaceMatcher, "mini_xception": XceptionMatcher}


def blank(kind: str, channels: int, dimensions: int) -> Matcher:
    """The matcher called `kind` with shapes in place of values. Raises ValueError for a name that is not known."""
    if kind not in MATCHERS:
        raise ValueError(f"no face matcher is called {kind!r}; known: {', '.join(MATCHERS)}")
    return nnx.eval_shape(lambda: MATCHERS[kind](channels, dimensions, rngs=nnx.Rngs(0)))


def placed(maps: Array) -> Array:
    """(N, H, W, C) -> (N, PLACES²·C): means of PLACES × PLACES parts, which share a row or column where they do not fit."""

    def shares(length: int) -> np.ndarray:
        """(PLACES, length): what each row counts in each part's mean."""
        first, last = np.arange(PLACES) * length // PLACES, -(-np.arange(1, PLACES + 1) * length // PLACES)
        inside = (np.arange(length) >= first[:, None]) & (np.arange(length) < last[:, None])
        return (inside / inside.sum(axis=1, keepdims=True)).astype(np.float32)

    parts = jnp.einsum("ph,qw,nhwc->npqc", shares(maps.shape[1]), shares(maps.shape[2]), maps)
    return parts.reshape(maps.shape[0], -1)


def unit(vectors: Array) -> Array:
    """(N, D) brought to length 1."""
    return vectors * lax.rsqrt(jnp.sum(vectors**2, axis=-1, keepdims=True) + EPSILON)
