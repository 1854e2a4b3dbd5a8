"""The Files API: what was uploaded, and what code made (anthropic 2.10.0, resources/files.py)."""

import mimetypes
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class File:
    """One file. Only what tools made is `downloadable`."""

    id: str
    name: str
    media_type: str
    data: bytes
    downloadable: bool
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    expires: datetime | None = None

    def shown(self) -> dict[str, Any]:
        """Describe the file as the API does."""
        return {
            "type": "file",
            "id": self.id,
            "filename": self.name,
            "mime_type": self.media_type,
            "size_bytes": len(self.data),
            "created_at": self.created.isoformat(),
            "downloadable": self.downloadable,
            "expires_at": self.expires.isoformat() if self.expires else None,
        }


class FileStore:
    """The files of one simulator, newest first."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self._number = 0

    def add(self, name: str, data: bytes, media_type: str | None = None, *, made: bool, seconds: int | None = None) -> File:
        """Keep a file; `made` says that a tool made it. It expires after `seconds`, if given."""
        self._number += 1
        kind = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        expires = datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None
        file = File(f"file_{self._number:012d}", name, kind, data, made, expires=expires)
        self._files[file.id] = file
        return file

    def has(self, name: str) -> bool:
        """Tell whether there is a file of this id."""
        return name in self._files

    def get(self, name: str) -> File | None:
        """Return a file by its id."""
        return self._files.get(name)

    def remove(self, name: str) -> bool:
        """Delete a file; tells whether there was one."""
        return self._files.pop(name, None) is not None

    def all(self) -> list[File]:
        """Return every file, newest first."""
        return list(reversed(self._files.values()))
