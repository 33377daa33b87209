"""The files of a folder or archive by name, read in place: nothing is unpacked to the disk.

An archive (.zip, .tar.gz, .tgz, .gz) inside a folder counts as a folder of its own name, as in
`Img/img_align_celeba.zip/img_align_celeba/000001.jpg`, unless it has been unpacked beside itself.
"""

import contextlib
import csv
import gzip
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from data.picture_file import decode_picture
from data.sources.source_error import SourceError

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".pgm", ".ppm", ".tif", ".tiff")
ARCHIVES = (".zip", ".tar.gz", ".tgz", ".gz")
LITTER = {"thumbs.db", "desktop.ini", "__macosx"}  # what file managers leave behind
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError)
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)

Openers = Iterator[tuple[str, Callable[[], BinaryIO]]]


class Files:
    """What `open_files` found.

    Attributes:
        path: the folder, archive or single file.
        names: of all files in it, "/" between folders, in the order in which they are fast to read.
    """

    def __init__(self, path: Path, openers: Openers):
        self.path = path
        self._openers: dict[str, Callable[[], BinaryIO]] = {}
        for name, opener in openers:
            if name in self._openers:
                raise SourceError(f"{self.place(name)}: twice in the archive; download it again")
            self._openers[name] = opener
        self.names = list(self._openers)

    def place(self, name: str) -> str:
        """The file as errors name it."""
        alone = self.path.is_file() and not is_archive(self.path.name)
        return str(self.path) if alone else f"{self.path}/{name}"

    def open(self, name: str) -> BinaryIO:
        """The file as a stream of bytes; `DAMAGE` may be raised while it is read."""
        return self._openers[name]()

    def read(self, name: str) -> bytes:
        """All bytes of the file. Raises SourceError if it is damaged."""
        with _whole(self.place(name)), self.open(name) as stream:
            return stream.read()

    def lines(self, name: str) -> list[str]:
        """The lines of a text file. Raises SourceError if it is damaged, empty or no text."""
        try:
            lines = self.read(name).decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise SourceError(f"{self.place(name)}: not a text file ({error.reason}); download it again") from error
        if not lines:
            raise SourceError(f"{self.place(name)}: the file is empty; download it again")
        return lines

    def fields(self, name: str, count: int, header: int = 0) -> Iterator[tuple[int, list[str]]]:
        """Yields (line number, words) of a list of `count` words a line, of which the first is there only once.

        The first `header` lines are passed over, and so are empty ones.
        """
        first = {}
        for line, text in enumerate(self.lines(name)[header:], header + 1):
            words = text.split()
            if not words:
                continue
            if len(words) != count:
                raise SourceError(f"{self.place(name)}, line {line}: {len(words)} values, expected {count}")
            if words[0] in first:
                raise SourceError(f"{self.place(name)}, line {line}: {words[0]} is in line {first[words[0]]} already")
            first[words[0]] = line
            yield line, words

    def table(self, name: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
        """Yields (line number, row) of a csv with a header; a row has the named `columns`, wherever they stand."""
        rows = csv.reader(self.lines(name), strict=True)
        header = [word.strip() for word in next(rows)]
        if absent := [column for column in columns if column not in header]:
            raise SourceError(f"{self.place(name)}, line 1: column {', '.join(absent)} missing, "
                              f"found {', '.join(header)[:80]}")
        try:
            for row in filter(None, rows):
                if len(row) != len(header):
                    raise SourceError(f"{self.place(name)}, line {rows.line_num}: {len(row)} fields, "
                                      f"expected {len(header)} as in the header")
                yield rows.line_num, {column: row[header.index(column)].strip() for column in columns}
        except csv.Error as error:
            raise SourceError(f"{self.place(name)}, line {rows.line_num}: {error}; download it again") from error

    def picture(self, name: str, decode: Callable[[bytes, str], np.ndarray] = decode_picture) -> np.ndarray:
        """The picture in a file, (H, W, 3) uint8 RGB. Raises SourceError unless it is a whole picture."""
        try:
            return decode(self.read(name), self.place(name))
        except SourceError:
            raise
        except ValueError as error:
            raise SourceError(str(error)) from error

    def find(self, base: str) -> str | None:
        """The name of the file called `base`, in whatever folder; None if there is none, SourceError if several."""
        found = [name for name in self.names if name.rpartition("/")[2] == base]
        if len(found) > 1:
            raise SourceError(f"{self.path}: {base} is there more than once, as {' and '.join(found[:3])}; keep one")
        return found[0] if found else None

    def require(self, base: str, where: str) -> str:
        """As `find`; where the file is missing, the error says `where` to get it."""
        name = self.find(base)
        if name is None:
            raise SourceError(f"{self.path}: {base} is missing. {where}")
        return name

    def pictures(self, where: str) -> list[str]:
        """The names of all pictures, by their endings. Raises SourceError, saying `where` to get them, if none."""
        found = [name for name in self.names if name.lower().endswith(PICTURES)]
        if not found:
            raise SourceError(f"{self.path}: no pictures found. {where}")
        return found

    def match(self, pattern: str, form: str, where: str) -> dict[str, re.Match]:
        """All pictures, each with the match of `pattern` to the end of its name.

        Raises:
            SourceError: there is none, one is not named in the `form` that the publisher gives, or two are the same.
        """
        compiled = re.compile(rf"(?:.*/)?{pattern}")
        matches, first = {}, {}
        for name in self.pictures(where):
            match = compiled.fullmatch(name)
            if match is None:
                raise SourceError(f"{self.place(name)}: not named {form}; rename the picture or take it away")
            if match.groups() in first:
                raise SourceError(f"{self.place(name)}: the same as {first[match.groups()]}; keep one of the two")
            matches[name], first[match.groups()] = match, name
        return matches


@contextlib.contextmanager
def open_files(path: Path, archives_inside: bool = True) -> Iterator[Files]:
    """Opens a folder, an archive, or a single file as a folder of one.

    Args:
        path: what to open.
        archives_inside: whether archives in a folder are opened too, or not listed.

    Raises:
        SourceError: an archive is damaged, locked, or has a member that climbs out of it or is no file.
    """
    with contextlib.ExitStack() as opened:
        if path.is_dir():
            members = _in_folder(path, opened, archives_inside)
        elif is_archive(path.name):
            members = _in_archive(path, opened)
        else:
            members = iter([(path.name, partial(path.open, "rb"))])
        yield Files(path, members)


def is_archive(name: str) -> bool:
    """Whether the name ends as that of an archive."""
    return name.lower().endswith(ARCHIVES)


def _in_folder(folder: Path, opened: contextlib.ExitStack, archives_inside: bool) -> Openers:
    for here, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(filter(_meant, folders))
        for file in sorted(filter(_meant, files)):
            path = Path(here, file)
            name = path.relative_to(folder).as_posix()
            if not is_archive(file):
                yield name, partial(path.open, "rb")
            elif archives_inside and not {file.removesuffix(end) for end in ARCHIVES} & set(folders):
                for member, opener in _in_archive(path, opened):
                    yield f"{name}/{member}", opener


def _in_archive(path: Path, opened: contextlib.ExitStack) -> Openers:
    with _whole(str(path)):
        lower = path.name.lower()
        if lower.endswith(".zip"):
            members = _in_zip(path, opened)
        elif lower.endswith((".tar.gz", ".tgz")):
            members = _in_tar(path, opened)
        else:
            members = iter([(path.stem, partial(gzip.open, path))])
        for name, opener in members:
            parts = PurePosixPath(name.replace("\\", "/")).parts  # without "." and doubled slashes
            if not parts or ".." in parts or parts[0] == "/" or parts[0].endswith(":"):
                raise SourceError(f"{path}: the member {name!r} climbs out of the archive, so none of it is read; "
                                  "get the archive from its publisher")
            if all(map(_meant, parts)):
                yield "/".join(parts), opener


def _in_zip(path: Path, opened: contextlib.ExitStack) -> Openers:
    archive = opened.enter_context(zipfile.ZipFile(path))
    for entry in archive.infolist():
        if entry.flag_bits & 1 or entry.compress_type not in PACKED:
            how = "locked with a password" if entry.flag_bits & 1 else "packed in a way Python does not read"
            raise SourceError(f"{path}: {entry.filename} is {how}; unpack the archive and give the folder")
        if not entry.is_dir():
            yield entry.filename, partial(archive.open, entry)


def _in_tar(path: Path, opened: contextlib.ExitStack) -> Openers:
    archive = opened.enter_context(tarfile.open(path))
    for entry in archive:
        if entry.isfile():
            yield entry.name, partial(archive.extractfile, entry)
        elif not entry.isdir():
            raise SourceError(f"{path}: {entry.name} is a link or a device, not a file; unpack the archive and give "
                              "the folder")
    while archive.fileobj.read(1 << 20):  # a damaged header passes for the end, but not before the checksum at the end
        pass


def _meant(name: str) -> bool:
    """Whether people put a file or folder of that name there, rather than their file manager."""
    return not name.startswith(".") and name.lower() not in LITTER


@contextlib.contextmanager
def _whole(place: str) -> Iterator[None]:
    """Says of what is damaged where it is and what to do."""
    try:
        yield
    except DAMAGE as error:
        raise SourceError(f"{place}: damaged or cut short ({error}); download it again") from error
