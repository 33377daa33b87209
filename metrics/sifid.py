"""Single-image Fréchet distance (Shaham et al. 2019, section 3): how far apart two pictures' patches lie, by the
features that a network has at every place of them. Whose features they are belongs beside every figure.

The authors take Inception's 192 channels before its second pooling, from torchvision's weights. Any network's map does
that sees patches and not the whole; distances by different features, or at different sizes, cannot be compared.
"""

from collections.abc import Callable

import numpy as np

from metrics.frechet import frechet_distance

FeatureMap = Callable[[np.ndarray], np.ndarray]  # pictures (N, H, W, 3) in [-1, 1] -> (N, h, w, D)


def sifid(real: np.ndarray, made: np.ndarray, features: FeatureMap) -> np.ndarray:
    """(N,) distances of pictures `made` (N, H, W, 3) in [-1, 1] from `real`, (N, H, W, 3) or one (H, W, 3) for all.

    Raises ValueError where there is not one real picture for each or for all, or features have fewer than two places.
    """
    if made.ndim != 4 or real.ndim not in (3, 4) or real.ndim == 4 and len(real) != len(made):
        raise ValueError(f"real pictures are {real.shape} and made ones {made.shape}, expected one for each or for all")
    references = _places(features, real[None] if real.ndim == 3 else real)
    places = _places(features, made)
    pairs = zip(np.broadcast_to(references, (len(places), *references.shape[1:])), places)
    return np.array([frechet_distance(first, second) for first, second in pairs])


def _places(features: FeatureMap, pictures: np.ndarray) -> np.ndarray:
    """(N, h · w, D): every place of a map as a sample."""
    maps = np.asarray(features(pictures))
    if maps.ndim != 4 or len(maps) != len(pictures) or maps.shape[1] * maps.shape[2] < 2:
        raise ValueError(f"features are {maps.shape}, expected ({len(pictures)}, h, w, D) with at least two places")
    return maps.reshape(len(maps), -1, maps.shape[-1])


def colour_patches(pictures: np.ndarray) -> np.ndarray:
    """A feature map without a network: each pixel's 3×3 surroundings, (N, H - 2, W - 2, 27) of (N, H, W, 3)."""
    h, w = pictures.shape[1] - 2, pictures.shape[2] - 2
    return np.concatenate([pictures[:, i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=-1)
