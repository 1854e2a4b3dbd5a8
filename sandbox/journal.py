"""The file from which a restarted simulator gets its world back: one JSON object per change, only ever appended."""

import json
from collections.abc import Iterator
from pathlib import Path

from sandbox.values import Json


class Journal:
    """Appends changes to a file; without a path it keeps nothing. A change is flushed before anybody learns of it."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file = None

    def read(self) -> Iterator[Json]:
        """The changes written before, oldest first. A last line cut off by a kill is left out and overwritten."""
        if self._path is None or not self._path.exists():
            return
        whole = 0
        with self._path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                yield json.loads(line)
        with self._path.open("r+b") as file:
            file.truncate(whole)

    def append(self, change: Json) -> None:
        """Write one change."""
        if self._path is None:
            return
        if self._file is None:
            self._file = self._path.open("a", encoding="utf-8")
        self._file.write(json.dumps(change, ensure_ascii=True, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
