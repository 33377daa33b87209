"""Pixels on disk and in views: an .npy file that grows while it is written, and rows of several arrays read as one.

The file format is NumPy's own (NEP 1, `numpy.lib.format`), so any program that reads .npy reads what is written here.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format


class NpyAppender:
    """Writes uint8 rows of one `shape` to an .npy file whose number of rows is known only at the end.

    NumPy pads the header so that the first axis may grow to 21 digits in place; `close` writes the final count there.
    """

    def __init__(self, path: Path, shape: Sequence[int]):
        self.shape = tuple(shape)
        self.count = 0
        self._file = path.open("wb")
        self._write_header()

    def _write_header(self) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": (self.count, *self.shape)}
        npy_format.write_array_header_1_0(self._file, header)

    def append(self, rows: np.ndarray) -> None:
        """Adds `rows` (n, *shape) uint8."""
        self._file.write(np.ascontiguousarray(rows).data)
        self.count += len(rows)

    def close(self) -> None:
        self._file.seek(0)
        self._write_header()
        self._file.close()

    def abandon(self) -> None:
        """Closes the file as it is; what its buffer still holds may be lost."""
        try:
            self._file.close()
        except OSError:  # a full disk refuses the rest of the buffer, and that rest is not wanted any more
            pass


def open_npy(path: Path) -> np.ndarray:
    """The uint8 array (N, H, W, C) in `path`, memory-mapped for reading.

    Raises:
        ValueError: the file is not such an array, or has fewer or more bytes than its header says.
    """
    with path.open("rb") as file:
        try:
            version = npy_format.read_magic(file)
            read_header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
            shape, fortran_order, dtype = read_header(file)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{path}: not an .npy file ({error})") from error
        offset = file.tell()
    if dtype != np.uint8 or fortran_order or len(shape) != 4:
        raise ValueError(f"{path}: expected uint8 pictures (N, H, W, C) in C order, found {dtype} {shape}")
    expected, found = offset + int(np.prod(shape)), path.stat().st_size
    if found != expected:
        raise ValueError(f"{path}: {found:,} bytes, but {shape[0]} pictures of {shape[1:]} need {expected:,}: "
                         "the file is cut short or damaged; make the set again")
    if shape[0] == 0:
        return np.empty(shape, np.uint8)  # nothing can be mapped
    return np.memmap(path, np.uint8, "r", offset, shape)


class NpyRows:
    """The pictures (N, H, W, C) uint8 of an .npy file, read when indexed and not kept.

    For passes over a whole set: what has been read of a memory map counts as the process's memory until it is closed.
    """

    def __init__(self, path: Path):
        """Raises ValueError as `open_npy` does."""
        mapped = open_npy(path)
        self.path = path
        self.shape, self.dtype, self.ndim = mapped.shape, mapped.dtype, mapped.ndim

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: int | slice | np.ndarray) -> np.ndarray:
        return np.array(open_npy(self.path)[key])


class RowView:
    """Chosen rows of one or more arrays, seen as one array (N, H, W, C) and read from disk only when indexed.

    Indexing with an integer gives one row, with a slice or an integer or boolean array a new array of those rows.
    """

    def __init__(self, parts: Sequence[np.ndarray], index: np.ndarray):
        """`index` (N,) counts through the rows of all `parts`, one part after the other."""
        self.parts = tuple(parts)
        self.index = np.asarray(index, np.int64)
        self.dtype = self.parts[0].dtype
        self.shape = (len(self.index), *self.parts[0].shape[1:])
        self.ndim = len(self.shape)
        self._ends = np.cumsum([len(part) for part in self.parts])

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, key: int | slice | np.ndarray | Sequence[int]) -> np.ndarray:
        wanted = self.index[key]
        if wanted.ndim == 0:
            return self[[key]][0]
        part_of_row = np.searchsorted(self._ends, wanted, side="right")
        rows = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        for number in np.unique(part_of_row):
            here = part_of_row == number
            part = self.parts[number]
            rows[here] = part[wanted[here] - (self._ends[number] - len(part))]
        return rows

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a view of chosen rows cannot become an array without copying them")
        return self[:].astype(dtype or self.dtype, copy=False)


def choose(rows: "np.ndarray | RowView", index: np.ndarray) -> RowView:
    """The rows at `index` (n,), non-negative, without copying a pixel; a view of a view stays one level deep."""
    return RowView(rows.parts, rows.index[index]) if isinstance(rows, RowView) else RowView([rows], index)


def chain(arrays: Sequence["np.ndarray | RowView"]) -> RowView:
    """All rows of `arrays` one after the other, without copying a pixel. Their (H, W, C) must agree."""
    parts, indices, before = [], [], 0
    for array in arrays:
        view = choose(array, np.arange(len(array)))
        parts += view.parts
        indices.append(view.index + before)
        before += sum(len(part) for part in view.parts)
    return RowView(parts, np.concatenate(indices))
