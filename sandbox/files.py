"""The bytes of files that a simulator keeps, and the media types that go by their names."""

import base64
import binascii
from pathlib import Path

from sandbox.values import Json

OTHER = "application/octet-stream"
"""The media type of whatever has no other."""
MEDIA_TYPES = {
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".html": "text/html",
    ".py": "text/x-python",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".mp4": "video/mp4",
}
"""By the end of a file's name."""


def media_type(name: str) -> str:
    """The media type that goes by a file's name."""
    return MEDIA_TYPES.get(Path(name).suffix.lower(), OTHER)


def content_of(given: Json, name: str) -> tuple[int, bytes | None]:
    """Size and bytes of a file that a person gives by `content_base64`, or by its `size` alone. Raises `ValueError`."""
    if "content_base64" not in given:
        return int(given.get("size", 0)), None
    try:
        data = base64.b64decode(given["content_base64"], validate=True)
    except binascii.Error as error:
        raise ValueError(f"content_base64 of {name}: {error}") from error
    return len(data), data


def beside(state: Path | None) -> Path | None:
    """The folder beside a journal, `state` + `.files`; None without a journal."""
    return state and Path(f"{state}.files")


class KeptFiles:
    """Keeps the bytes of files by their ids: in a folder, so that they outlive a restart, or without one in memory."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._kept: dict[int | str, bytes] = {}

    def keep(self, file: int | str, data: bytes) -> None:
        """Keep the bytes of a file."""
        if self.folder is None:
            self._kept[file] = data
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / str(file)).write_bytes(data)

    def read(self, file: int | str) -> bytes | None:
        """The bytes of a file; None when only its size is known."""
        if self.folder is None:
            return self._kept.get(file)
        path = self.folder / str(file)
        return path.read_bytes() if path.exists() else None
