"""Inception-v3 from a Keras file: Keras' own number of values, every convolution meeting the channels it expects."""

from pathlib import Path

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from models import inception
from models.weights_file import WeightsError

BLOCK_35 = [(1, 1, 64), (1, 1, 48), (5, 5, 64), (1, 1, 64), (3, 3, 96), (3, 3, 96)]


def shapes() -> list[tuple[int, int, int, int]]:
    """Kernels (k, l, C, F) in Keras' order of creation, from the paper's table and figures 5 to 7 and 10."""
    found = [(3, 3, 3, 32), (3, 3, 32, 32), (3, 3, 32, 64), (1, 1, 64, 80), (3, 3, 80, 192)]

    def chain(inputs: int, *rows: tuple[int, int, int]) -> None:
        for k, l, outputs in rows:
            found.append((k, l, inputs, outputs))
            inputs = outputs

    for inputs, pool in ((192, 32), (256, 64), (288, 64)):
        for rows in (BLOCK_35[:1], BLOCK_35[1:3], BLOCK_35[3:], [(1, 1, pool)]):
            chain(inputs, *rows)
    chain(288, (3, 3, 384))
    chain(288, (1, 1, 64), (3, 3, 96), (3, 3, 96))
    for c in (128, 160, 160, 192):
        chain(768, (1, 1, 192))
        chain(768, (1, 1, c), (1, 7, c), (7, 1, 192))
        chain(768, (1, 1, c), (7, 1, c), (1, 7, c), (7, 1, c), (1, 7, 192))
        chain(768, (1, 1, 192))
    chain(768, (1, 1, 192), (3, 3, 320))
    chain(768, (1, 1, 192), (1, 7, 192), (7, 1, 192), (3, 3, 192))
    for inputs in (1280, 2048):
        chain(inputs, (1, 1, 320))
        chain(inputs, (1, 1, 384), (1, 3, 384))
        found.append((3, 1, 384, 384))
        chain(inputs, (1, 1, 448), (3, 3, 384), (1, 3, 384))
        found.append((3, 1, 384, 384))
        chain(inputs, (1, 1, 192))
    return found


def test_the_kernels_are_keras_own_number_of_values():
    """Keras tells 21,802,784 of the network without its top: kernels, and three values a channel of each normalisation."""
    assert sum(int(np.prod(shape)) + 3 * shape[3] for shape in shapes()) == 21_802_784
    assert len(shapes()) == inception.CONVOLUTIONS


def test_every_convolution_meets_its_channels():
    layers = [tuple(jax.ShapeDtypeStruct(s, jnp.float32) for s in (shape, shape[3:], shape[3:])) for shape in shapes()]
    made = jax.eval_shape(inception.features, layers, jax.ShapeDtypeStruct((2, 64, 64, 3), jnp.float32))
    assert made.shape == (2, 2048)


def written(path: Path, count: int) -> None:
    """A Keras file of `count` small layers, numbered from 1 and stored in alphabetical order, as HDF5 does."""
    with h5py.File(path, "w") as file:
        for number in range(1, count + 1):
            for kind, values in (("conv2d", [np.full((1, 1, 2, 2), number)]), ("batch_normalization", [np.ones(2) * v for v in (3, 1, 4)])):
                group = file.create_group(f"{kind}_{number}")
                names = [f"{kind}_{number}/weight_{n}:0" for n in range(len(values))]
                group.attrs["weight_names"] = [name.encode() for name in names]
                for name, value in zip(names, values):
                    group[name] = value.astype(np.float32)


def test_layers_are_read_by_their_numbers_with_their_normalisation(tmp_path):
    written(tmp_path / "inception.h5", 94)
    layers = inception.load(tmp_path / "inception.h5")
    assert [int(kernel[0, 0, 0, 0]) for kernel, _, _ in layers] == list(range(1, 95))
    np.testing.assert_allclose(layers[0][1], (4 + 1e-3) ** -0.5, rtol=1e-6)
    np.testing.assert_allclose(layers[0][2], 3 - (4 + 1e-3) ** -0.5, rtol=1e-6)


def test_files_of_something_else_are_named(tmp_path):
    written(tmp_path / "short.h5", 7)
    with pytest.raises(WeightsError, match="short.h5 has 7 convolutions"):
        inception.load(tmp_path / "short.h5")
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(WeightsError, match="text.h5 is not Inception"):
        inception.load(tmp_path / "text.h5")
    with pytest.raises(FileNotFoundError, match="absent.h5"):
        inception.load(tmp_path / "absent.h5")
