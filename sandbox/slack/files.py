"""The bytes of files, and what their addresses begin with."""

from pathlib import Path

from sandbox.files import KeptFiles, beside


class Files(KeptFiles):
    """Keeps the bytes: in memory, or in the folder `state` + `.files`."""

    def __init__(self, state: Path | None) -> None:
        super().__init__(beside(state))
        self.base = ""
        """What addresses begin with; the simulator sets it when its port is known."""
