"""A folder that is made whole or not at all, and never in place of something else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from followdata.errors import InvalidParameter
from followdata.publish.frictionless import MARK
from followdata.publish.package import DESCRIPTOR
from followdata.store import alive, disk_error


@contextmanager
def replaced_whole(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder`, which takes its name once it is filled.

    Raises `InvalidParameter` where something else than an unchanged earlier export has that name.
    """
    try:
        folder = folder.expanduser().absolute()
    except RuntimeError as error:  # "~nobody"
        raise InvalidParameter("folder", f"{folder}: {error}") from None
    _check_free(folder)
    mark = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
    aside, old = (folder.parent / f".{folder.name}.{word}-{mark}" for word in ("new", "old"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        aside.mkdir()
        yield aside
        _settle(aside)
        _check_free(folder)  # again: somebody may have been quicker
        if folder.exists():
            folder.rename(old)
        aside.rename(folder)
    except OSError as error:
        raise disk_error(error, folder) from error
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for path in (aside, old):
            shutil.rmtree(path, ignore_errors=True)


def _check_free(folder: Path) -> None:
    """Raise `InvalidParameter` unless nothing would be lost in `folder`."""
    advice = "Name a folder that is new, empty, or an earlier export."
    try:
        if not folder.exists() and not folder.is_symlink():
            return
        if not folder.is_dir() or folder.is_symlink():
            raise InvalidParameter("folder", f"{folder} is there and is not a folder.", advice)
        found = {path.name: path for path in folder.iterdir()}
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InvalidParameter("folder", f"{folder} cannot be used ({why}).", advice) from None
    if not found:
        return
    ours = _exported(folder)
    if ours is None:
        raise InvalidParameter("folder", f"{folder} holds something else than an export.", advice)
    for name, path in sorted(found.items()):
        if name == DESCRIPTOR:
            continue
        if name not in ours:
            raise InvalidParameter("folder", f"{path} was put there since the export.", advice)
        if path.is_symlink() or not path.is_file() or _sha256(path) != ours[name]:
            raise InvalidParameter("folder", f"{path} was changed since the export.", advice)


def _exported(folder: Path) -> dict[str, str] | None:
    """The digests of what an export put into `folder`; `None` if it is no export."""
    try:
        files = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))[MARK]["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _sweep(folder: Path) -> None:
    """Remove what exports that were killed have left beside `folder`."""
    for word in ("new", "old"):
        start = f".{folder.name}.{word}-"
        for path in folder.parent.iterdir():
            process = path.name.removeprefix(start).partition("-")[0]
            if path.name.startswith(start) and process.isdecimal() and not alive(int(process)):
                # Killed between the two renames: what was there before comes back.
                if word == "old" and not folder.exists():
                    path.rename(folder)
                else:
                    shutil.rmtree(path, ignore_errors=True)


def _settle(folder: Path) -> None:
    """Wait until every file in `folder` is on the disk."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
