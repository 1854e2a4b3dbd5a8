"""The bytes of files: in memory, or in a folder so that they outlive a restart and have a path of this machine."""

import tempfile
from pathlib import Path

from sandbox import files
from sandbox.files import KeptFiles, beside


class Files(KeptFiles):
    """Keeps the bytes: in memory, in the folder `state` + `.files`, or for a local server without a state in a passing folder."""

    def __init__(self, state: Path | None, *, local: str | None) -> None:
        """`local` is the bot's token where this is a local server: it keeps the files in a folder of that name
        (tdlib/telegram-bot-api, ClientManager.cpp)."""
        self._passing = tempfile.TemporaryDirectory(prefix="telegram-") if local and state is None else None
        folder = Path(self._passing.name) if self._passing is not None else beside(state)
        super().__init__(folder / local if folder is not None and local else folder)

    def close(self) -> None:
        """Delete the passing folder."""
        if self._passing is not None:
            self._passing.cleanup()

    def path(self, file: str, size: int) -> str:
        """Where a file lies on this machine. One of which only the size is known is made, as a sparse file."""
        if self.folder is None:
            raise ValueError("there is no folder")
        path = self.folder / file
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as made:
                made.truncate(size)
        return str(path.absolute())


def media_type(name: str) -> str:
    """The media type that goes by a file's name."""
    found = files.media_type(name)
    return files.OTHER if found == "image/svg+xml" else found
