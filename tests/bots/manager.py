"""The service manager's end of the notify protocol: a real datagram socket."""

import asyncio
import os
import socket
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

PATIENCE = 30.0
"""Seconds for anything at all to be heard, on a busy machine."""


class Manager:
    """Hears what a service tells. `address` is what NOTIFY_SOCKET would be."""

    def __init__(self, address: str, bound: socket.socket) -> None:
        self.address = address
        self.socket = bound

    async def hear(self, patience: float = PATIENCE) -> list[str]:
        """The lines of the next datagram. Raises `TimeoutError` if there is none in time."""
        received = asyncio.get_running_loop().sock_recv(self.socket, 4096)
        return (await asyncio.wait_for(received, patience)).decode().split("\n")

    def nothing_was_told(self) -> bool:
        """Whether no datagram waits."""
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        return False


@contextmanager
def managing(folder: Path, kind: Literal["path", "abstract"] = "path") -> Generator[Manager]:
    """A manager that listens on a path in this folder, or on an abstract name."""
    address = str(folder / "notify") if kind == "path" else f"@threadline-{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.setblocking(False)
        bound.bind(f"\0{address[1:]}" if kind == "abstract" else address)
        try:
            yield Manager(address, bound)
        finally:
            if kind == "path":
                os.unlink(address)
