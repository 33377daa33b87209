"""Weights on disk: an .npz with one array a weight, named by its path in the network, and a card in JSON. Nothing in it is
ever unpickled.
"""

import json
import os
import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx, traverse_util

CARD = "card"
Arrays = Mapping[str, np.ndarray]


class WeightsError(ValueError):
    """A weights file is not what its name or card says."""


def write(path: Path, state: Mapping[str, Any], card: Mapping[str, Any], half: bool = False) -> None:
    """Writes nested `state` and `card` beside `path` and renames the file there; the same values give the same bytes.

    With `half` the values are kept in half precision.
    """
    arrays = {name: np.asarray(value) for name, value in sorted(flat(state).items())}
    if half:
        arrays = {name: value.astype(np.float16) for name, value in arrays.items()}
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as out:
        np.savez(out, **arrays, **{CARD: np.array(json.dumps(card, sort_keys=True))})
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)


def read(path: Path, required: Collection[str]) -> tuple[Arrays, dict[str, Any]]:
    """The arrays of a file that `write` made, by their names, and its card, which must have the `required` entries.

    Raises FileNotFoundError, and WeightsError for a file that is something else or damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no weights file {path}")
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        card = json.loads(str(arrays.pop(CARD)))
        if missing := set(required) - card.keys():
            raise ValueError(f"its card lacks {', '.join(sorted(missing))}")
    except (zipfile.BadZipFile, ValueError, TypeError, KeyError, EOFError, OSError) as error:
        raise WeightsError(f"{path} is not a weights file of ours (an .npz with a card): {error}") from error
    return arrays, card


def named(arrays: Arrays, name: str, path: Path | str) -> np.ndarray:
    """The array called `name`. Raises WeightsError where `path` lacks it."""
    if name not in arrays:
        raise WeightsError(f"{path} lacks {name}; it holds {', '.join(sorted(arrays)[:4])} … of {len(arrays)}")
    return arrays[name]


def fill(blank: nnx.Module, value_of: Callable[[str], np.ndarray], path: Path | str) -> Any:
    """The module `blank` (shapes only) with every value from `value_of(name)`, where a name is "synthesis/blocks/0/const".

    Raises WeightsError naming the weight that `path` lacks or has in another shape.
    """
    graph, state = nnx.split(blank)
    blanks = traverse_util.flatten_dict(nnx.to_pure_dict(state))
    values = {}
    for keys, drawn in blanks.items():
        name = "/".join(map(str, keys))
        try:
            value = np.asarray(value_of(name))
        except KeyError as error:
            raise WeightsError(f"{path} lacks {error.args[0]}, which is {name} here") from None
        if value.shape != drawn.shape:
            raise WeightsError(f"{path}: {name} has shape {value.shape}, expected is {drawn.shape}")
        values[keys] = jnp.asarray(value, drawn.dtype)
    return nnx.merge(graph, traverse_util.unflatten_dict(values))


def restore(blank: nnx.Module, arrays: Arrays, path: Path | str, place: str = "") -> Any:
    """The module `blank` (shapes only) with its values from `arrays`, under their own names after `place`.

    Raises WeightsError naming the weight that `path` lacks or has in another shape.
    """
    return fill(blank, lambda name: named(arrays, place + name, path), path)


def flat(state: Mapping[str, Any]) -> dict[str, Any]:
    """Nested `state` by the path of each value: {"head": {0: x}} as {"head/0": x}."""
    return {"/".join(map(str, keys)): value for keys, value in traverse_util.flatten_dict(state).items()}
