"""Two generators of one descent as one (Pinkney and Adler 2020, "Resolution Dependent GAN Interpolation for Controllable
Image Synthesis Between Domains", equation 1): coarse layers of the first, which lay out the face, and fine ones of the
second, which paint it. With both directions: faces painted as emoji, and emoji with a face's skin.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2, tanh
from typing import Any, Literal

import numpy as np
from flax import nnx, traverse_util

from models.stylegan2.generator import Architecture, Generator
from models.stylegan2.layers import Buffer
from models.stylegan2.snapshot import related

Source = Literal["first", "second"]
LEVELS = {"const": 0, "grow": 0, "conv": 1, "to_rgb": 1}  # of the layers of one resolution


@dataclass(frozen=True)
class Swap:
    """Where the second generator takes over. Raises ValueError, naming the field, for a value outside its range."""

    resolution: int  # the blended layer's
    level: int = 0  # 0: the layer that grows to that resolution; 1: the one after it
    width: float | None = None  # of the transition, in layers; None: hard
    # False: as the authors' program has it, from the second layer after the named one on, and the 4×4 convolution always
    # of the first; True: from the named layer on.
    inclusive: bool = False
    mapping: Source = "first"
    average: Source = "first"  # of w
    noise: Source = "first"  # the fixed maps

    def __post_init__(self) -> None:
        if self.resolution not in (sizes := [2**k for k in range(2, 11)]):
            raise ValueError(f"resolution is {self.resolution}, expected one of {sizes}")
        if self.level not in (0, 1):
            raise ValueError(f"level is {self.level}, expected 0 or 1")
        if self.width is not None and not self.width > 0:
            raise ValueError(f"width is {self.width}, expected a number above 0, or None for a hard swap")

    def share(self, resolution: int, layer: str) -> float:
        """How much of the second generator goes into a layer: "const", "grow", "conv" or "to_rgb" of `resolution`."""
        if not self.inclusive and (resolution, layer) == (4, "conv"):
            return 0.0
        after = 2 * log2(resolution / self.resolution) + LEVELS[layer] - self.level
        if self.width is None:
            return float(after >= 0 if self.inclusive else after > 1)
        return (1 + tanh(after / (2 * self.width))) / 2  # the logistic function, which does not overflow


def shares_of_ws(swap: Swap, arch: Architecture) -> np.ndarray:
    """(layers,) float32: how much of what answers to each w in the blend is the second generator's."""
    grown = [swap.share(size, layer) for size in arch.resolutions[1:] for layer in ("grow", "conv")]
    return np.array([swap.share(4, "conv"), *grown, swap.share(arch.resolution, "to_rgb")], np.float32)


def blend(
    first: Generator, second: Generator, swap: Swap, cards: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> Generator:
    """The generator between `first` and `second`, of whose snapshots `cards` tell.

    Raises ValueError where their architectures differ, they share no ancestor, or the swap lies beyond their resolution.
    """
    if first.arch != second.arch:
        raise ValueError(f"generators of different architectures cannot be blended: {first.arch} and {second.arch}")
    if not related(*cards):
        raise ValueError(
            "these generators share no ancestor, so the same w means other things to them: train one further "
            f"from the other. Their lineages: {cards[0]['lineage']} and {cards[1]['lineage']}"
        )
    if swap.resolution > first.arch.resolution:
        raise ValueError(f"the swap is at {swap.resolution} pixels, the generators make {first.arch.resolution}")
    graph, *states = nnx.split(first, nnx.Param, Buffer)
    blended = []
    for mine, theirs in zip(states, nnx.state(second, nnx.Param, Buffer)):
        here, there = (traverse_util.flatten_dict(nnx.to_pure_dict(each)) for each in (mine, theirs))
        # Written so that at 0 and at 1 it is the one or the other to the bit.
        mixed = {path: (1 - _share(path, swap)) * here[path] + _share(path, swap) * there[path] for path in here}
        blended.append(traverse_util.unflatten_dict(mixed))
    return nnx.merge(graph, *blended)


def _share(path: tuple[str | int, ...], swap: Swap) -> float:
    """How much of the second generator goes into the value at `path` of the state."""
    match path:
        case ("mapping", "average"):
            return float(swap.average == "second")
        case ("mapping", *_):
            return float(swap.mapping == "second")
        case (*_, "noise"):
            return float(swap.noise == "second")
        case ("synthesis", "blocks", number, layer, *_):
            return swap.share(4 * 2 ** int(number), str(layer))
    raise ValueError(f"a generator has no value {path}")
