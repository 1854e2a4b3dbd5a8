import asyncio
from collections import deque

import aiohttp
import pytest

from bots.discord.calls import Caller
from bots.discord.reads import AFTERWARDS, MOST, SHARE, SPACING, WINDOW, Reads


class Clock:
    """Virtual seconds: whoever sleeps moves them on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def reads(clock: Clock) -> tuple[Reads, aiohttp.TraceConfig]:
    trace = aiohttp.TraceConfig()
    read = Reads(Caller(timeout=1.0, wait=0.1), clock=clock, sleep=clock.sleep)
    read.watch(trace)
    trace.freeze()
    return read, trace


async def start(trace: aiohttp.TraceConfig) -> None:
    """One more request of anybody."""
    for started in trace.on_request_start:
        await started(None, None, None)  # type: ignore[arg-type]  # the trace looks at none of them


async def test_reads_are_spaced(clock: Clock) -> None:
    read, _ = reads(clock)
    times = deque[float]()

    async def act() -> None:
        times.append(clock.now)

    for _ in range(4):
        await read(act)
    assert [round(later - earlier, 6) for earlier, later in zip(times, list(times)[1:], strict=False)] == [SPACING] * 3


async def test_a_read_waits_while_others_use_the_second_up(clock: Clock) -> None:
    read, trace = reads(clock)
    for _ in range(MOST):
        await start(trace)
    began = clock.now

    async def act() -> float:
        return clock.now

    assert await read(act) == pytest.approx(began + WINDOW)


async def test_a_share_is_kept_for_reads_while_there_are_any(clock: Clock) -> None:
    read, _ = reads(clock)

    async def act() -> int:
        return read.share

    assert read.share == 0
    assert await read(act) == SHARE
    clock.now += AFTERWARDS
    assert read.share == 0
