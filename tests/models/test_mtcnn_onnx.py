"""The exported P-, R- and O-Net give their networks' numbers; if one does not, nothing is left behind."""

import jax.numpy as jnp
import numpy as np
import pytest

from models import onnx_export
from models.mtcnn import onnx


def test_models_agree_and_a_differing_one_is_not_written(monkeypatch, tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (2, 33, 46, 3), np.uint8)
    whole, refused = tmp_path / "whole", tmp_path / "refused"
    whole.mkdir(), refused.mkdir()
    differences = onnx.export(whole, pictures)
    assert sorted(path.name for path in whole.iterdir()) == ["onet.onnx", "pnet.onnx", "rnet.onnx"]
    assert differences.keys() == {"pnet", "rnet", "onet"} and max(differences.values()) < 1e-5

    right = onnx_export.export

    def one_wrong(network, shape, outputs, name):
        if name == "pnet":
            return (whole / "pnet.onnx").read_bytes()
        return right(lambda x: (network(x)[0] + jnp.float32(0.01), *network(x)[1:]), shape, outputs, name)

    monkeypatch.setattr(onnx_export, "export", one_wrong)
    with pytest.raises(onnx_export.ParityError, match="rnet"):
        onnx.export(refused, pictures)
    assert not list(refused.iterdir())
