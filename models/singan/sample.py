"""What trained pyramids make: random samples of any size, and SinGAN's five uses (Shaham et al. 2019, sections 3, 4).

`start` is the coarsest scale that is left to chance, counted from the coarsest, 0, as the authors' program does; the
paper's "N-1" is 1, its "N-2" is 2. Pictures are (K, H, W, 3) in [-1, 1], one for each pyramid; what is made of them,
(K, count, H, W, 3).
"""

import math
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

from models.singan.model import Pyramids, Scale, climb, draw_noise, over_pictures
from models.singan.pyramid import Size, resize
from models.singan.references import near_colours, soft_mask

TOGETHER = 16  # samples that go through the networks at once: what memory holds of large ones


def sample(pyramids: Pyramids, key: Array, count: int, start: int = 0, stretch: tuple[float, float] = (1, 1)) -> Array:
    """`count` pictures of each pyramid; scales below `start` keep z*. `stretch` changes height and width.

    Raises ValueError for a scale there is not, and for a stretched picture with scales that keep z*.
    """
    _check_start(pyramids, start, lowest=0)
    if start and stretch != (1, 1):
        raise ValueError(f"z* fits the size it was trained at: start is {start}, expected 0 for a stretch of {stretch}")
    sizes = [tuple(round(side * by) for side, by in zip(size, stretch)) for size in pyramids.plan.sizes]
    kept = [jnp.repeat(scale["noise"][:, None], count, axis=1) for scale in pyramids.scales[:start]]
    noises = kept + _noises(pyramids, key, count, sizes, start)
    begin = jnp.zeros((pyramids.pictures, count, *sizes[0], 3))
    return _render(pyramids.scales, noises, begin, tuple(sizes[1:]), pyramids.plan.factor, pyramids.quantise)


def inject(pyramids: Pyramids, references: Array, start: int, key: Array, count: int = 1) -> Array:
    """`references` (K, H, W, 3) of any size, made anew from scale `start` (at least 1) on: their layout, and patches of
    the pictures that the pyramids were trained on.

    Raises ValueError for a scale there is not, or other references than one a pyramid.
    """
    begin = injected(pyramids, references, start)
    sizes = pyramids.plan.sizes
    noises = _noises(pyramids, key, count, sizes, start)
    begin = jnp.repeat(begin[:, None], count, axis=1)
    scales = pyramids.scales[start:]
    return _render(scales, noises, begin, sizes[start + 1 :], pyramids.plan.factor, pyramids.quantise)


def injected(pyramids: Pyramids, references: Array, start: int) -> Array:
    """What scale `start` is given of references: (K, h, w, 3), as coarse as what the scale below it makes."""
    _check_start(pyramids, start, lowest=1)
    plan = pyramids.plan
    references = _fitted(pyramids, references)
    coarse = resize(references, plan.factor ** (plan.finest - start + 1), plan.sizes[start - 1], pyramids.quantise)
    return resize(coarse, 1 / plan.factor, plan.sizes[start], pyramids.quantise)


def paint_to_image(
    pyramids: Pyramids, paintings: Array, start: int, key: Array, count: int = 1, colours: int | None = None
) -> Array:
    """Pictures in the layout of paintings; with `colours`, each painted pixel first takes the nearest of so many that
    the picture has. Raises what `inject` raises.
    """
    paintings = _fitted(pyramids, paintings)
    if colours is not None:
        paintings = near_colours(paintings, pyramids.reals[-1], colours)
    return inject(pyramids, paintings, start, key, count)


def harmonise(pyramids: Pyramids, composites: Array, masks: Array, start: int, key: Array, count: int = 1) -> Array:
    """The trained pictures with an object pasted in, whose `masks` are (K, H, W), made at home in them.

    Raises what `edit` raises.
    """
    return _within(pyramids, composites, masks, start, key, count, radius=7, outside=pyramids.reals[-1])


def edit(pyramids: Pyramids, edited: Array, masks: Array, start: int, key: Array, count: int = 1) -> Array:
    """Pictures whose parts were moved about within `masks` (K, H, W), with the seams made good.

    Raises ValueError for masks of another size than the pictures, or empty ones, and what `inject` raises.
    """
    return _within(pyramids, edited, masks, start, key, count, radius=20, outside=edited)


def super_resolve(pyramids: Pyramids, key: Array, factor: float = 4, count: int = 1) -> Array:
    """The trained pictures `factor` times as large: the finest generator, over and over, at steps of a third of an
    octave or so. For pyramids trained with such a factor between scales, and a strong reconstruction.

    Raises ValueError for a factor of 1 or less.
    """
    if not factor > 1:
        raise ValueError(f"factor is {factor}, expected a number above 1")
    steps = round(3 * math.log2(factor)) or 1
    ratio = factor ** (1 / steps)
    sizes = [pyramids.plan.sizes[-1]]
    for _ in range(steps):
        sizes.append(tuple(math.ceil(side * ratio) for side in sizes[-1]))
    begin = resize(pyramids.reals[-1], ratio, sizes[1], pyramids.quantise)
    begin = jnp.repeat(begin[:, None], count, axis=1)
    noises = _noises(pyramids, key, count, sizes[1:], 0)
    made = _render(pyramids.scales[-1:] * steps, noises, begin, tuple(sizes[2:]), 1 / ratio, pyramids.quantise)
    h, w = (int(side * factor) for side in pyramids.plan.sizes[-1])
    return made[:, :, :h, :w]


def animate(
    pyramids: Pyramids, key: Array, frames: int = 100, start: int = 0, home: float = 0.1, smoothness: float = 0.9
) -> Array:
    """A film of each picture, (K, frames, H, W, 3): a random walk of the noise that is drawn back to z* by `home` and
    keeps `smoothness` of its direction; scales below `start` stand still (appendix, "Single image animation").

    Raises ValueError for shares outside 0 … 1, or a scale there is not.
    """
    _check_start(pyramids, start, lowest=0)
    for name, share in (("home", home), ("smoothness", smoothness)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name} is {share}, expected a share from 0 to 1")

    sizes = pyramids.plan.sizes
    draws = _noises(pyramids, key, frames + 1, sizes, 0)
    noises = []
    for scale, trained in enumerate(pyramids.scales):
        rest, random = trained["noise"], jnp.moveaxis(draws[scale], 1, 0)

        def walk(last: tuple[Array, Array], draw: Array) -> tuple[tuple[Array, Array], Array]:
            before, now = last
            ahead = now + smoothness * (now - before) + (1 - smoothness) * draw
            following = home * rest + (1 - home) * ahead
            return (now, following), following

        _, path = lax.scan(walk, (rest, 0.95 * rest + 0.05 * random[0]), random[1:])
        still = jnp.broadcast_to(rest[None], path.shape)
        noises.append(jnp.moveaxis(still if scale < start else path, 0, 1))
    begin = jnp.zeros((pyramids.pictures, frames, *sizes[0], 3))
    return _render(pyramids.scales, noises, begin, sizes[1:], pyramids.plan.factor, pyramids.quantise)


def _noises(pyramids: Pyramids, key: Array, count: int, sizes: Sequence[Size], first: int) -> list[Array]:
    """(K, count, h + 10, w + 10, 3) for each scale from `first` on."""
    k, keys = pyramids.pictures, jax.random.split(key, len(sizes))
    draw = lambda n: draw_noise(keys[n], k * count, sizes[n], n, pyramids.border)  # noqa: E731
    return [(noise := draw(n)).reshape(k, count, *noise.shape[1:]) for n in range(first, len(sizes))]


@partial(jax.jit, static_argnums=(3, 4, 5))
def _render(
    scales: Sequence[Scale],
    noises: Sequence[Array],
    begin: Array,
    sizes: tuple[Size, ...],
    factor: float,
    quantise: bool,
) -> Array:
    def one_picture(scales: Sequence[Scale], noises: Sequence[Array], begin: Array) -> Array:
        def one_sample(given: tuple[Sequence[Array], Array]) -> Array:
            noises, begin = given
            return climb(scales, [noise[None] for noise in noises], begin[None], sizes, factor, quantise)[0]

        return lax.map(one_sample, (noises, begin), batch_size=TOGETHER)

    return over_pictures(one_picture)(scales, noises, begin)


def _within(
    pyramids: Pyramids, references: Array, masks: Array, start: int, key: Array, count: int, radius: int, outside: Array
) -> Array:
    size = pyramids.plan.sizes[-1]
    if masks.shape != (pyramids.pictures, *size) or references.shape != (*masks.shape, 3):
        raise ValueError(
            f"masks are {masks.shape} and pictures {references.shape}, expected {(pyramids.pictures, *size)} and the "
            "same with 3 channels: the size of the finest scale"
        )
    soft = jnp.stack([soft_mask(mask, radius) for mask in masks])[:, None, :, :, None]
    made = inject(pyramids, references, start, key, count)
    return soft * made + (1 - soft) * outside[:, None]


def _fitted(pyramids: Pyramids, references: Array) -> Array:
    """References at the size of the finest scale."""
    if references.ndim != 4 or references.shape[0] != pyramids.pictures or references.shape[-1] != 3:
        raise ValueError(f"references are {references.shape}, expected ({pyramids.pictures}, H, W, 3), one a pyramid")
    size = pyramids.plan.sizes[-1]
    if (given := references.shape[1:3]) == size:
        return references
    return resize(references, (size[0] / given[0], size[1] / given[1]), size, pyramids.quantise)


def _check_start(pyramids: Pyramids, start: int, lowest: int) -> None:
    if not lowest <= start < len(pyramids.scales):
        raise ValueError(f"start is scale {start}, expected one from {lowest} to {len(pyramids.scales) - 1}")
