"""What SinGAN's uses do to a reference: masks with soft edges, and painting with a picture's own colours (Shaham et al.
2019, section 4; widths as in the authors' program).
"""

import jax.numpy as jnp
import numpy as np
from jax import Array

SIGMA = 5.0  # of the edge, in pixels
ROUNDS = 20  # of Lloyd's algorithm


def soft_mask(mask: Array, radius: int) -> Array:
    """(H, W), above 0 where a picture was changed, grown by a disk of `radius`, blurred, and stretched to 0 … 1.

    Raises ValueError for an empty mask.
    """
    inside = np.asarray(mask) > 0
    if not inside.any():
        raise ValueError("the mask is empty, expected some pixels above 0")
    grown = _dilate(inside, radius)
    if grown.all():
        return jnp.ones(grown.shape)
    h, w = grown.shape
    soft = _blur_matrix(h) @ grown.astype(np.float32) @ _blur_matrix(w).T
    return jnp.asarray((soft - soft.min()) / (soft.max() - soft.min()), jnp.float32)


def _dilate(inside: np.ndarray, radius: int) -> np.ndarray:
    """`inside` grown by a disk, row by row: a pixel belongs to it if its stretch of a row there holds one of them."""
    h, w = inside.shape
    counts = np.pad(np.cumsum(inside, axis=1), ((0, 0), (1, 0)))
    grown, columns = np.zeros_like(inside), np.arange(w)
    for dy in range(-min(radius, h - 1), min(radius, h - 1) + 1):
        reach = int(np.sqrt(radius**2 - dy**2))
        found = counts[:, np.minimum(columns + reach + 1, w)] > counts[:, np.maximum(columns - reach, 0)]
        grown[max(0, dy) : h + min(0, dy)] |= found[max(0, -dy) : h - max(0, dy)]
    return grown


def _blur_matrix(size: int) -> np.ndarray:
    """(size, size): Gaussian blur to four σ, the last pixel going on beyond the border."""
    reach = int(4 * SIGMA + 0.5)
    offsets = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (offsets / SIGMA) ** 2)
    matrix = np.zeros((size, size), np.float32)
    places = np.clip(np.arange(size)[:, None] + offsets, 0, size - 1)
    np.add.at(matrix, (np.arange(size)[:, None], places), kernel / kernel.sum())
    return matrix


def near_colours(paintings: Array, pictures: Array, colours: int) -> Array:
    """`paintings` (K, H, W, 3) in no more than so many colours of `pictures`: the centres that k-means finds in each.

    Raises ValueError for fewer colours than one.
    """
    if colours < 1:
        raise ValueError(f"colours is {colours}, expected at least 1")
    repainted = []
    for painting, picture in zip(np.asarray(paintings), np.asarray(pictures), strict=True):
        centres = _centres(picture.reshape(-1, 3), colours)
        repainted.append(centres[_nearest(painting.reshape(-1, 3), centres)].reshape(painting.shape))
    return jnp.asarray(np.stack(repainted))


def _centres(pixels: np.ndarray, colours: int) -> np.ndarray:
    """(≤ colours, 3): k-means from pixels that are spread evenly over the order of brightness."""
    ordered = pixels[np.argsort(pixels.sum(axis=1), kind="stable")]
    centres = ordered[((np.arange(colours) + 0.5) / colours * len(pixels)).astype(int)]
    for _ in range(ROUNDS):
        owner = _nearest(pixels, centres)
        centres = np.stack([pixels[owner == n].mean(axis=0) for n in np.unique(owner)])
    return centres


def _nearest(pixels: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.argmin(((pixels[:, None] - centres[None]) ** 2).sum(axis=-1), axis=1)
