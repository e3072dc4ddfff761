"""Files as they lie on a disk: what they are, and their bytes, whatever they are packed in.

Nothing is read but regular files (and folders that are Zarr stores): a pipe would wait for ever, a
device might never end. What is packed is undone up to a limit, since a small file can hold
petabytes of nothing.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from followdata.errors import InvalidInput

MOST_UNPACKED = 512 * 2**20
"""Bytes that the members of a zip file, such as an Excel workbook, may come to."""
_MAGIC = {
    b"PK\x03\x04": "zip",
    b"\xd0\xcf\x11\xe0": "excel",
    b"PAR1": "parquet",
    b"\x89HDF": "h5ad",
    b"\x93NUMPY": "npy",
    b"%PDF": "pdf",
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"#1.2": "gct",
    b"#1.3": "gct",
}
_PACKED: dict[str, Callable[[Any], Any]] = {
    "gzip": lambda file: gzip.GzipFile(fileobj=file),
    "xz": lzma.LZMAFile,
    "bzip2": bz2.BZ2File,
}
_DAMAGES = (OSError, EOFError, zlib.error, lzma.LZMAError)
_CELL = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
MOST_CELLS_IN_SHEET = 20_000_000


def kind_of(path: Path) -> str:
    """What a file holds: "text", "gct", "excel", "parquet", "h5ad", "zarr", "npz", "10x" or what it
    is that cannot be read; by its content and not by its name.

    Raises `InvalidInput` for what is no file, or may not be read.
    """
    if is_folder(path):
        if any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zarray")):
            return "zarr"
        raise InvalidInput(str(path), "it is a folder.", "Name a file in it.")
    head = beginning(path, 8)
    kind = _kind(head)
    if kind == "zip":
        return _zipped(path)
    return kind


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; raises `InvalidInput` where it is nothing that can be read."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _not_read(path, error) from None
    except ValueError as error:  # a NUL in its name
        raise InvalidInput(repr(str(path)), f"no file can be called so ({error}).") from None
    return stat.S_ISDIR(mode)


def _kind(head: bytes) -> str:
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "text")


def _zipped(path: Path) -> str:
    """What kind of zip file it is."""
    try:
        with zipfile.ZipFile(path) as file:
            names = set(file.namelist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise InvalidInput(
            str(path), "it begins as a zip file, as Excel workbooks are, and is damaged "
            f"({error}).", "Get it again.",
        ) from None  # fmt: skip
    if "xl/workbook.xml" in names:
        return "excel"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    return "zip"


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A regular file, its compression undone, at its beginning."""
    try:
        # A pipe without a writer would otherwise be waited for.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise _not_read(path, error) from None
    except ValueError as error:
        raise InvalidInput(repr(str(path)), f"no file can be called so ({error}).") from None
    with os.fdopen(number, "rb") as file:
        mode = os.fstat(number).st_mode
        if stat.S_ISDIR(mode):
            raise InvalidInput(str(path), "it is a folder.", "Name a file in it.")
        if not stat.S_ISREG(mode):
            raise InvalidInput(
                str(path), "it is a pipe or a device, not a file.", "Save it as a file first."
            )
        kind = _kind(file.peek(8)[:8])
        with damage_told(path):
            yield cast("IO[bytes]", _PACKED[kind](file)) if kind in _PACKED else file


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """A failure to undo a file's compression, as an error of ours."""
    try:
        yield
    except _DAMAGES as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise InvalidInput(str(path), f"{error.strerror}.") from error
        raise InvalidInput(
            str(path), f"its compression is damaged ({error}).", "Get it again."
        ) from error


def beginning(path: Path, most: int) -> bytes:
    """The first bytes of a file, its compression undone."""
    with opened(path) as file:
        return file.read(most)


def content(path: Path, most: int) -> bytes | None:
    """All bytes of a file, its compression undone; `None` where there are more than `most`.

    Raises `InvalidInput` for a file that was being written meanwhile.
    """
    before = _stamp(path)
    with opened(path) as file:
        found = file.read(most + 1)
    if _stamp(path) != before:
        raise InvalidInput(
            str(path), "it was being written to while it was read.", "Try again when it is whole."
        )
    return found if len(found) <= most else None


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise _not_read(path, error) from None
    except ValueError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def check_zip(path: Path) -> None:
    """Raise for a zip file whose members are damaged, or come to more than `MOST_UNPACKED`.

    What the file itself says of their sizes is not believed: all of it is undone. A sheet that
    claims more cells than can be held is refused too.
    """
    left = MOST_UNPACKED
    try:
        with zipfile.ZipFile(path) as file:
            for member in file.infolist():
                member.file_size = MOST_UNPACKED + 1  # how far Python goes on
                cells = _Extent()
                with file.open(member) as unpacked:
                    while block := unpacked.read(2**20):
                        left -= len(block)
                        if left < 0:
                            raise InvalidInput(
                                str(path),
                                f"unpacked it would come to more than {MOST_UNPACKED >> 20} MB.",
                                "Save the sheet that you mean as CSV.",
                            )
                        if member.filename.startswith("xl/worksheets/"):
                            cells.look(block)
                if cells.count > MOST_CELLS_IN_SHEET:
                    raise InvalidInput(
                        str(path), f"a sheet reaches to {cells.last}, {cells.count:,} cells.",
                        "Delete what lies outside the table, or save it as CSV.",
                    )  # fmt: skip
    except (*_DAMAGES, RuntimeError, NotImplementedError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidInput(str(path), f"it is damaged ({error}).", "Get it again.") from None


class _Extent:
    """How far out the cells of a sheet lie: what is between has to be held, were it empty."""

    def __init__(self) -> None:
        self._rows = self._columns = 0
        self._rest = b""

    def look(self, block: bytes) -> None:
        text = self._rest + block
        for letters, row in _CELL.findall(text):
            self._rows = max(self._rows, int(row))
            self._columns = max(self._columns, column_number(letters.decode()))
        self._rest = text[-32:]

    @property
    def count(self) -> int:
        return self._rows * self._columns

    @property
    def last(self) -> str:
        return f"{column_letters(self._columns)}{self._rows}"


def column_letters(number: int) -> str:
    """How a spreadsheet calls its columns.

    >>> [column_letters(number) for number in (1, 26, 27, 16384)]
    ['A', 'Z', 'AA', 'XFD']
    """
    letters = ""
    while number > 0:
        number, place = divmod(number - 1, 26)
        letters = chr(ord("A") + place) + letters
    return letters


def column_number(letters: str) -> int:
    """The other way round."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def title_of(path: Path) -> str:
    """A file's name without what says how it is written."""
    name = path.name
    for _ in range(2):
        name = re.sub(
            r"(?<=.)\.(gz|xz|bz2|csv|tsv|tab|txt|xlsx?|parquet|h5ad|zarr|gct|pcl|npz)$", "", name,
            flags=re.IGNORECASE,
        )  # fmt: skip
    return name


def _not_read(path: Path, error: OSError) -> InvalidInput:
    if isinstance(error, FileNotFoundError):
        return InvalidInput(str(path), "there is no such file.")
    return InvalidInput(str(path), f"{error.strerror}.")
