"""What may be given as a file, and how its bytes are got."""

import asyncio
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from .constants import OUTPUTS

# Those that Python 3.11's own table lacks.
_TYPES = {".webp": "image/webp", ".md": "text/markdown", ".csv": "text/csv"}


@dataclass(frozen=True, slots=True)
class File:
    """A file's bytes with a name of one's own. `media_type` None: told from the name."""

    data: bytes = field(repr=False)
    name: str = "file"
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that claude.ai has already."""

    uuid: str
    name: str


# A string is always the path of a local file, never the uuid of an uploaded one: a slip cannot turn into a wrong file.
# Text from a stranger must therefore never be given as a file: give `File` or bytes.
FileInput = str | PathLike[str] | bytes | bytearray | File | UploadedFile | BinaryIO


async def loaded(files: Sequence[FileInput]) -> list[File | UploadedFile]:
    """Read every file before anything is sent. Raises OSError if one cannot be read, TypeError for what is no file."""
    return [await _load(file, number) for number, file in enumerate(files, 1)]


def media_type_of(file: File) -> str:
    """The file's media type, `application/octet-stream` if nothing tells it."""
    known = file.media_type or _TYPES.get(Path(file.name).suffix.lower())
    return known or mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def server_path(name: str) -> str:
    """Where a file is in Claude's sandbox: an absolute path as it is, a name in the folder for results."""
    return name if name.startswith("/") else f"{OUTPUTS}/{name}"


def local_name(path: str) -> str:
    """The last part of a sandbox's path. Raises ValueError if it is no name for a file here."""
    name = PurePosixPath(path.replace("\\", "/")).name
    if name in ("", ".", "..") or not name.isprintable() or ":" in name:
        raise ValueError(f"{path[:200]!r} names no file")
    return name


async def _load(file: FileInput, number: int) -> File | UploadedFile:
    match file:
        case File() | UploadedFile():
            return file
        case bytes() | bytearray():
            return File(bytes(file), f"file-{number}")
        case str() | PathLike():
            path = Path(file)
            return File(await asyncio.to_thread(path.read_bytes), path.name)
        case _:
            return await _from_handle(file, number)


async def _from_handle(handle: BinaryIO, number: int) -> File:
    read: object = getattr(handle, "read", None)
    if not callable(read):
        raise TypeError(f"a file is a path, bytes, a binary handle, File or UploadedFile, not {type(handle).__name__}")
    data: object = await asyncio.to_thread(read)
    if not isinstance(data, bytes):
        raise TypeError("a file's handle must be opened in binary mode")
    name: object = getattr(handle, "name", None)
    return File(data, Path(name).name if isinstance(name, str) and name else f"file-{number}")
