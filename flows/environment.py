"""What our processes are started with: switches that libraries read once, when they are loaded."""

import os
import sys

VARIABLES = {
    # XLA takes its work space anew at every step, and the kernel maps and clears it page by page. With huge pages a small
    # network's training step on a CPU takes a third less.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    # Compiled programs outlive the process that compiled them.
    "JAX_COMPILATION_CACHE_DIR": os.path.abspath(".cache/jax"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.3",
    # NumPy's matrix products here are small: a second thread costs more than it brings, and rounds differently.
    "OPENBLAS_NUM_THREADS": "1",
}


def enter(module: str, arguments: list[str]) -> None:
    """Starts `python -m module` over with what is missing of VARIABLES; what the user has set stays as it is."""
    missing = {name: value for name, value in VARIABLES.items() if name not in os.environ}
    if missing:
        os.execve(sys.executable, [sys.executable, "-m", module, *arguments], os.environ | missing)
