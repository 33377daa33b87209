"""VGG-16's maps from a Keras file: the right layers in the right order, colours as the weights expect them, bad files named."""

from pathlib import Path

import h5py
import jax.numpy as jnp
import numpy as np
import pytest

from models import vgg16
from models.weights_file import WeightsError

SMALL = ((2, 2), (3, 2), (4, 3))


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setattr(vgg16, "BLOCKS", SMALL)


def written(path: Path, wrong: str = "") -> dict[str, np.ndarray]:
    rng, kernels, channels = np.random.default_rng(0), {}, 3
    with h5py.File(path, "w") as file:
        for block, (features, count) in enumerate(SMALL, 1):
            for number in range(1, count + 1):
                name = f"block{block}_conv{number}"
                kernel = rng.normal(size=(3, 3, channels + (name == wrong), features)).astype(np.float32) / 9
                group = file.create_group(name)
                group.attrs["weight_names"] = [f"{name}_W_1:0".encode(), f"{name}_b_1:0".encode()]
                group[f"{name}_W_1:0"], group[f"{name}_b_1:0"] = kernel, np.full(features, 0.1, np.float32)
                kernels[name], channels = kernel, features
    return kernels


def test_the_first_map_is_what_a_plain_sum_makes_of_it(narrow, tmp_path):
    kernels = written(tmp_path / "vgg.h5")
    pictures = np.random.default_rng(1).uniform(-1, 1, (1, 8, 8, 3)).astype(np.float32)
    found = vgg16.maps(vgg16.load(tmp_path / "vgg.h5"), jnp.asarray(pictures))
    assert [each.shape for each in found] == [(1, 8, 8, 2), (1, 4, 4, 3), (1, 2, 2, 4)]
    x = ((pictures + 1) * 127.5)[..., ::-1] - np.array(vgg16.MEANS)  # blue, green, red
    for name in ("block1_conv1", "block1_conv2"):
        around = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        shifts = [around[:, i : i + 8, j : j + 8] @ kernels[name][i, j] for i in range(3) for j in range(3)]
        x = np.maximum(sum(shifts) + 0.1, 0)
    np.testing.assert_allclose(found[0], x, rtol=1e-4, atol=1e-3)


def test_a_file_of_another_network_is_named(narrow, tmp_path):
    written(tmp_path / "vgg.h5", wrong="block2_conv1")
    with pytest.raises(WeightsError, match="block2_conv1 has shapes"):
        vgg16.load(tmp_path / "vgg.h5")
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    with pytest.raises(WeightsError, match="empty.h5 is not VGG-16"):
        vgg16.load(tmp_path / "empty.h5")
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(WeightsError, match="text.h5 is not VGG-16"):
        vgg16.load(tmp_path / "text.h5")
    with pytest.raises(FileNotFoundError, match="absent.h5"):
        vgg16.load(tmp_path / "absent.h5")
