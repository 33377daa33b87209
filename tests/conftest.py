"""What every test runs under: strict dtypes, no rank promotion, two pretended devices; and where real data lies."""

import os
from pathlib import Path

import pytest

# Before JAX is imported anywhere: its devices are counted once.
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).resolve().parents[1] / ".cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first, so that two processes end together."""
    items.sort(key=lambda item: item.path.name != "test_whole_graph.py")


@pytest.fixture(autouse=True, scope="session")
def strict_jax() -> None:
    import jax

    jax.config.update("jax_numpy_dtype_promotion", "strict")
    jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def saved_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training writes a checkpoint and looks at its figures after each of its steps."""
    monkeypatch.setattr("models.training.SAVE_SECONDS", 0.0)
    monkeypatch.setattr("models.training.METRICS_STEPS", 1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded numbers and real data beside the checkout; a test that needs it is skipped elsewhere."""
    folder = ROOT.parent / "shared"
    if not (folder / "parity").is_dir():
        pytest.skip("needs the recorded numbers and real data, which are not part of the repository")
    return folder
