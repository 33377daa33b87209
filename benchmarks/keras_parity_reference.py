"""One Keras application with random weights and random statistics: its weights in three layouts, and what it says.

    python keras_parity_reference.py APPLICATION FOLDER SIZE [SIZE …]

Writes `weights.h5`, `w.weights.h5`, `weights.keras`, and of each size `SIZE.npz` with `pixels` (N, S, S, 3) uint8, `logits`
(N, 1000) and `maps`, the last map of the application without its top averaged over its places. Prints the count of its
values, with and without top, as JSON.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np

PICTURES = 8
IN_UNITS = ("MobileNetV2", "InceptionResNetV2")  # expect [-1, 1]; the others bring their own rescaling


def main(application: str, folder: Path, sizes: list[int]) -> None:
    make, rng = getattr(keras.applications, application), np.random.default_rng(0)
    first, logits = None, {}
    for size in sizes:
        network = make(weights=None, input_shape=(size, size, 3), classifier_activation=None)
        pixels = pictures(size, rng)
        x = pixels / np.float32(127.5) - 1 if application in IN_UNITS else pixels.astype(np.float32)
        if first is None:
            first = network
            randomise(network, x, rng)
            for name in ("weights.h5", "w.weights.h5", "weights.keras"):
                (network.save_weights if name == "w.weights.h5" else network.save)(folder / name)
        else:
            network.set_weights(first.get_weights())
            for layer in standardising(network):
                layer.finalize_state()
        pooled = next(each for each in network.layers if isinstance(each, keras.layers.GlobalAveragePooling2D)
                      and "squeeze" not in each.name)  # fmt: skip
        both = keras.Model(network.input, [network.output, pooled.output])
        logits, means = both(x, training=False)
        means = np.asarray(means).reshape(PICTURES, -1)
        np.savez(folder / f"{size}.npz", pixels=pixels, logits=np.asarray(logits), maps=means)
    base = make(weights=None, include_top=False, input_shape=(sizes[0], sizes[0], 3))
    print(json.dumps({"values": first.count_params(), "values_without_top": base.count_params()}))


def pictures(size: int, rng: np.random.Generator) -> np.ndarray:
    """Coarse patches under noise: flat noise would average to the same everywhere."""
    patches = np.kron(rng.integers(40, 216, (PICTURES, -(-size // 12), -(-size // 12), 3)), np.ones((1, 12, 12, 1), int))
    return (patches[:, :size, :size] + rng.integers(-40, 40, (PICTURES, size, size, 3))).astype(np.uint8)


def standardising(network: keras.Model) -> list[keras.layers.Normalization]:
    """The layers that are to be told when their statistics have changed."""
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Normalization)]


def randomise(network: keras.Model, x: np.ndarray, rng: np.random.Generator) -> None:
    """Biases, scales and running statistics around those of `x`, so that what passes neither fades nor overflows."""
    for layer in standardising(network):
        mean, variance, count = layer.get_weights()
        layer.set_weights([rng.uniform(0.3, 0.6, mean.shape), rng.uniform(0.04, 0.1, variance.shape), count])
        layer.finalize_state()
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in network.layers:
        if layer not in norms and getattr(layer, "bias", None) is not None:
            layer.bias.assign(rng.normal(0, 0.1, layer.bias.shape))
    for layer in norms:
        layer.momentum = 0.0
        layer.beta.assign(rng.normal(0, 0.2, layer.beta.shape))
        if layer.gamma is not None:
            layer.gamma.assign(rng.uniform(0.8, 1.2, layer.gamma.shape))
    network(x, training=True)
    for layer in norms:
        mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
        layer.moving_mean.assign(mean + rng.normal(0, 0.05, mean.shape) * np.sqrt(variance))
        layer.moving_variance.assign(variance * rng.uniform(0.9, 1.25, mean.shape))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), [int(size) for size in sys.argv[3:]])
