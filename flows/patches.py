"""What single-image Fréchet distances compare."""

from pathlib import Path

import jax

from metrics.sifid import FeatureMap, colour_patches
from models import inception
from models.batches import in_batches

BATCH = 50


def patch_network(choice: str) -> FeatureMap:
    """Of pictures (N, H, W, 3) in [-1, 1]: with "pixels" each pixel's surroundings, (N, h, w, 27), else the maps of the
    Inception-v3 in file `choice`, (N, h, w, 192)."""
    if choice == "pixels":
        return colour_patches
    layers = inception.load(Path(choice).expanduser())
    look = jax.jit(lambda pictures: inception.patches(layers, pictures))
    return lambda pictures: in_batches(look, pictures, BATCH)
