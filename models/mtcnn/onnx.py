"""P-, R- and O-Net as ONNX models for the realtime runner, each checked against its JAX network before it is kept.

Every model has one input, `input`: float32 RGB, (pixel − 127.5) / 128, channels last. P-Net takes (N, H, W, 3) of any
size from 12×12, R-Net (N, 24, 24, 3), O-Net (N, 48, 48, 3); any N. Outputs, in this order: `probability` of a face,
`box` regression as shares of the window's side, and for O-Net `landmarks`; see `models.mtcnn.networks`.
"""

import os
from pathlib import Path

import numpy as np

from models import onnx_export
from models.mtcnn import weights
from models.mtcnn.area import resize_picture

SHAPES = {"pnet": ("N", "H", "W", 3), "rnet": ("N", 24, 24, 3), "onet": ("N", 48, 48, 3)}
OUTPUTS = {"pnet": ("probability", "box"), "rnet": ("probability", "box"), "onet": ("probability", "box", "landmarks")}
TOLERANCE = 1e-4


def export(folder: Path, pictures: np.ndarray) -> dict[str, float]:
    """Writes pnet.onnx, rnet.onnx and onet.onnx into `folder`, all of them or none.

    Args:
        pictures: (N, H, W, 3) uint8 RGB, on which each model must give the numbers of its network.

    Returns:
        The largest absolute difference of each: {"pnet": …, "rnet": …, "onet": …}.

    Raises:
        onnx_export.ParityError: one differs by more than 1e-4; nothing is written then.
    """
    models, differences = {}, {}
    for name, shape in SHAPES.items():
        network = weights.network(name)
        models[name] = onnx_export.export(network, shape, OUTPUTS[name], name)
        inputs = [_input(pictures, shape[1])] if name != "pnet" else [_input(pictures, None), _input(pictures[:1], 37)]
        differences[name] = onnx_export.require_parity(name, models[name], network, inputs, TOLERANCE)
    written = []
    try:
        for name, model in models.items():
            written.append(folder / f"{name}.onnx.partial")
            written[-1].write_bytes(model)
        for path in written:
            os.replace(path, path.with_suffix(""))
    finally:
        for path in written:
            path.unlink(missing_ok=True)
    return differences


def _input(pictures: np.ndarray, side: int | None) -> np.ndarray:
    """What a network sees of `pictures` resized to `side`, or as they are: (N, H, W, 3) float32."""
    if side is not None:
        pictures = np.stack([resize_picture(picture, side, side) for picture in pictures])
    return (pictures.astype(np.float32) - np.float32(127.5)) / np.float32(128)
