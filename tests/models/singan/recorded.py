"""Reads the numbers recorded from the authors' program into our networks."""

import jax.numpy as jnp
import numpy as np
from flax import nnx


Arrays = dict[str, np.ndarray]
PARTS = {"kernel": "weight", "scale": "weight", "bias": "bias", "mean": "running_mean", "var": "running_var"}


def picture(value: np.ndarray) -> jnp.ndarray:
    """(…, C, H, W) as (1, H, W, 3); one channel three times."""
    value = value.reshape(1, *value.shape[-3:]).transpose(0, 2, 3, 1)
    return jnp.asarray(np.broadcast_to(value, (*value.shape[:3], 3)))


def weights(arrays: Arrays, prefix: str, kind: type[nnx.Module]) -> dict:
    """{"params", "stats"} of a generator or critic from PyTorch's names under `prefix`."""
    blank = nnx.eval_shape(lambda: kind(32, rngs=nnx.Rngs(0)))
    params, stats = nnx.state(blank, nnx.Param, nnx.BatchStat)
    filled = [nnx.map_state(lambda path, _: _value(arrays, prefix, path), state) for state in (params, stats)]
    return dict(zip(("params", "stats"), map(nnx.to_pure_dict, filled)))


def network(arrays: Arrays, prefix: str, kind: type[nnx.Module]) -> nnx.Module:
    graph = nnx.graphdef(nnx.eval_shape(lambda: kind(32, rngs=nnx.Rngs(0))))
    state = weights(arrays, prefix, kind)
    return nnx.merge(graph, state["params"], state["stats"], copy=True)


def _value(arrays: Arrays, prefix: str, path: tuple) -> jnp.ndarray:
    layer, part = path[1:-1], path[-1]
    if layer[0] == "last":
        name = f"tail.0.{PARTS[part]}" if f"{prefix}tail.0.weight" in arrays else f"tail.{PARTS[part]}"
        if f"{prefix}{name}" not in arrays and part == "bias":
            return jnp.zeros(1)  # of a recorded gradient: a constant added to every score has none
    else:
        block = "head" if layer[1] == 0 else f"body.block{layer[1]}"
        name = f"{block}.{'conv' if layer[0] == 'convolutions' else 'norm'}.{PARTS[part]}"
    if f"{prefix}{name}" not in arrays and part in ("mean", "var"):
        return jnp.zeros(32)
    value = arrays[prefix + name]
    return jnp.asarray(value.transpose(2, 3, 1, 0) if part == "kernel" else value)


def plain_stats(module: nnx.Module) -> dict:
    return nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))
