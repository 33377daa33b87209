"""Pictures of a file can be read row by row without its memory growing; what is read is what a memory map holds."""

import re
from pathlib import Path

import numpy as np
import pytest

from data.pixels import NpyAppender, NpyRows, open_npy

STATUS = Path("/proc/self/status")


@pytest.fixture
def file(tmp_path) -> Path:
    """40 MB of pictures."""
    path = tmp_path / "images.npy"
    writer = NpyAppender(path, (100, 100, 1))
    for number in range(40):
        writer.append(np.full((100, 100, 100, 1), number, np.uint8))
    writer.close()
    return path


@pytest.mark.parametrize("key", [3, -1, slice(5, 210, 7), np.array([300, 2, 300]), slice(7, 7)])
def test_rows_are_those_of_the_file(file, key):
    rows = NpyRows(file)
    assert (len(rows), rows.shape, rows.ndim, rows.dtype) == (4000, (4000, 100, 100, 1), 4, np.uint8)
    np.testing.assert_array_equal(rows[key], open_npy(file)[key])


def mapped() -> int:
    """Megabytes of files that this process has in memory."""
    return int(re.search(r"RssFile:\s+(\d+)", STATUS.read_text())[1]) >> 10


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells how much memory a map takes")
def test_what_was_read_is_let_go(file):
    before, rows = mapped(), NpyRows(file)
    for start in range(0, len(rows), 256):
        assert rows[start:start + 256].shape[1:] == (100, 100, 1)
    assert mapped() - before < 10
    held = open_npy(file)
    assert held.sum(dtype=int) and mapped() - before > 30  # which is what it is for


def test_a_damaged_file_is_named(file):
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"images\.npy: .*cut short"):
        NpyRows(file)
