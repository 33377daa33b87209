"""What a generator of StyleGAN2 makes: drawn in batches, always from the same seeds, and measured by a classifier's eye."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from models import inception
from models.batches import in_batches
from models.fer import weights
from models.fer.networks import standardise
from models.layers import form_here
from models.pixels import to_uint8
from models.stylegan2.generator import Architecture, Generator

# Its features tell generators apart, the same ones in every run, so that figures of different runs can be compared.
CLASSIFIER = Path(__file__).resolve().parents[1] / "models" / "released" / "mini_xception_fer2013.npz"
BATCH, INCEPTION_BATCH = 250, 50
GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Seeds:
    """N latents, with a label each if the generator takes some."""

    z: jax.Array  # (N, latent)
    labels: np.ndarray | None  # (N,)

    @classmethod
    def rows(cls, arch: Architecture, columns: int, rows: int, seed: int) -> "Seeds":
        """For a grid: each row shows one label on the same `columns` people or, without labels, `rows` rows of others."""
        count = columns if arch.labels else columns * rows
        z = jax.random.normal(jax.random.key(seed), (count, arch.latent))
        if not arch.labels:
            return cls(z, None)
        return cls(jnp.tile(z, (arch.labels, 1)), np.repeat(np.arange(arch.labels), count))

    @classmethod
    def many(cls, arch: Architecture, count: int, seed: int) -> "Seeds":
        """`count` different ones; labels in turn."""
        z = jax.random.normal(jax.random.key(seed), (count, arch.latent))
        return cls(z, np.arange(count) % arch.labels if arch.labels else None)


def ws_of(generator: Generator, seeds: Seeds, psi: float = 1.0) -> np.ndarray:
    """w (N, latent) of the seeds, drawn towards the average by `psi`."""
    labels = None if seeds.labels is None else jax.nn.one_hot(seeds.labels, generator.arch.labels)
    return np.asarray(generator.mapping.truncate(generator.mapping(seeds.z, labels), psi))


def pictures_of(generator: Generator, ws: np.ndarray) -> np.ndarray:
    """Pictures (N, R, R, C) uint8 of ws (N, latent) or (N, layers, latent), with the generator's own noise."""
    if ws.ndim == 2:
        ws = np.broadcast_to(ws[:, None], (len(ws), generator.arch.layers, ws.shape[1]))
    return to_uint8(in_batches(lambda part: _synthesise(generator, part), ws, BATCH))


@nnx.jit
def _synthesise(generator: Generator, ws: jax.Array) -> jax.Array:
    return generator.synthesis(ws)


def feature_network(choice: str = "classifier") -> Callable[[np.ndarray], np.ndarray]:
    """What turns (N, R, R, 3) uint8 into (N, D): `classifier_maps` averaged over their places, or the features of the
    Inception-v3 in file `choice`.
    """
    if choice == "classifier":
        maps, size = classifier_maps(), BATCH
        look = jax.jit(lambda pictures: jnp.mean(maps(standardise(pictures))[0], axis=(1, 2)))
    else:
        layers, size = inception.load(Path(choice).expanduser()), INCEPTION_BATCH
        look = jax.jit(lambda pictures: inception.features(layers, standardise(pictures)))
    return lambda pictures: in_batches(look, pictures, size)


def classifier_maps() -> Callable[[jax.Array], list[jax.Array]]:
    """What turns pictures (N, R, R, 3) in [-1, 1] into the last maps of the released classifier, in a list."""
    model, card = weights.load(CLASSIFIER)
    size = card["size"]

    def look(pictures: jax.Array) -> list[jax.Array]:
        grey = (pictures @ jnp.array(GREY))[..., None]
        seen = jax.image.resize(grey, (len(pictures), size, size, 1), "linear")
        return [model.maps(seen, train=False, form=form_here())]

    return look
