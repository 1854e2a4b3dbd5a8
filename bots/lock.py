"""One process per directory."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import Misconfigured


@contextmanager
def only_one(directory: Path, name: str = "lock") -> Generator[None]:
    """Holds a directory for this process, by a lock on the file `name` in it. The directory is made if it is not there.

    Raises `Misconfigured` if another process holds it, or it cannot be made or written in.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = os.open(directory / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Misconfigured(f"The state directory {directory} cannot be used: {error.strerror}. Set STATE_DIR.") from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise Misconfigured(f"Another Threadline already runs on the state directory {directory}; stop it first.") from None
    try:
        yield
    finally:
        os.close(held)


def is_held(directory: Path, name: str = "lock") -> bool:
    """Whether a process holds the directory by the file `name`. Changes nothing."""
    try:
        tried = os.open(directory / name, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(tried, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(tried)
    return False
