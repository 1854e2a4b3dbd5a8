"""The bytes of files: in memory, or in a folder so that they outlive a restart and have a path of this machine."""

import tempfile
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
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".mp4": "video/mp4",
}


class Files:
    """Keeps the bytes: in memory, in the folder `state` + `.files`, or for a local server without a state in a passing folder."""

    def __init__(self, state: Path | None, *, local: str | None) -> None:
        """`local` is the bot's token where this is a local server: it keeps the files in a folder of that name
        (tdlib/telegram-bot-api, ClientManager.cpp)."""
        self._passing = tempfile.TemporaryDirectory(prefix="telegram-") if local and state is None else None
        self._folder = Path(self._passing.name) if self._passing is not None else state and Path(f"{state}.files")
        if self._folder is not None and local:
            self._folder /= local
        self._kept: dict[str, bytes] = {}

    def close(self) -> None:
        """Delete the passing folder."""
        if self._passing is not None:
            self._passing.cleanup()

    def keep(self, file: str, data: bytes) -> None:
        """Keep the bytes of a file."""
        if self._folder is None:
            self._kept[file] = data
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / file).write_bytes(data)

    def read(self, file: str) -> bytes | None:
        """The bytes of a file; None when only its size is known."""
        path = self._folder and self._folder / file
        if path is not None:
            return path.read_bytes() if path.exists() else None
        return self._kept.get(file)

    def path(self, file: str, size: int) -> str:
        """Where a file lies on this machine. One of which only the size is known is made, as a sparse file."""
        if self._folder is None:
            raise ValueError("there is no folder")
        path = self._folder / file
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as made:
                made.truncate(size)
        return str(path.absolute())


def media_type(name: str) -> str:
    """The media type that goes by a file's name."""
    return _TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
