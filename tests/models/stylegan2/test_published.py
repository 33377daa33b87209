"""Published weights in both of NVIDIA's layouts give the same networks; files that we make stand for theirs."""

import collections
import io
import pickle
import struct
import sys
import types

import jax
import numpy as np
import pytest
from flax import nnx

from models.stylegan2.generator import Architecture
from models.stylegan2.published import read
from models.torch_pickle import MAGIC, PROTOCOL, UntrustedPickleError

ARCH = Architecture(resolution=16, channel_base=128, channel_max=16, latent=8, mapping_layers=2)


def drawn(arch):
    """Arrays of a generator and a discriminator by TensorFlow's names and in its layout."""
    rng = np.random.default_rng(0)

    def values(*shape):
        return rng.normal(size=shape).astype(np.float32)

    generator = {"dlatent_avg": values(arch.latent)}
    for k in range(arch.mapping_layers):
        generator |= {f"mapping/Dense{k}/weight": values(8, 8), f"mapping/Dense{k}/bias": values(8)}
    generator["synthesis/4x4/Const/const"] = values(1, arch.features(4), 4, 4)
    number = 0
    for size in arch.resolutions:
        before, here = arch.features(max(4, size // 2)), arch.features(size)
        layers = [("Conv", here)] if size == 4 else [("Conv0_up", before), ("Conv1", here)]
        for layer, inputs in layers:
            place = f"synthesis/{size}x{size}/{layer}"
            generator |= {f"{place}/weight": values(3, 3, inputs, here), f"{place}/bias": values(here),
                          f"{place}/noise_strength": values(), f"{place}/mod_weight": values(8, inputs),
                          f"{place}/mod_bias": values(inputs), f"synthesis/noise{number}": values(1, 1, size, size)}
            number += 1
        place = f"synthesis/{size}x{size}/ToRGB"
        generator |= {f"{place}/weight": values(1, 1, here, 3), f"{place}/bias": values(3),
                      f"{place}/mod_weight": values(8, here), f"{place}/mod_bias": values(here)}
    critic = {}
    for size in arch.resolutions[:0:-1]:
        here, after = arch.features(size), arch.features(size // 2)
        if size == arch.resolution:
            critic |= {f"{size}x{size}/FromRGB/weight": values(1, 1, 3, here), f"{size}x{size}/FromRGB/bias": values(here)}
        critic |= {f"{size}x{size}/Conv0/weight": values(3, 3, here, here), f"{size}x{size}/Conv0/bias": values(here),
                   f"{size}x{size}/Conv1_down/weight": values(3, 3, here, after),
                   f"{size}x{size}/Conv1_down/bias": values(after), f"{size}x{size}/Skip/weight": values(1, 1, here, after)}
    last = arch.features(4)
    critic |= {"4x4/Conv/weight": values(3, 3, last + 1, last), "4x4/Conv/bias": values(last),
               "4x4/Dense0/weight": values(16 * last, last), "4x4/Dense0/bias": values(last),
               "Output/weight": values(last, 1), "Output/bias": values(1)}
    return generator, critic


def as_pytorch(generator, critic, arch):
    """The same numbers by ADA-PyTorch's names and in its layout, as the specification says they differ."""

    def kernel(value, up=False):
        value = value[::-1, ::-1] if up else value
        return np.ascontiguousarray(value.transpose(3, 2, 0, 1))

    theirs = {"mapping.w_avg": generator["dlatent_avg"]}
    for k in range(arch.mapping_layers):
        theirs |= {f"mapping.fc{k}.weight": np.ascontiguousarray(generator[f"mapping/Dense{k}/weight"].T),
                   f"mapping.fc{k}.bias": generator[f"mapping/Dense{k}/bias"]}
    theirs["synthesis.b4.const"] = generator["synthesis/4x4/Const/const"][0]
    number = 0
    for size in arch.resolutions:
        layers = [("Conv", "conv1")] if size == 4 else [("Conv0_up", "conv0"), ("Conv1", "conv1")]
        for here, there in [*layers, ("ToRGB", "torgb")]:
            old, new = f"synthesis/{size}x{size}/{here}", f"synthesis.b{size}.{there}"
            theirs |= {f"{new}.weight": kernel(generator[f"{old}/weight"], here == "Conv0_up"),
                       f"{new}.bias": generator[f"{old}/bias"],
                       f"{new}.affine.weight": np.ascontiguousarray(generator[f"{old}/mod_weight"].T),
                       f"{new}.affine.bias": generator[f"{old}/mod_bias"] + 1}
            if here != "ToRGB":
                theirs |= {f"{new}.noise_strength": generator[f"{old}/noise_strength"],
                           f"{new}.noise_const": generator[f"synthesis/noise{number}"][0, 0]}
                number += 1
    judge = {}
    names = {"FromRGB": "fromrgb", "Conv0": "conv0", "Conv1_down": "conv1", "Skip": "skip"}
    for name, value in critic.items():
        *place, layer, kind = name.split("/")
        if layer in names:
            target = f"b{place[0].partition('x')[0]}.{names[layer]}"
        else:
            target = {"Conv": "b4.conv", "Dense0": "b4.fc", "Output": "b4.out"}[layer]
        judge[f"{target}.{kind}"] = kernel(value) if value.ndim == 4 else np.ascontiguousarray(value.T)
    return theirs, judge


@pytest.fixture
def nvidia(monkeypatch):
    """Modules and classes with the names that NVIDIA's pickles use."""
    for name in ("dnnlib", "dnnlib.tflib", "dnnlib.tflib.network", "torch", "torch._utils", "torch.storage",
                 "torch_utils", "torch_utils.persistence"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    modules = sys.modules
    modules["dnnlib.tflib.network"].Network = type("Network", (), {"__module__": "dnnlib.tflib.network"})
    modules["torch"].FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    for module, name in (("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_parameter"),
                         ("torch.storage", "_load_from_bytes"), ("torch_utils.persistence", "_reconstruct_persistent_obj")):
        function = types.FunctionType((lambda *_: None).__code__, {}, name)
        function.__module__, function.__qualname__ = module, name
        setattr(modules[module], name, function)
    return modules


def tensorflow_file(nvidia, generator, critic):
    def network(arrays, **components):
        made = nvidia["dnnlib.tflib.network"].Network()
        made.__dict__ = {"version": 4, "static_kwargs": {}, "components": components, "variables": list(arrays.items())}
        return made

    def part(name):
        return {key.removeprefix(f"{name}/"): value for key, value in generator.items() if key.startswith(f"{name}/")}

    averaged = network({"dlatent_avg": generator["dlatent_avg"]}, mapping=network(part("mapping")),
                       synthesis=network(part("synthesis")))
    return pickle.dumps((averaged, network(critic), averaged), protocol=2)


class Module:
    """A module as ADA's program pickles it; `arrays` by dotted names."""

    def __init__(self, arrays):
        self.arrays = arrays


class Storage:
    def __init__(self, values):
        self.values = values


class Writer(pickle.Pickler):
    def reducer_override(self, thing):
        modules = sys.modules
        if isinstance(thing, Module):
            inner = collections.defaultdict(dict)
            for name, value in thing.arrays.items():
                head, dot, rest = name.partition(".")
                inner[head if dot else ""][rest if dot else head] = value
            own = collections.OrderedDict((name, Parameter(value)) for name, value in inner.pop("", {}).items())
            state = {"_parameters": own, "_buffers": collections.OrderedDict(), "training": False,
                     "weight_gain": np.float64(0.5),
                     "_modules": collections.OrderedDict((name, Module(arrays)) for name, arrays in inner.items())}
            meta = {"type": "class", "version": 6, "module_src": "raise SystemExit", "class_name": "G", "state": state}
            return modules["torch_utils.persistence"]._reconstruct_persistent_obj, (meta,)
        if isinstance(thing, Parameter):
            value = thing.value
            strides = tuple(step // value.itemsize for step in value.strides)
            tensor = Reduced(modules["torch._utils"]._rebuild_tensor_v2,
                             (Storage(value.ravel()), 0, value.shape, strides, False, collections.OrderedDict()))
            return modules["torch._utils"]._rebuild_parameter, (tensor, True, collections.OrderedDict())
        if isinstance(thing, Reduced):
            return thing.call
        if isinstance(thing, Storage):
            return modules["torch.storage"]._load_from_bytes, (storage_file(thing.values),)
        return NotImplemented


class Parameter:
    def __init__(self, value):
        self.value = value


class Reduced:
    def __init__(self, *call):
        self.call = call


def storage_file(values):
    """A single storage in the legacy format, as torch pickles it."""
    out = io.BytesIO()
    for part in (MAGIC, PROTOCOL, {}):
        pickle.dump(part, out, protocol=2)

    class One(pickle.Pickler):
        def persistent_id(self, thing):
            if isinstance(thing, Storage):
                return ("storage", sys.modules["torch"].FloatStorage, "0", "cpu", thing.values.size, None)
            return None

    One(out, protocol=2).dump(Storage(values))
    pickle.dump(["0"], out, protocol=2)
    return out.getvalue() + struct.pack("<q", values.size) + values.tobytes()


def pytorch_file(generator, critic):
    out = io.BytesIO()
    Writer(out, protocol=4).dump({"G": None, "D": Module(critic), "G_ema": Module(generator), "augment_pipe": None})
    return out.getvalue()


def test_both_layouts_give_the_same_networks(nvidia, tmp_path):
    generator, critic = drawn(ARCH)
    (tmp_path / "tf.pkl").write_bytes(tensorflow_file(nvidia, generator, critic))
    (tmp_path / "ada.pkl").write_bytes(pytorch_file(*as_pytorch(generator, critic, ARCH)))
    first, second = read(tmp_path / "tf.pkl"), read(tmp_path / "ada.pkl")
    assert first.arch == second.arch == ARCH
    for name in ("generator", "discriminator"):
        pair = [nnx.to_pure_dict(nnx.state(getattr(each, name))) for each in (first, second)]
        jax.tree.map(np.testing.assert_array_equal, *pair)
    grown = first.generator.synthesis.blocks[1].grow
    np.testing.assert_array_equal(grown.kernel[...], generator["synthesis/8x8/Conv0_up/weight"])
    np.testing.assert_array_equal(grown.affine.bias[...], generator["synthesis/8x8/Conv0_up/mod_bias"] + 1)
    np.testing.assert_array_equal(grown.noise[...], generator["synthesis/noise1"][0, 0])


def test_what_is_missing_or_has_another_shape_is_named(nvidia, tmp_path):
    generator, critic = drawn(ARCH)
    path = tmp_path / "tf.pkl"
    lacking = {name: value for name, value in generator.items() if name != "synthesis/8x8/Conv1/bias"}
    path.write_bytes(tensorflow_file(nvidia, lacking, critic))
    with pytest.raises(ValueError, match="lacks synthesis/8x8/Conv1/bias"):
        read(path)
    path.write_bytes(tensorflow_file(nvidia, generator | {"synthesis/noise1": np.zeros((1, 1, 4, 4))}, critic))
    with pytest.raises(ValueError, match=r"synthesis/blocks/1/grow/noise has shape \(4, 4\)"):
        read(path)


def test_a_pickle_of_anything_else_is_refused(tmp_path):
    path = tmp_path / "it.pkl"
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ValueError, match="holds list"):
        read(path)
    path.write_bytes(pickle.dumps(print))
    with pytest.raises(UntrustedPickleError, match="builtins.print"):
        read(path)
