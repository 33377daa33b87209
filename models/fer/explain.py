"""Where an expression classifier looks: Grad-CAM (Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via
Gradient-based Localization", equations 1 and 2).
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from models.fer.alizadeh_fazel import AlizadehFazel
from models.fer.mini_xception import MiniXception
from models.fer.networks import Network, standardise
from models.fer.transfer import Transfer
from models.fer.yu_zhang import YuZhang
from models.layers import form_here

Maps = Callable[[Array], Array]  # pictures (N, H, W, C) in [-1, 1] -> the last maps (N, h, w, F)
Decide = Callable[[Array, Array], Array]  # those maps, and the pictures -> logits (N, K)


def grad_cam(images: np.ndarray, classes: np.ndarray, maps: Maps, decide: Decide) -> np.ndarray:
    """How much each place of pictures (N, H, W, C) uint8 speaks for `classes` (N,): (N, H, W) float32, 0 to 1.

    A picture in which nothing speaks for its class is 0 everywhere.
    """

    @jax.jit  # as a whole: compiling its parts one by one takes several times as long
    def heat_of(images: Array, classes: Array) -> Array:
        pictures = standardise(images)
        found = maps(pictures)
        slopes = jax.grad(lambda x: jnp.sum(jnp.take_along_axis(decide(x, pictures), classes[:, None], axis=1)))(found)
        weights = jnp.mean(slopes, axis=(1, 2), keepdims=True)
        heat = jax.nn.relu(jnp.sum(weights * found, axis=-1))
        heat = jax.image.resize(heat, images.shape[:3], "linear")
        most = jnp.max(heat, axis=(1, 2), keepdims=True)
        return heat / jnp.where(most > 0, most, 1)

    return np.asarray(heat_of(jnp.asarray(images), jnp.asarray(classes, jnp.int32)))


def parts(network: Network) -> tuple[Maps, Decide]:
    """A classifier as its convolutions and what follows them, for `grad_cam`."""
    if isinstance(network, MiniXception):
        return partial(network.maps, train=False, form=form_here()), lambda x, _: jnp.mean(network.head(x), axis=(1, 2))
    if isinstance(network, AlizadehFazel | YuZhang):
        return network.maps, network.decide
    told = (None,) if isinstance(network, Transfer) else ()  # no key: nothing is dropped
    return network.maps, lambda x, _: network.head(jnp.mean(x, axis=(1, 2)), *told)
