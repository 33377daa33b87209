"""Places without a face: as large as asked, in range, each something to look at, none like another."""

import numpy as np
import pytest

from data.synthetic.raw.scenes import EMPTY, backdrop


@pytest.mark.parametrize("scene", [*EMPTY, backdrop])
@pytest.mark.parametrize("shape", [(90, 50), (117, 208), (208, 208)])
def test_a_scene_fills_its_frame(scene, shape):
    for seed in range(4):
        picture = scene(np.random.default_rng(seed), shape)
        assert picture.shape == (*shape, 3) and picture.dtype == np.float32 and np.isfinite(picture).all()
        assert -60 < picture.min() and picture.max() < 400
        assert picture.std() > 3
    assert not np.array_equal(scene(np.random.default_rng(0), shape), scene(np.random.default_rng(1), shape))
    np.testing.assert_array_equal(scene(np.random.default_rng(0), shape), scene(np.random.default_rng(0), shape))
