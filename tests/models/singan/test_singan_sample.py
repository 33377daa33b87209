"""What trained pyramids make: the authors' samples from fixed noise, and the five uses."""

import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import recorded as theirs

from models.singan.model import Pyramids, climb
from models.singan.networks import Generator, pad
from models.singan.pyramid import plan_scales
from models.singan.references import near_colours, soft_mask
from models.singan.sample import animate, edit, harmonise, inject, injected, paint_to_image, sample, super_resolve
from models.singan.snapshot import load, save
from models.weights_file import WeightsError
from untrained import untrained_pyramids

KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def arrays(shared):
    return dict(np.load(shared / "parity/singan.npz"))


@pytest.fixture(scope="module")
def three(arrays):
    """The recorded pyramid of three scales: its scales, sizes and factor."""
    scales = [
        theirs.weights(arrays, f"G{n}/", Generator) | {"amp": jnp.float32(arrays["sample/noise_amp"][n])}
        for n in range(3)
    ]
    return scales, float(arrays["pyr/scale_factor_f64"])


@pytest.mark.parametrize("case", ["sample", "sample_start1", "sample_1.5x1.2"])
def test_samples_from_fixed_noise_are_theirs(arrays, three, case):
    scales, factor = three
    noises = [pad(theirs.picture(arrays[f"{case}/noise{n}"])) for n in range(3)]
    if case == "sample_start1":
        noises[0] = pad(theirs.picture(arrays["sample/z_opt0"]))
    begin = jnp.zeros((1, *arrays[f"{case}/out0"].shape[2:], 3))
    sizes = [arrays[f"{case}/out{n}"].shape[2:] for n in (1, 2)]
    made = jax.jit(lambda noises: climb(scales, noises, begin, sizes, factor, True))(noises)
    errors = np.abs(made - theirs.picture(arrays[f"{case}/out2"]))
    assert np.mean(errors > 1e-4) < 0.01 and errors.max() < 0.05  # where a value sits on the edge of a level


@pytest.mark.parametrize("start", [1, 2])
def test_an_injected_picture_is_theirs(arrays, three, start):
    scales, factor = three
    reals = tuple(theirs.picture(arrays[f"pyr/real{n}"]) for n in range(3))
    plan = replace(plan_scales((64, 64)), sizes=tuple(real.shape[1:3] for real in reals))
    stacked = [jax.tree.map(lambda x: x[None], scale) for scale in scales]
    pyramids = Pyramids(plan, tuple(stacked), reals, "zeros", True)
    given = injected(pyramids, theirs.picture(arrays["inject/ref"]), start)
    np.testing.assert_allclose(given, theirs.picture(arrays[f"inject/n{start}_in_s"]), atol=1e-6)
    noises = [pad(theirs.picture(arrays[f"inject/n{start}_noise{n}"])) for n in range(3 - start)]
    made = climb(scales[start:], noises, given, plan.sizes[start + 1 :], factor, True)
    np.testing.assert_allclose(made, theirs.picture(arrays[f"inject/n{start}_out"]), atol=1e-4)


@pytest.fixture(scope="module")
def two_pictures():
    return untrained_pyramids(KEY)


def test_samples_have_any_size_and_are_new_from_their_start_on(two_pictures):
    assert sample(two_pictures, KEY, 2, stretch=(1.5, 2)).shape == (2, 2, 30, 48, 3)
    finest = two_pictures.plan.finest
    made = sample(two_pictures, KEY, 3, start=finest)
    coarse = sample(two_pictures, KEY, 3)
    assert made.shape == (2, 3, 20, 24, 3)
    assert 0 < np.std(made, axis=1).mean() < np.std(coarse, axis=1).mean()
    assert not np.allclose(made[0], made[1])


def test_scales_and_references_that_do_not_fit_are_refused(two_pictures):
    with pytest.raises(ValueError, match="start is scale 9, expected one from 0 to"):
        sample(two_pictures, KEY, 1, start=9)
    with pytest.raises(ValueError, match="expected 0 for a stretch"):
        sample(two_pictures, KEY, 1, start=1, stretch=(2, 1))
    with pytest.raises(ValueError, match="expected one from 1 to"):
        inject(two_pictures, two_pictures.reals[-1], 0, KEY)
    with pytest.raises(ValueError, match="expected .2, H, W, 3., one a pyramid"):
        inject(two_pictures, two_pictures.reals[-1][:1], 1, KEY)


def test_a_painting_of_any_size_is_made_a_picture_in_few_colours(two_pictures):
    painting = jax.random.uniform(KEY, (2, 31, 17, 3), minval=-1.0)
    assert paint_to_image(two_pictures, painting, 1, KEY, count=2, colours=3).shape == (2, 2, 20, 24, 3)
    near = near_colours(painting, two_pictures.reals[-1], 3)
    assert len(np.unique(np.asarray(near[0]).reshape(-1, 3), axis=0)) <= 3


def test_outside_the_mask_a_picture_stays_as_it_was(two_pictures):
    mask = np.zeros((2, 20, 24))
    mask[:, :2, :2] = 1
    pasted = two_pictures.reals[-1].at[:, :2, :2].set(1.0)
    made = harmonise(two_pictures, pasted, mask, 2, KEY)
    np.testing.assert_allclose(made[:, 0, -1, -1], two_pictures.reals[-1][:, -1, -1], atol=0.02)
    assert np.abs(made[:, 0, :2, :2] - pasted[:, :2, :2]).max() > 0.1
    # Editing grows the mask by 20 pixels, which is all of this picture's nearer part.
    assert edit(two_pictures, pasted, mask, 2, KEY, count=2).shape == (2, 2, 20, 24, 3)
    with pytest.raises(ValueError, match="the size of the finest scale"):
        edit(two_pictures, pasted, mask[:, 1:], 2, KEY)
    with pytest.raises(ValueError, match="mask is empty"):
        edit(two_pictures, pasted, 0 * mask, 2, KEY)


def test_a_mask_grows_by_a_disk_and_fades():
    mask = np.zeros((60, 60))
    mask[30, 30] = 1
    soft = np.asarray(soft_mask(mask, 7))
    assert soft.max() == 1 and soft.min() == 0 and soft[30, 30] == 1
    np.testing.assert_allclose(soft, soft.T, atol=1e-6)
    assert soft[30, 37] > 0.3 > soft[30, 45]
    assert soft[30, 38] > soft[36, 36]  # the corner lies outside the disk


def test_super_resolution_is_four_times_as_large_and_still_the_picture(two_pictures):
    quiet = replace(two_pictures, scales=tuple(s | {"amp": s["amp"] * 0} for s in two_pictures.scales))
    made = super_resolve(quiet, KEY, 4)
    assert made.shape == (2, 1, 80, 96, 3)
    empty = [s | {"params": jax.tree.map(jnp.zeros_like, s["params"])} for s in quiet.scales]
    still = replace(quiet, scales=tuple(empty))
    small = super_resolve(still, KEY, 4)[:, 0].reshape(2, 20, 4, 24, 4, 3).mean(axis=(2, 4))
    assert np.abs(small - two_pictures.reals[-1]).mean() < 0.1  # an empty generator adds nothing to the larger picture


def test_a_film_moves_little_from_frame_to_frame_and_its_coarse_scales_can_stand_still(two_pictures):
    film = animate(two_pictures, KEY, frames=6, start=0)
    assert film.shape == (2, 6, 20, 24, 3)
    step, way = np.abs(np.diff(film, axis=1)).mean(), np.abs(film[:, 5] - film[:, 0]).mean()
    assert 0 < step < way
    calm = animate(two_pictures, KEY, frames=6, start=two_pictures.plan.finest)
    assert np.abs(np.diff(calm, axis=1)).mean() < step
    with pytest.raises(ValueError, match="home is 2"):
        animate(two_pictures, KEY, home=2)


def test_pyramids_come_back_from_their_file(tmp_path, two_pictures):
    save(tmp_path / "faces.npz", two_pictures, {"seed": 3})
    back, card = load(tmp_path / "faces.npz")
    assert card["seed"] == 3 and back.plan == two_pictures.plan
    ours, kept = (jax.tree.leaves((each.scales, each.reals)) for each in (two_pictures, back))
    for one, other in zip(ours, kept, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_with_other_shapes_is_refused(tmp_path, two_pictures):
    last = two_pictures.scales[-1] | {"noise": jnp.zeros((2, 3))}
    broken = replace(two_pictures, scales=(*two_pictures.scales[:-1], last))
    save(tmp_path / "faces.npz", broken, {})
    with pytest.raises(WeightsError, match="scale 3 is not a generator"):
        load(tmp_path / "faces.npz")
    save(tmp_path / "faces.npz", replace(two_pictures, scales=two_pictures.scales[:2]), {})
    with pytest.raises(WeightsError, match="does not hold pyramids"):
        load(tmp_path / "faces.npz")
