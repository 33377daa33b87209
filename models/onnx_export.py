"""A JAX network as an ONNX model, and the proof that both compute the same numbers.

jax2onnx traces the network with symbolic batch (and picture) sizes. Two things are put right afterwards: shapes that it
records for inner values are dropped, because it gives a pooled map the size of its input and onnxruntime then reserves
buffers that do not fit; and outputs get the names that the caller wants.
"""

import logging
import warnings
from collections.abc import Callable, Sequence

import jax
import jax2onnx
import numpy as np
import onnxruntime

Network = Callable[[jax.Array], jax.Array | tuple[jax.Array, ...]]


class ParityError(ValueError):
    """An exported model does not give the numbers of the network it was made from."""


def export(network: Network, shape: Sequence[int | str], outputs: Sequence[str], name: str) -> bytes:
    """The network as a serialised ONNX model with one float32 input called "input".

    Args:
        network: pure function of one array, in inference mode; returns one array or a tuple of arrays.
        shape: the input's shape; a string is a size that is free at run time, as in ("N", 48, 48, 1).
        outputs: a name for each returned array.
        name: the graph's name, for people who open the file.
    """
    # onnx_ir warns of inner values that have no recorded type: they need none.
    logging.getLogger("onnx_ir").setLevel(logging.ERROR)
    with (
        # jax2onnx asks for float64 constants and gets float32.
        warnings.catch_warnings(action="ignore", category=UserWarning),
        jax.numpy_rank_promotion("allow"),  # its own form of nnx.Conv adds (C,) to (N, H, W, C)
        jax.numpy_dtype_promotion("standard"),
    ):
        model = jax2onnx.to_onnx(
            network, [tuple(shape)], model_name=name, input_names=["input"], output_names=list(outputs)
        )
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    return model.SerializeToString(deterministic=True)


def difference(model: bytes, network: Network, inputs: Sequence[np.ndarray]) -> float:
    """The largest absolute difference between model and network over all outputs of all `inputs` (float32 arrays)."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    compiled = jax.jit(network)
    largest = 0.0
    for array in inputs:
        expected = compiled(jax.numpy.asarray(array, jax.numpy.float32))
        expected = expected if isinstance(expected, tuple) else (expected,)
        got = session.run(None, {"input": np.asarray(array, np.float32)})
        for ours, theirs in zip(expected, got, strict=True):
            if ours.shape != theirs.shape or not np.all(np.isfinite(theirs) & np.isfinite(ours)):
                return float("inf")
            largest = max(largest, float(np.max(np.abs(np.asarray(ours) - theirs))))
    return largest


def require_parity(name: str, model: bytes, network: Network, inputs: Sequence[np.ndarray], tolerance: float) -> float:
    """The largest difference, as `difference` gives it.

    Raises:
        ParityError: it is above `tolerance` (or some output is not finite or has another shape).
    """
    found = difference(model, network, inputs)
    if not found <= tolerance:
        raise ParityError(
            f"the ONNX model of {name} differs from its JAX network by {found:.2g} on real inputs, {tolerance:.0e} is "
            "allowed: nothing was exported. Check that the network uses only operations that jax2onnx converts."
        )
    return found
