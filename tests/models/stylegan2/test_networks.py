"""StyleGAN2 against numbers recorded from NVIDIA's program: networks, losses and their gradients, resampling."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx, traverse_util

from models import weights_file
from models.stylegan2 import layers
from models.stylegan2.discriminator import Discriminator, minibatch_deviation
from models.stylegan2.generator import Architecture, Generator, mix
from models.stylegan2.layers import convolve, convolve_down, convolve_up, lrelu, modulated_convolution
from models.stylegan2.losses import discriminator_loss, generator_loss, path_lengths, path_penalty, r1_penalty
from models.stylegan2.published import pytorch_discriminator, pytorch_generator
from models.stylegan2.resample import downsample, upfirdn, upsample

ARCH = Architecture(resolution=32, channel_base=1024, channel_max=64, latent=64, mapping_layers=4)
SMALL = Architecture(resolution=16, channel_base=128, channel_max=8, latent=8, mapping_layers=2)


def ours(pictures: np.ndarray) -> jax.Array:
    """(N, C, H, W) as (N, H, W, C)."""
    return jnp.asarray(pictures.transpose(0, 2, 3, 1))


def theirs(pictures: jax.Array) -> np.ndarray:
    return np.asarray(pictures).transpose(0, 3, 1, 2)


@pytest.fixture(scope="module")
def recorded(shared):
    return dict(np.load(shared / "parity/stylegan2.npz"))


@pytest.fixture(scope="module")
def ops(shared):
    return dict(np.load(shared / "parity/stylegan2_ops.npz"))


def part(recorded, letter):
    return {name[2:]: value for name, value in recorded.items() if name.startswith(letter + "/")}


@pytest.fixture(scope="module")
def generator(recorded):
    blank = nnx.eval_shape(lambda: Generator(ARCH, rngs=nnx.Rngs(0)))
    return weights_file.fill(blank, lambda name: pytorch_generator(part(recorded, "G"), name, ARCH), "stylegan2.npz")


@pytest.fixture(scope="module")
def discriminator(recorded):
    blank = nnx.eval_shape(lambda: Discriminator(ARCH, rngs=nnx.Rngs(0)))
    return weights_file.fill(blank, lambda name: pytorch_discriminator(part(recorded, "D"), name, ARCH), "stylegan2.npz")


def test_mapping_truncation_and_synthesis_are_theirs(recorded, generator):
    w = nnx.jit(lambda g, z: g.mapping(z))(generator, jnp.asarray(recorded["in/z"]))
    np.testing.assert_allclose(w, recorded["out/w_psi1"], atol=1e-5)
    np.testing.assert_allclose(generator.mapping.truncate(w, 0.7), recorded["out/w_psi0.7"], atol=1e-5)
    for noise, name in (("fixed", "const"), ("none", "none")):
        pictures = nnx.jit(lambda g, z: g(z, noise=noise))(generator, jnp.asarray(recorded["in/z"]))
        np.testing.assert_allclose(theirs(pictures), recorded[f"out/img_{name}"], atol=3e-5)


def test_every_layer_takes_its_own_w_and_noise(recorded, generator):
    w = recorded["out/w_psi1"]
    ws = jnp.asarray(np.stack([[w[(n + i) % 8] for i in range(8)] for n in range(2)]))
    synthesis = nnx.jit(lambda g, *inputs: g.synthesis(*inputs))
    np.testing.assert_allclose(theirs(synthesis(generator, ws)), recorded["out/img_mix_const"], atol=3e-5)
    layers = ["b4.conv1", *(f"b{size}.conv{k}" for size in (8, 16, 32) for k in (0, 1))]
    maps = [jnp.asarray(recorded[f"in/random_noise_{layer}"][:, 0]) for layer in layers]
    pictures = synthesis(generator, generator.spread(jnp.asarray(w[:2])), maps)
    np.testing.assert_allclose(theirs(pictures), recorded["out/img_random"], atol=3e-5)


def test_logits_and_losses_are_theirs(recorded, discriminator):
    logits = nnx.jit(lambda d, pictures: d(pictures))
    real, fake = (logits(discriminator, ours(recorded[name])) for name in ("in/real", "out/img_const"))
    np.testing.assert_allclose(real, recorded["out/D_real"], atol=5e-6)
    np.testing.assert_allclose(fake, recorded["out/D_fake_const"], atol=5e-6)
    np.testing.assert_allclose(generator_loss(fake), recorded["out/loss_Gmain"], rtol=1e-5)
    np.testing.assert_allclose(discriminator_loss(real, fake), recorded["out/loss_Dmain"], rtol=1e-5)


def test_r1_and_path_lengths_are_theirs(recorded, generator, discriminator):
    penalty = nnx.jit(lambda d, real: r1_penalty(d, real))(discriminator, ours(recorded["in/real"]))
    np.testing.assert_allclose(penalty, recorded["out/r1_penalty"], rtol=1e-4)
    ws = generator.spread(jnp.asarray(recorded["out/w_psi1"][:4]))
    lengths = nnx.jit(lambda g, ws, y: path_lengths(g.synthesis, ws, y))(generator, ws, ours(recorded["in/pl_y_raw"]))
    np.testing.assert_allclose(lengths, recorded["out/pl_lengths"], rtol=1e-4)
    penalty, mean = path_penalty(lengths, jnp.asarray(recorded["in/pl_mean0"]))
    np.testing.assert_allclose(mean, recorded["out/pl_mean1"], rtol=1e-5)
    np.testing.assert_allclose(penalty / 2, recorded["out/pl_penalty"], rtol=1e-4)  # recorded without its weight 2


class Asked(dict):
    """Stands for arrays, and keeps the name that was asked for."""

    def __missing__(self, name):
        self.name = name
        return np.zeros((1, 1, 1) if name.endswith(".const") else (1, 1, 1, 1))


@pytest.mark.parametrize("phase", ["Gmain", "Dmain"])
def test_gradients_are_theirs(recorded, generator, discriminator, phase):
    z, real = jnp.asarray(recorded["in/z"]), ours(recorded["in/real"])
    if phase == "Gmain":
        gradients = nnx.jit(nnx.grad(lambda g, d: generator_loss(d(g(z)))))(generator, discriminator)
        lookup = pytorch_generator
    else:
        fake = ours(recorded["out/img_const"])
        gradients = nnx.jit(nnx.grad(lambda d: discriminator_loss(d(real), d(fake))))(discriminator)
        lookup = pytorch_discriminator
    flat = traverse_util.flatten_dict(nnx.to_pure_dict(gradients))
    compared = 0
    for keys, gradient in flat.items():
        asked = Asked()
        lookup(asked, "/".join(map(str, keys)), ARCH)
        tolerance = 1e-3 if keys[-1] == "noise_strength" else 1e-4  # that one is a difference of large sums
        expected = recorded[f"gradnorm/{phase}/{asked.name}"]
        np.testing.assert_allclose(jnp.sqrt(jnp.sum(gradient**2)), expected, rtol=tolerance, err_msg=asked.name)
        compared += 1
    assert compared == sum(name.startswith(f"gradnorm/{phase}/") for name in recorded)


def test_resampling_is_theirs(ops):
    x = ours(ops["ufd/x"])
    np.testing.assert_allclose(theirs(upsample(x)), ops["ufd/upsample2d_1331"], atol=2e-6)
    np.testing.assert_allclose(theirs(downsample(x)), ops["ufd/downsample2d_1331"], atol=2e-6)
    sym6 = ops["ufd/f_sym6"]
    for case in json.loads(str(ops["info_json"]))["ufd_cases"]:
        if case["f"] == "f_asym":  # not separable, and nothing here needs such a filter
            continue
        taps = np.array([1, 3, 3, 1]) / 8 if case["f"] == "f_1331" else sym6
        taps = (taps[::-1] if case.get("flip_filter") else taps) * np.sqrt(case.get("gain", 1))
        left, right, above, below = case["padding"]
        up, down = (case.get(name, 1) for name in ("up", "down"))
        got = upfirdn(x, (taps, taps), (up, up), (down, down), ((above, below), (left, right)))
        np.testing.assert_allclose(theirs(got), ops[f"ufd/{case['name']}"], atol=2e-6, err_msg=case["name"])


def test_modulated_convolution_is_theirs(ops):
    x, styles = ours(ops["modconv/x"]), jnp.asarray(ops["modconv/s"])
    kernel, single = (jnp.asarray(ops[f"modconv/{name}"].transpose(2, 3, 1, 0)) for name in ("w", "w1"))
    got = modulated_convolution(x, kernel, styles, demodulate=False)
    np.testing.assert_allclose(theirs(got), ops["modconv/fused_nodemod"], atol=2e-5)
    got = modulated_convolution(x, kernel, styles) + jnp.asarray(ops["modconv/noise"].transpose(0, 2, 3, 1))
    np.testing.assert_allclose(theirs(got), ops["modconv/fused_demod"], atol=2e-6)
    got = modulated_convolution(x, kernel[::-1, ::-1], styles, up=True)
    got = got + jnp.asarray(ops["modconv/noise_up"].transpose(0, 2, 3, 1))
    np.testing.assert_allclose(theirs(got), ops["modconv/fused_up2_demod"], atol=2e-6)
    got = modulated_convolution(x, single, styles, demodulate=False)
    np.testing.assert_allclose(theirs(got), ops["modconv/fused_1x1_nodemod"], atol=2e-5)


def test_resampling_convolutions_are_theirs(ops):
    x = ours(ops["modconv/x"])
    kernel, single = (jnp.asarray(ops[f"modconv/{name}"].transpose(2, 3, 1, 0)) for name in ("w", "w1"))
    np.testing.assert_allclose(theirs(convolve_down(x, kernel)), ops["convresample/down2_3x3"], atol=2e-5)
    np.testing.assert_allclose(theirs(convolve_down(x, single)), ops["convresample/down2_1x1"], atol=2e-5)
    up = convolve_up(x, kernel[::-1, ::-1])
    np.testing.assert_allclose(theirs(up), ops["convresample/up2_3x3_flipFalse"], atol=2e-5)


@pytest.mark.parametrize("function", [convolve, convolve_down])
def test_what_is_computed_as_products_where_large_is_the_same_with_all_its_gradients(function, monkeypatch):
    x, kernel = (jax.random.normal(jax.random.key(0), shape) for shape in ((2, 8, 6, 4), (3, 3, 4, 3)))

    def all_of_it():
        def penalty(x, kernel):
            return jnp.sum(jax.grad(lambda x: jnp.sum(jnp.tanh(function(x, kernel))))(x) ** 2)

        return [function(x, kernel), *jax.grad(penalty, (0, 1))(x, kernel)]

    plain = all_of_it()
    monkeypatch.setattr(layers, "LARGE", 0)
    assert layers.as_product(x, kernel)
    for one, other in zip(plain, all_of_it()):
        np.testing.assert_allclose(one, other, atol=1e-4 * float(jnp.abs(one).max()))


def test_a_group_is_every_few_samples():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(8, 2, 2, 3)), jnp.float32)
    found = minibatch_deviation(x, 4)[:, 0, 0, 0]
    expected = [np.sqrt(np.var(np.asarray(x)[m::2], axis=0) + 1e-8).mean() for m in (0, 1)]
    np.testing.assert_allclose(found, np.tile(expected, 4), rtol=1e-5)
    with pytest.raises(ValueError, match="8 samples cannot be divided into groups of 3"):
        minibatch_deviation(x, 3)


@pytest.mark.parametrize(("arch", "generator", "discriminator"), [
    ({"resolution": 1024, "channel_base": 32768}, 30_370_060, 29_012_513),
    ({"resolution": 256}, 24_767_458, 24_001_089),
    ({"resolution": 128}, 24_525_213, 23_882_369),
])  # fmt: skip
def test_sizes_are_those_of_the_paper(arch, generator, discriminator):
    def count(make):
        params = nnx.state(nnx.eval_shape(make), nnx.Param)
        return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(nnx.to_pure_dict(params)))

    arch = Architecture(**arch)
    assert count(lambda: Generator(arch, rngs=nnx.Rngs(0))) == generator
    assert count(lambda: Discriminator(arch, rngs=nnx.Rngs(0))) == discriminator


def test_the_first_style_gan_s_block_is_a_switch():
    old = Architecture(**SMALL.as_dict() | {"block": "adain"})
    generator = Generator(old, rngs=nnx.Rngs(0))
    z = jnp.asarray(np.random.default_rng(0).normal(size=(3, 8)), jnp.float32)
    assert generator(z).shape == (3, 16, 16, 3)
    layer = generator.synthesis.blocks[1].conv
    x = jnp.asarray(np.random.default_rng(1).normal(size=(3, 8, 8, 8)), jnp.float32)
    styles = layer.affine(generator.mapping(z))
    after = layer(x, generator.mapping(z), None)
    np.testing.assert_allclose(after.mean(axis=(1, 2)), styles[:, 8:], atol=1e-5)  # AdaIN sets each channel's mean …
    np.testing.assert_allclose(after.std(axis=(1, 2)), np.abs(1 + styles[:, :8]), atol=1e-3)  # … and deviation


def test_mixing_takes_the_second_style_from_the_crossover_on():
    first, second = jnp.zeros((1, 6, 2)), jnp.ones((1, 6, 2))
    np.testing.assert_array_equal(mix(first, second, 4)[0, :, 0], [0, 0, 0, 0, 1, 1])


def test_half_precision_stays_near():
    z = jnp.asarray(np.random.default_rng(0).normal(size=(2, 8)), jnp.float32)
    full, half = (Generator(Architecture(**SMALL.as_dict() | {"half": n}), rngs=nnx.Rngs(0)) for n in (0, 2))
    assert half(z).dtype == jnp.float32
    assert 0 < float(jnp.abs(half(z) - full(z)).max()) < 0.1


def test_a_wrong_number_is_named():
    with pytest.raises(ValueError, match="resolution is 48"):
        Architecture(resolution=48)
    with pytest.raises(ValueError, match="random noise needs rngs"):
        Generator(SMALL, rngs=nnx.Rngs(0))(jnp.zeros((1, 8)) + 1, noise="random")


def test_leaky_rectifier_clamps_after_its_gain(ops):
    x = jnp.asarray([-10.0, 1.0, 100.0])
    np.testing.assert_allclose(lrelu(x, 0.5, clamp=4.0), [-np.sqrt(2), np.sqrt(0.5), 2.0], rtol=1e-6)


def test_a_discriminator_in_half_precision_stays_near():
    pictures = jnp.asarray(np.random.default_rng(0).normal(size=(4, 16, 16, 3)), jnp.float32)
    full, half = (Discriminator(Architecture(**SMALL.as_dict() | {"half": n}), rngs=nnx.Rngs(0)) for n in (0, 2))
    assert half(pictures).dtype == jnp.float32
    assert 0 < float(jnp.abs(half(pictures) - full(pictures)).max()) < 0.1
