"""Files that people sent, kept under the hash of their content: platform addresses expire, and a retry needs the bytes again.

A file is named after its content alone, so nothing a person wrote ever becomes a path. It is complete once it can be seen: it is
written beside its place, forced onto the disk and then renamed. Files and folders belong to this user alone.
"""

import asyncio
import hashlib
import os
import re
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from shared.errors import Gone, TooLarge, Unavailable

T = TypeVar("T")

GRACE = timedelta(hours=1)
"""How long a file is safe from every sweep: whoever put it may not have noted it down yet."""

_PIECE = 256 * 1024
"""Bytes that are gathered before a thread is asked to write them."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_INCOMING = "incoming"


@dataclass(frozen=True, slots=True)
class Blob:
    """A kept file. `digest` is the BLAKE2b hash of its content (64 hexadecimal digits), `size` is in bytes."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: files removed and their bytes, files left and their bytes. Leftovers of a crash count as removed."""

    removed: int
    removed_bytes: int
    left: int
    left_bytes: int


class Blobs:
    """The files below one folder, which is made when it is first needed. One process at a time may use it."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        """`now` tells the time in seconds since 1970."""
        self._folder = folder
        self._now = now
        # Names of files that are being written: anything else that lies beside them was left by a crash.
        self._writing: set[str] = set()
        # A sweep must not remove what is being put again at this moment.
        self._changing = threading.Lock()

    async def put(self, stream: AsyncIterator[bytes], *, most: int) -> Blob:
        """Keep what comes; content that is there already is kept once and counts as new. An async generator is closed at the end.

        Raises `TooLarge` as soon as more than `most` bytes came, `Unavailable` if the disk is full or refuses, and whatever the
        stream raises. Nothing is left behind then, nor when this is cancelled.
        """
        incoming = _Incoming()
        try:
            async for piece in _pieces(stream, most):
                await _in_thread(lambda piece=piece: self._write(incoming, piece))
            return await _in_thread(lambda: self._commit(incoming))
        finally:
            await _in_thread(lambda: self._discard(incoming))
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    async def put_bytes(self, data: bytes) -> Blob:
        """As `put`, for what is in memory already."""

        async def once() -> AsyncGenerator[bytes]:
            yield data

        return await self.put(once(), most=len(data))

    def path(self, digest: str) -> Path:
        """Where the file with this hash is, if it is there. Raises `ValueError` for what is not a hash of ours."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError("not the hash of a kept file")
        return self._folder / digest[:2] / digest[2:4] / digest

    async def read(self, digest: str) -> bytes:
        """The whole content. Raises `Gone` if it is no longer kept, `Unavailable` if the disk fails."""
        path = self.path(digest)

        def work() -> bytes:
            with _explained(self._folder):
                try:
                    return path.read_bytes()
                except FileNotFoundError as error:
                    raise Gone(f"the file {digest} is no longer kept") from error

        return await _in_thread(work)

    async def sweep(self, *, keep: Collection[str], older: timedelta, most_bytes: int) -> Swept:
        """Remove what nobody needs: every file whose hash is not in `keep`, every file put longer ago than `older`, kept or not,
        then the oldest until no more than `most_bytes` are left; and what a crash left half-written.

        A file put within the last hour stays in any case, so that the total may be above `most_bytes` for that long.
        Raises `Unavailable` if the disk refuses.
        """
        wanted = frozenset(keep)
        return await _in_thread(lambda: self._sweep(wanted, older, most_bytes))

    def _open(self, incoming: "_Incoming") -> tuple[int, Path]:
        folder = self._folder / _INCOMING
        _make(self._folder, folder)
        # Under the lock, so that no sweep sees a file that it does not know yet.
        with self._changing:
            number, name = tempfile.mkstemp(dir=folder)
            incoming.place = number, Path(name)
            self._writing.add(incoming.place[1].name)
        return incoming.place

    def _write(self, incoming: "_Incoming", piece: bytes) -> None:
        with _explained(self._folder):
            number, _ = incoming.place or self._open(incoming)
            incoming.hash.update(piece)
            incoming.size += len(piece)
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(number, rest) :]

    def _commit(self, incoming: "_Incoming") -> Blob:
        digest = incoming.hash.hexdigest()
        path = self.path(digest)
        now = self._now()
        with _explained(self._folder):
            number, written = incoming.place or self._open(incoming)
            os.utime(number, (now, now))
            os.fsync(number)
            _make(self._folder, path.parent.parent, path.parent)
            with self._changing:
                written.replace(path)
            _sync_folder(path.parent)
        return Blob(digest, incoming.size)

    def _discard(self, incoming: "_Incoming") -> None:
        """Close the file, and remove it unless it was renamed."""
        if incoming.place is None:
            return
        number, path = incoming.place
        # A disk that fails here has failed before, and that is told; a sweep takes what stays.
        with suppress(OSError):
            os.close(number)
        with suppress(OSError):
            path.unlink(missing_ok=True)
        self._writing.discard(path.name)

    def _sweep(self, keep: frozenset[str], older: timedelta, most_bytes: int) -> Swept:
        now = self._now()
        with _explained(self._folder):
            gone = self._drop_strays()
            left: list[_Kept] = []
            for kept in sorted(self._kept(), key=lambda kept: kept.put_at):
                unwanted = kept.path.name not in keep or now - kept.put_at > older.total_seconds()
                (gone if unwanted and self._drop(kept, now) else left).append(kept)
            total = sum(kept.size for kept in left)
            stays: list[_Kept] = []
            for kept in left:
                if total > most_bytes and self._drop(kept, now):
                    gone.append(kept)
                    total -= kept.size
                else:
                    stays.append(kept)
        return Swept(len(gone), sum(kept.size for kept in gone), len(stays), total)

    def _kept(self) -> Iterator["_Kept"]:
        for path in self._folder.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            if _DIGEST.fullmatch(path.name):
                yield _Kept.of(path)

    def _drop(self, kept: "_Kept", now: float) -> bool:
        """Remove the file unless it is too young, or was put again since it was listed; whether it is gone."""
        with self._changing:
            try:
                if now - kept.path.stat().st_mtime < GRACE.total_seconds():
                    return False
                kept.path.unlink()
            except FileNotFoundError:
                return True
        return True

    def _drop_strays(self) -> list["_Kept"]:
        strays: list[_Kept] = []
        with self._changing:
            for path in self._folder.joinpath(_INCOMING).glob("*"):
                if path.name not in self._writing:
                    strays.append(_Kept.of(path))
                    path.unlink()
        return strays


class _Incoming:
    """A file that is being written."""

    def __init__(self) -> None:
        self.place: tuple[int, Path] | None = None
        self.hash = hashlib.blake2b(digest_size=32)
        self.size = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    path: Path
    put_at: float
    size: int

    @classmethod
    def of(cls, path: Path) -> "_Kept":
        stat = path.stat()
        return cls(path, stat.st_mtime, stat.st_size)


async def _pieces(stream: AsyncIterator[bytes], most: int) -> AsyncGenerator[bytes]:
    """What comes, in larger pieces: asking a thread for every packet would cost more than the writing."""
    came, gathered = 0, bytearray()
    async for chunk in stream:
        came += len(chunk)
        if came > most:
            raise TooLarge(f"a file has more than {most} bytes")
        gathered += chunk
        if len(gathered) >= _PIECE:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


async def _in_thread(work: Callable[[], T]) -> T:
    """Run it in a thread, and come back only when it has ended, cancelled or not: it must not touch a file that is closed."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        # Its own failure is of no interest any more; asked for here, it is not reported as overlooked.
        future.exception()
        raise cancelled
    return future.result()


def _make(root: Path, *folders: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in folders:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """A name is on the disk only once its folder is."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _explained(folder: Path) -> Generator[None]:
    """No exception of the operating system leaves."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"the files in {folder} cannot be used: {error.strerror or type(error).__name__}") from error
