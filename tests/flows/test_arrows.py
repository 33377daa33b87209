"""Who may import whom, and that every stage's deps name all the code it runs, since DVC does not follow imports."""

import ast
import sys
from pathlib import Path

import pytest

from flows import graph
from flows.settings import keys

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("flows", "data", "models", "metrics", "realtime")
# They carry results and make none: a change there is no reason to train anew.
WRAPPER = {"flows/stage.py", "flows/watch.py", "flows/settings.py", "flows/sections.py"}

MAY_IMPORT = {
    "data": {
        "PIL",
        "data",
        "numpy",
        "pandas",
        "pyarrow",
        "cv2",
        "fontTools",
        "rapidocr",
        "scipy",
        "skimage",
        "sklearn",
    },
    "models": {
        "models",
        "jax",
        "flax",
        "optax",
        "orbax",
        "numpy",
        "h5py",
        "joblib",
        "lz4",
        "jax2onnx",
        "onnx",
        "onnxruntime",
    },
    "metrics": {"metrics", "numpy", "scipy", "sklearn", "pandas", "matplotlib"},
    "realtime": {"realtime", "numpy", "cv2", "onnxruntime"},
}


def imported(file: Path) -> set[str]:
    """The dotted names that a file imports anywhere, with ``from a import b`` as both ``a`` and ``a.b``."""
    names = set()
    package = file.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def files_of(name: str) -> list[Path]:
    """Our files that importing ``name`` runs: the module, and the ``__init__`` of the packages around it."""
    parts = name.split(".")
    if parts[0] not in ROOMS:
        return []
    found = [ROOT.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    return [file for file in [*found, ROOT.joinpath(*parts).with_suffix(".py")] if file.exists()]


def says_something(file: Path) -> bool:
    """Whether a file has anything but a docstring in it."""
    body = ast.parse(file.read_text()).body
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in body)


def closure(start: Path) -> set[str]:
    """All our files that running ``start`` runs, relative to the root."""
    found, waiting = set(), [start]
    while waiting:
        file = waiting.pop()
        name = file.relative_to(ROOT).as_posix()
        if name in found or name in WRAPPER:
            continue
        found.add(name)
        waiting += [each for module in imported(file) for each in files_of(module)]
    return {name for name in found if says_something(ROOT / name)}


@pytest.fixture(scope="module")
def nodes() -> dict[str, graph.Node]:
    return graph.load()


@pytest.mark.parametrize("name", graph.names())
def test_the_deps_of_a_stage_cover_what_it_imports(name, nodes):
    deps = {dep.as_posix() for dep in nodes[name].deps}
    needed = closure(ROOT / "flows" / f"{name.partition('@')[0]}.py")
    missing = {file for file in needed if not deps & {file, *(parent.as_posix() for parent in Path(file).parents)}}
    assert not missing, f"dvc.yaml: deps of {name} lack {sorted(missing)}"


def test_no_stage_hides_a_size_in_a_section(nodes):
    """DVC's run cache leaves every key `size` and `nfiles` out of its hash: with a section as a parameter, it would bring
    back faces of another size as the result of this one."""
    for node in nodes.values():
        for key in node.params:
            hidden = [name for name in keys() if name.startswith(f"{key}.") and name.split(".")[-1] in ("size", "nfiles")]
            assert not hidden, f"dvc.yaml: {node.name} depends on {key}, which hides {hidden}: name each of its settings"


def test_a_stage_is_found_to_import_what_its_imports_import():
    assert {"flows/fer.py", "models/training.py", "data/faceset.py"} <= closure(ROOT / "flows" / "fer.py")
    assert "flows/stage.py" not in closure(ROOT / "flows" / "fer.py")


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_the_arrows_between_the_rooms(room):
    allowed = MAY_IMPORT[room] | sys.stdlib_module_names
    for file in (ROOT / room).rglob("*.py"):
        foreign = {name.partition(".")[0] for name in imported(file) if name} - allowed
        assert not foreign, f"{file.relative_to(ROOT)} imports {sorted(foreign)}"
