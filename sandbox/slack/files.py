"""The bytes of files: in memory, or beside the journal so that they outlive a restart."""

from pathlib import Path

_TYPES = {
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


class Files:
    """Keeps the bytes: in memory, or in the folder `state` + `.files`."""

    def __init__(self, state: Path | None) -> None:
        self.base = ""
        """What addresses begin with; the simulator sets it when its port is known."""
        self._folder = state and Path(f"{state}.files")
        self._kept: dict[str, bytes] = {}

    def keep(self, file: str, data: bytes) -> None:
        """Keep the bytes of a file."""
        if self._folder is None:
            self._kept[file] = data
        else:
            self._folder.mkdir(exist_ok=True)
            (self._folder / file).write_bytes(data)

    def read(self, file: str) -> bytes | None:
        """The bytes of a file; None when only its size is known."""
        path = self._folder and self._folder / file
        if path is not None:
            return path.read_bytes() if path.exists() else None
        return self._kept.get(file)


def media_type(name: str) -> str:
    """The media type that goes by a file's name."""
    return _TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
