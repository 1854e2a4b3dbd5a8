"""The blob store, on a real disk."""

import asyncio
import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Gone, TooLarge, Unavailable
from shared.files.blobs import GRACE, Blob, Blobs, Swept

DAY = timedelta(days=1)
PLENTY = 10**9


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now

    def go(self, span: timedelta) -> None:
        self.now += span.total_seconds()


async def chunks(*parts: bytes) -> AsyncGenerator[bytes]:
    for part in parts:
        yield part


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def test_a_file_is_kept_under_the_hash_of_its_content(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    blob = await blobs.put(chunks(b"one ", b"", b"two"), most=7)
    digest = hashlib.blake2b(b"one two", digest_size=32).hexdigest()
    assert blob == Blob(digest, 7)
    assert blobs.path(digest) == tmp_path / "blobs" / digest[:2] / digest[2:4] / digest
    assert await blobs.read(digest) == b"one two"
    assert files(tmp_path) == [blobs.path(digest)]


async def test_what_was_put_is_there_for_the_next_process(tmp_path: Path) -> None:
    blob = await Blobs(tmp_path).put_bytes(b"kept")
    assert await Blobs(tmp_path).read(blob.digest) == b"kept"


async def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    first, second = await asyncio.gather(blobs.put_bytes(b"same"), blobs.put(chunks(b"sa", b"me"), most=10))
    assert first == second
    assert len(files(tmp_path)) == 1


async def test_a_file_without_content_is_kept_too(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blob = await blobs.put(chunks(), most=0)
    assert blob.size == 0
    assert await blobs.read(blob.digest) == b""


async def test_a_file_that_is_too_large_is_refused_at_the_first_byte_too_many_and_nothing_is_left(tmp_path: Path) -> None:
    read = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield bytes(100_000)

    with pytest.raises(TooLarge):
        await Blobs(tmp_path).put(endless(), most=1_000_000)
    assert read == 11
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("parts", "fits"), [((b"abc",), True), ((b"a", b"bc"), True), ((b"abcd",), False), ((b"abc", b"d"), False)]
)
async def test_a_file_may_have_just_as_many_bytes_as_is_said(tmp_path: Path, parts: tuple[bytes, ...], fits: bool) -> None:
    put = Blobs(tmp_path).put(chunks(*parts), most=3)
    if fits:
        assert (await put).size == 3
    else:
        with pytest.raises(TooLarge):
            await put


async def test_a_stream_that_fails_leaves_nothing_and_its_failure_is_told(tmp_path: Path) -> None:
    closed = False

    async def failing() -> AsyncGenerator[bytes]:
        nonlocal closed
        try:
            yield bytes(600_000)
            raise Unavailable("the line is dead")
        finally:
            closed = True

    with pytest.raises(Unavailable, match="the line is dead"):
        await Blobs(tmp_path).put(failing(), most=PLENTY)
    assert closed
    assert files(tmp_path) == []


async def test_a_stream_is_closed_when_it_is_refused(tmp_path: Path) -> None:
    closed = asyncio.Event()

    async def large() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield bytes(10)
        finally:
            closed.set()

    with pytest.raises(TooLarge):
        await Blobs(tmp_path).put(large(), most=15)
    assert closed.is_set()


async def test_a_stream_that_cannot_be_closed_is_taken_too(tmp_path: Path) -> None:
    class Plain(AsyncIterator[bytes]):
        def __init__(self) -> None:
            self._left = [b"a", b"b"]

        async def __anext__(self) -> bytes:
            if not self._left:
                raise StopAsyncIteration
            return self._left.pop(0)

    assert (await Blobs(tmp_path).put(Plain(), most=2)).size == 2


async def test_who_is_cancelled_while_a_file_comes_leaves_nothing(tmp_path: Path) -> None:
    waiting = asyncio.Event()

    async def slow() -> AsyncGenerator[bytes]:
        yield bytes(600_000)
        waiting.set()
        await asyncio.Event().wait()

    put = asyncio.create_task(Blobs(tmp_path).put(slow(), most=PLENTY))
    await waiting.wait()
    assert len(files(tmp_path)) == 1
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put
    assert files(tmp_path) == []


@pytest.mark.parametrize("steps", range(12))
async def test_whenever_a_put_is_cancelled_the_file_is_there_whole_or_not_at_all(tmp_path: Path, steps: int) -> None:
    content = bytes(700_000)
    put = asyncio.create_task(Blobs(tmp_path).put(chunks(content[:300_000], content[300_000:]), most=PLENTY))
    for _ in range(steps):
        await asyncio.sleep(0)
    put.cancel()
    await asyncio.wait([put])
    assert [path.read_bytes() == content for path in files(tmp_path)] in ([], [True])
    assert [path for path in files(tmp_path) if path.parent.name == "incoming"] == []


async def test_files_and_folders_belong_to_this_user_alone(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    await blobs.put_bytes(b"private")
    for path in (tmp_path / "blobs").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert stat.S_IMODE((tmp_path / "blobs").stat().st_mode) == 0o700


@given(name=st.one_of(st.text(), st.sampled_from(["../../etc/passwd", "", "a" * 63, "A" * 64, "/" + "a" * 63, "a" * 64 + "\n"])))
def test_nothing_but_a_hash_becomes_a_path(name: str) -> None:
    with pytest.raises(ValueError, match="not the hash"):
        Blobs(Path("blobs")).path(name)


async def test_a_file_that_is_not_there_is_gone(tmp_path: Path) -> None:
    with pytest.raises(Gone):
        await Blobs(tmp_path).read("0" * 64)


async def test_a_folder_that_cannot_be_made_is_a_failure_of_ours(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    blobs = Blobs(tmp_path / "taken" / "blobs")
    with pytest.raises(Unavailable):
        await blobs.put_bytes(b"x")
    with pytest.raises(Unavailable):
        await blobs.read("0" * 64)


FULL = """
import asyncio, resource, sys
from pathlib import Path
from shared.files.blobs import Blobs
from shared.errors import Unavailable

resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
try:
    asyncio.run(Blobs(Path(sys.argv[1])).put_bytes(bytes(2_000_000)))
except Unavailable as failure:
    print(failure.detail)
"""


def test_a_disk_that_takes_no_more_is_a_failure_of_ours_and_nothing_is_left(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "cannot be used" in ran.stdout
    assert files(tmp_path) == []


async def test_a_sweep_takes_what_nobody_refers_to_and_leaves_the_rest(tmp_path: Path) -> None:
    clock = Clock()
    blobs = Blobs(tmp_path, clock)
    kept, dropped = await blobs.put_bytes(b"kept"), await blobs.put_bytes(b"dropped")
    clock.go(2 * GRACE)
    assert await blobs.sweep(keep={kept.digest}, older=DAY, most_bytes=PLENTY) == Swept(1, 7, 1, 4)
    assert await blobs.read(kept.digest) == b"kept"
    with pytest.raises(Gone):
        await blobs.read(dropped.digest)


async def test_a_file_that_was_put_just_now_survives_a_sweep_that_does_not_know_it_yet(tmp_path: Path) -> None:
    clock = Clock()
    blobs = Blobs(tmp_path, clock)
    blob = await blobs.put_bytes(b"new")
    assert await blobs.sweep(keep=(), older=timedelta(0), most_bytes=0) == Swept(0, 0, 1, 3)
    clock.go(2 * GRACE)
    await blobs.put_bytes(b"new")
    assert (await blobs.sweep(keep=(), older=DAY, most_bytes=PLENTY)).removed == 0
    assert await blobs.read(blob.digest) == b"new"


async def test_a_sweep_takes_what_is_too_old_though_it_is_referred_to(tmp_path: Path) -> None:
    clock = Clock()
    blobs = Blobs(tmp_path, clock)
    old = await blobs.put_bytes(b"old")
    clock.go(DAY)
    young = await blobs.put_bytes(b"young")
    clock.go(2 * GRACE)
    keep = {old.digest, young.digest}
    assert await blobs.sweep(keep=keep, older=DAY, most_bytes=PLENTY) == Swept(1, 3, 1, 5)
    assert await blobs.read(young.digest) == b"young"


async def test_a_sweep_takes_the_oldest_until_the_rest_fits(tmp_path: Path) -> None:
    clock = Clock()
    blobs = Blobs(tmp_path, clock)
    put: list[Blob] = []
    for number in range(5):
        put.append(await blobs.put_bytes(bytes([number]) * 100))
        clock.go(timedelta(minutes=1))
    clock.go(GRACE)
    keep = [blob.digest for blob in put]
    assert await blobs.sweep(keep=keep, older=DAY, most_bytes=250) == Swept(3, 300, 2, 200)
    assert [path.name for path in files(tmp_path)] == sorted(keep[3:])


async def test_a_sweep_takes_what_a_crash_left_but_not_what_is_being_written(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    half, goes_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncGenerator[bytes]:
        yield bytes(600_000)
        half.set()
        await goes_on.wait()

    put = asyncio.create_task(blobs.put(slow(), most=PLENTY))
    await half.wait()
    (tmp_path / "incoming" / "left").write_bytes(bytes(9))
    assert await blobs.sweep(keep=(), older=DAY, most_bytes=PLENTY) == Swept(1, 9, 0, 0)
    goes_on.set()
    blob = await put
    assert await blobs.read(blob.digest) == bytes(600_000)


async def test_a_sweep_of_nothing_does_nothing(tmp_path: Path) -> None:
    assert await Blobs(tmp_path / "none").sweep(keep=(), older=DAY, most_bytes=0) == Swept(0, 0, 0, 0)
    assert not (tmp_path / "none").exists()


async def test_a_sweep_leaves_files_alone_that_are_not_ours(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blob = await blobs.put_bytes(b"x")
    foreign = blobs.path(blob.digest).with_name("notes.txt")
    foreign.write_text("mine")
    os.utime(foreign, (0, 0))
    await blobs.sweep(keep=(), older=timedelta(0), most_bytes=0)
    assert foreign.read_text() == "mine"
