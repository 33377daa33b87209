"""`FaceSet`, the one currency of the project: face pictures and one row of knowledge about each.

On disk a set is a folder with `images.npy` (N, H, W, C) uint8, opened memory-mapped, and `faces.parquet`, N rows with
the columns of `SCHEMA`. What is not known about a face is null, never a guess. A set is written beside its place and
renamed, so a half-written one is never seen.
"""

import contextlib
import difflib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.contact_sheet import contact_sheet
from data.pixels import NpyAppender, RowView, chain, choose, open_npy

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # label = index, FER-2013's order
ACTION_UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)  # those OpenFace estimates with intensity
GENDERS = ("woman", "man")

AU_COLUMNS = tuple(f"au{unit:02d}" for unit in ACTION_UNITS)
LIST_LENGTHS = {"votes": len(EXPRESSIONS), "box": 4, "landmarks": 10}
SCHEMA = pa.schema([
    ("id", pa.string()),        # content hash of the pixels
    ("source", pa.string()),    # name of the source or stage that brought the face in
    ("origin", pa.string()),    # place in that source: "fer2013.csv:17", "train/happy/3.png"
    ("split", pa.string()),
    ("subject", pa.string()),
    ("label", pa.int8()),       # index into EXPRESSIONS
    ("votes", pa.list_(pa.float32())),      # share of people's votes for each of EXPRESSIONS, 1 in all
    ("gender", pa.int8()),      # index into GENDERS
    *((column, pa.float32()) for column in AU_COLUMNS),     # intensity in [0, 1]
    ("box", pa.list_(pa.float32())),        # x, y, width, height in pixels of this picture
    ("landmarks", pa.list_(pa.float32())),  # x, y of left eye, right eye, nose, left, right mouth corner (as seen)
    ("parent", pa.string()),    # id of the face it was made from
    ("maker", pa.string()),     # generator that made it
    ("flaws", pa.string()),     # what its drawer knows to be wrong with it: "text,wrong_label"; "" is nothing
])
RANGES = {"label": (0, len(EXPRESSIONS) - 1), "gender": (0, len(GENDERS) - 1)} | dict.fromkeys(AU_COLUMNS, (0, 1))
IMAGES, TABLE = "images.npy", "faces.parquet"


class FaceSet:
    """Pictures and what is known of them.

    Attributes:
        images: (N, H, W, C) uint8, RGB or grey; a memory map or a view that reads rows when indexed.
        table: N rows with the columns of `SCHEMA`: text, nullable integers and floats; `votes`, `box`, `landmarks` are
            float32 arrays or None.
    """

    def __init__(self, images: np.ndarray | RowView, table: pd.DataFrame):
        if images.ndim != 4 or images.dtype != np.uint8:
            raise ValueError(f"a face set needs uint8 pictures (N, H, W, C), got {images.dtype} {tuple(images.shape)}")
        if len(images) != len(table):
            raise ValueError(f"a face set needs one row a picture, got {len(images)} pictures and {len(table)} rows")
        self.images = images
        self.table = conform(table)

    @classmethod
    def open(cls, folder: str | Path) -> "FaceSet":
        """Opens a set; no pixel is read yet.

        Raises:
            FileNotFoundError: `folder` is not a set.
            ValueError: its files are damaged or do not belong together.
        """
        folder = Path(folder)
        missing = [name for name in (IMAGES, TABLE) if not (folder / name).is_file()]
        if missing:
            raise FileNotFoundError(f"{folder} is not a face set: {' and '.join(missing)} missing. "
                                    f"A set is a folder with {IMAGES} and {TABLE}, as the stage `ingest` writes it")
        images = open_npy(folder / IMAGES)
        try:
            table = pq.read_table(folder / TABLE)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{folder / TABLE}: not a readable parquet file ({error})") from error
        if absent := [name for name in SCHEMA.names if name not in table.column_names]:
            raise ValueError(f"{folder / TABLE}: column {', '.join(absent)} missing, so the set is of another "
                             "version; make it again")
        if len(images) != table.num_rows:
            raise ValueError(f"{folder}: {len(images)} pictures in {IMAGES} but {table.num_rows} rows in {TABLE}: "
                             "the two do not belong together; make the set again")
        return cls(images, table.to_pandas())

    def __len__(self) -> int:
        return len(self.table)

    def select(self, rows: np.ndarray | pd.Series | Sequence[int] | slice) -> "FaceSet":
        """The faces at `rows` (a mask of N, indices, or a slice), in that order. Pixels stay where they are."""
        index = np.arange(len(self))[_as_key(rows, len(self))]
        return FaceSet(choose(self.images, index), self.table.iloc[index])

    def split(self, name: str) -> "FaceSet":
        """The faces of one split. Raises ValueError, naming the splits there are, if it has none."""
        mask = (self.table["split"] == name).to_numpy()
        if not mask.any():
            known = ", ".join(sorted(self.table["split"].dropna().unique())) or "none"
            raise ValueError(f"no face in split {name!r}; splits of this set: {known}")
        return self.select(mask)

    @staticmethod
    def join(sets: Sequence["FaceSet"]) -> "FaceSet":
        """All faces of `sets` one after the other; no pixel is copied. Their pictures must have one shape."""
        if not sets:
            raise ValueError("nothing to join: give at least one face set")
        shapes = [tuple(faces.images.shape[1:]) for faces in sets]
        if len(set(shapes)) > 1:
            raise ValueError(f"face sets of different picture shapes cannot be joined: {', '.join(map(str, shapes))}; "
                             "make them with one `faces.size` and `faces.channels`")
        table = pd.concat([faces.table for faces in sets], ignore_index=True)
        return FaceSet(chain([faces.images for faces in sets]), table)

    def save(self, folder: str | Path, batch: int = 1024) -> None:
        """Writes the set as a folder of its own, copying the pixels `batch` rows at a time."""
        with FaceSetWriter(folder, self.images.shape[1:]) as writer:
            for start in range(0, len(self), batch):
                writer.append(self.images[start:start + batch], self.table.iloc[start:start + batch])

    def picture(self, columns: int = 10) -> np.ndarray:
        """A contact sheet (height, width, 3) uint8 RGB: one row an expression, faces spread evenly over the set."""
        chosen, captions = [], []
        for label, name in [*enumerate(EXPRESSIONS), (None, "unlabelled")]:
            here = self.table["label"].isna() if label is None else self.table["label"].eq(label).fillna(False)
            rows = np.flatnonzero(here.to_numpy(bool))
            if not len(rows):
                continue
            picks = rows[np.linspace(0, len(rows) - 1, min(columns, len(rows))).astype(int)]
            chosen.append(np.pad(picks, (0, columns - len(picks)), constant_values=-1))
            captions += [f"{name} {len(rows)}"] + [name] * (len(picks) - 1) + [""] * (columns - len(picks))
        index = np.concatenate(chosen) if chosen else np.empty(0, int)
        tiles = np.full((len(index), *self.images.shape[1:]), 255, np.uint8)
        tiles[index >= 0] = self.images[index[index >= 0]]
        return contact_sheet(tiles, columns, captions)


class FaceSetWriter:
    """Writes a set of unknown length, batch by batch; it appears at `folder` only when all of it is on the disk.

        with FaceSetWriter(folder, (H, W, C)) as writer:
            writer.append(images, rows)

    An exception inside the block removes everything written. A full disk is an OSError that says so.
    """

    def __init__(self, folder: str | Path, shape: Sequence[int]):
        self.folder = Path(folder)
        self.shape = tuple(shape)
        if len(self.shape) != 3:
            raise ValueError(f"a face set's pictures have a shape (H, W, C), got {self.shape}")
        if self.folder.exists() and not (self.folder.is_dir() and not any(self.folder.iterdir())):
            raise FileExistsError(f"{self.folder} already exists: remove it or choose another place for the new set")
        self._beside = self.folder.with_name(f".{self.folder.name}.partial-{os.getpid()}")
        self._tables: list[pd.DataFrame] = []

    def __enter__(self) -> "FaceSetWriter":
        shutil.rmtree(self._beside, ignore_errors=True)  # left by a killed process that had the same number
        self._beside.mkdir(parents=True)
        self._pixels = NpyAppender(self._beside / IMAGES, self.shape)
        return self

    def append(self, images: np.ndarray, rows: pd.DataFrame | Sequence[dict]) -> None:
        """Adds `images` (n, H, W, C) uint8 and their n `rows`; `id` is worked out here, absent columns are null."""
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.shape[1:] != self.shape:
            raise ValueError(f"{self.folder} holds uint8 pictures {self.shape}, got {images.dtype} {images.shape[1:]}")
        if len(images) != len(rows):
            raise ValueError(f"one row a picture is needed, got {len(images)} pictures and {len(rows)} rows")
        table = conform(rows, first_row=len(self))
        table["id"] = pd.array([content_id(image) for image in images], "str")
        with self._full_disk_named():
            self._pixels.append(images)
        self._tables.append(table)

    def __len__(self) -> int:
        return sum(map(len, self._tables))

    @property
    def table(self) -> pd.DataFrame:
        """The rows so far, with their ids."""
        return pd.concat(self._tables, ignore_index=True) if self._tables else conform([])

    def assign_splits(self, splits: Sequence[str]) -> None:
        """Replaces the split of every row so far: a share can be carved only when all faces are known."""
        self._tables = [conform(self.table.assign(split=splits))]

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            if kind is None:
                with self._full_disk_named():
                    self._publish()
        finally:
            self._pixels.abandon()
            shutil.rmtree(self._beside, ignore_errors=True)

    def _publish(self) -> None:
        self._pixels.close()
        table = pa.Table.from_pandas(self.table, SCHEMA, preserve_index=False).replace_schema_metadata(None)
        pq.write_table(table, self._beside / TABLE)
        for path in (self._beside / IMAGES, self._beside / TABLE, self._beside):
            _flush_to_disk(path)
        os.replace(self._beside, self.folder)
        _flush_to_disk(self.folder.parent)

    @contextlib.contextmanager
    def _full_disk_named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise OSError(error.errno, f"no space left after {len(self)} pictures of {self.shape}; nothing was kept: "
                                       "free some space or make a smaller set", str(self.folder)) from error


def content_id(image: np.ndarray) -> str:
    """Hash of a picture's shape and pixels (BLAKE2b, 128 bits, hexadecimal): equal pictures have equal ids."""
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def conform(rows: pd.DataFrame | Sequence[dict], first_row: int = 0) -> pd.DataFrame:
    """`rows` with exactly the columns of `SCHEMA`, their types, and nulls where nothing is known.

    Raises:
        ValueError: an unknown column, or a value of the wrong kind, length or range; rows count from `first_row`.
    """
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame.from_records(list(rows))
    for name in frame.columns:
        if name not in SCHEMA.names:
            near = difflib.get_close_matches(str(name), SCHEMA.names, 1)
            raise ValueError(f"unknown face set column {name!r}" + (f": did you mean {near[0]!r}?" if near else ""))
    frame = frame.reset_index(drop=True).reindex(columns=SCHEMA.names)
    columns = {field.name: _typed(frame[field.name], field, first_row) for field in SCHEMA}
    return pd.DataFrame(columns, index=frame.index)


def _typed(column: pd.Series, field: pa.Field, first_row: int) -> pd.Series:
    """`column` as the type of `field`, its values checked."""
    if pa.types.is_list(field.type):
        length = LIST_LENGTHS[field.name]
        values = [None if value is None or np.ndim(value) == 0 else np.asarray(value, np.float32) for value in column]
        wrong = np.array([value is not None and not _fits(field.name, value) for value in values], bool)
        expected = f"{length} numbers" + " of 0 or more that sum to 1" * (field.name == "votes")
        typed = pd.Series(values, column.index, object)
    elif pa.types.is_string(field.type):
        return column.astype("str")
    else:
        low, high = RANGES[field.name]
        kind = "Int8" if pa.types.is_integer(field.type) else "Float32"
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        null = np.isnan(numbers)
        wrong = (null & column.notna().to_numpy()) | (numbers < low) | (numbers > high)
        if kind == "Int8":
            wrong |= ~null & (numbers % 1 != 0)
        expected = f"{'a whole number' if kind == 'Int8' else 'a number'} from {low} to {high}"
        typed = pd.Series(np.where(wrong, np.nan, numbers), column.index).astype(kind)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"face {first_row + row}: {field.name} is {column.iloc[row]}, expected {expected} or nothing")
    return typed


def _fits(name: str, value: np.ndarray) -> bool:
    """Whether a list is as long as its column asks, and votes are shares of one whole."""
    if value.shape != (LIST_LENGTHS[name],):
        return False
    return name != "votes" or bool((value >= 0).all() and abs(value.sum() - 1) < 1e-3)


def _as_key(rows: object, count: int) -> np.ndarray | slice:
    """`rows` as something NumPy indexes with; a mask must have `count` entries, its nulls do not choose."""
    if isinstance(rows, slice):
        return rows
    if isinstance(rows, pd.Series) and pd.api.types.is_bool_dtype(rows.dtype):
        rows = rows.fillna(False).to_numpy(bool)
    key = np.asarray(rows)
    if key.dtype == bool and key.shape != (count,):
        raise ValueError(f"a mask of {count} entries is needed for {count} faces, got {key.shape}")
    return key if key.size else np.empty(0, int)


def _flush_to_disk(path: Path) -> None:
    """Makes sure that the file or folder survives a power cut (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
