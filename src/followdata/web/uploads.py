"""Files that a form sends: written straight to the data directory, within limits.

The body is parsed as it comes (RFC 7578), so that memory never holds more than a piece of it and
nothing is put anywhere but in the folder that is named here. What a browser says a file is called
is used for its last part alone, made fit to be a file's name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from starlette.requests import ClientDisconnect, Request

from followdata.errors import InvalidInput, InvalidParameter
from followdata.store import disk_error, safe_name

LARGEST = 2**30
"""Bytes of all files of one form together."""
MOST_FILES = 60
_MOST_FIELDS = 30
_LONGEST_FIELD = 4096


@dataclass
class Form:
    """What a form has sent: its fields by name, and its files in their order."""

    fields: dict[str, str] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)


async def received(request: Request, folder: Path) -> Form:
    """The form in a request's body, its files in `folder`.

    Raises `InvalidInput` for a body that is no such form, or is larger than `LARGEST`.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > LARGEST:
        raise _too_large()
    receiver = _Receiver(folder, request.headers.get("content-type", ""))
    try:
        async for piece in request.stream():
            receiver.take(piece)
        return receiver.form()
    except OSError as error:
        raise disk_error(error, folder) from error
    except ClientDisconnect:
        raise InvalidInput("the form", "it broke off.", "Send it again.") from None
    finally:
        receiver.close()


class _Receiver:
    """Takes a form's body piece by piece."""

    def __init__(self, folder: Path, content_type: str) -> None:
        from python_multipart.multipart import MultipartParser, parse_options_header

        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise InvalidInput("the form", "it holds no file.", "Choose a file.")
        self._folder = folder
        self._form = Form()
        self._taken = 0
        self._name = self._header = b""
        self._headers: dict[bytes, bytes] = {}
        self._file: IO[bytes] | None = None
        self._value: bytearray | None = None
        self._ended = False
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_header_field": self._on_header_name,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers,
            "on_part_data": self._on_data,
            "on_part_end": self._end,
            "on_end": self._on_end,
        }
        self._parser = MultipartParser(options[b"boundary"], callbacks)

    def take(self, piece: bytes) -> None:
        """Parse a further piece."""
        from python_multipart.exceptions import FormParserError

        self._taken += len(piece)
        if self._taken > LARGEST:
            raise _too_large()
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise InvalidInput("the form", f"it is damaged ({error}).", "Send it again.") from None

    def form(self) -> Form:
        """What has come, once all has."""
        if not self._ended:
            raise InvalidInput("the form", "it broke off.", "Send it again.")
        if not self._form.paths:
            raise InvalidInput("the form", "it holds no file.", "Choose a file.")
        return self._form

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _begin(self) -> None:
        self._headers, self._header, self._name = {}, b"", b""
        self._file, self._value = None, None

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._name.lower()] = self._header
        self._name = self._header = b""

    def _on_headers(self) -> None:
        from python_multipart.multipart import parse_options_header

        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode(errors="replace")
        if b"filename" not in options:
            if len(self._form.fields) >= _MOST_FIELDS:
                raise InvalidParameter("form", f"more than {_MOST_FIELDS} fields.")
            self._name, self._value = name.encode(), bytearray()
        elif called := options[b"filename"].decode(errors="replace"):
            self._open(called)

    def _open(self, called: str) -> None:
        if len(self._form.paths) >= MOST_FILES:
            raise InvalidParameter("file", f"more than {MOST_FILES} files.")
        path = self._folder / file_name(called)
        if path in self._form.paths:
            raise InvalidParameter("file", f"two files are called {path.name}.")
        self._file = path.open("xb")
        self._form.paths.append(path)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
        elif self._value is not None:
            self._value += data[start:end]
            if len(self._value) > _LONGEST_FIELD:
                raise InvalidParameter("form", f"a field of more than {_LONGEST_FIELD} bytes.")

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        elif self._value is not None:
            text = bytes(self._value).decode(errors="replace").strip()
            self._form.fields[self._name.decode()] = text
            self._name = b""

    def _on_end(self) -> None:
        self._ended = True


def file_name(called: str) -> str:
    """The last part of what a browser says a file is called, as one file's name.

    >>> [file_name(said) for said in ("../../etc/passwd", "C:\\\\data\\\\x y.csv", "..", "")]
    ['passwd', 'x-y.csv', 'table', 'table']
    """
    last = PurePosixPath(called.replace("\\", "/").replace("\0", "")).name
    return safe_name(last).lstrip(".-") or "table"


def _too_large() -> InvalidInput:
    return InvalidInput(
        "the form", f"its files come to more than {LARGEST >> 20} MB.",
        "Open them from the command line: followdata open FILE",
    )  # fmt: skip
