import asyncio
import heapq
import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import get_args

import pytest

from bots.telegram.limits import KEPT, Limits
from sandbox.telegram import SimulatorConfig
from sandbox.telegram.limits import Limits as Judge
from shared.chat import Act
from shared.governor import Governor, Grade

GROUP, PERSON = -1_002_000_000_001, 5_000_000_001


class Timer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Time:
    """A clock that is put forward from timer to timer."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._heap: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()

    def __call__(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(callback)
        heapq.heappush(self._heap, (self.now + delay, next(self._numbers), timer))
        return timer

    async def forward(self, seconds: float) -> None:
        until = self.now + seconds
        await self._settle()
        while self._heap and self._heap[0][0] <= until:
            self.now, _, timer = heapq.heappop(self._heap)
            if timer.callback is not None:
                timer.callback()
                await self._settle()
        self.now = until
        await self._settle()

    async def _settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


class Bench:
    """The governor with these limits, and the simulator's as the judge of every call."""

    def __init__(self) -> None:
        self.time = Time()
        self.limits = Limits(self.time)
        self.governor = Governor(clock=self.time, call_later=self.time.call_later)
        self.judge = Judge(SimulatorConfig())
        self.calls: list[tuple[float, int, str]] = []

    async def call(self, act: Act, chat: int, grade: Grade) -> None:
        async with self.governor.permit(self.limits.of(act, chat), grade):
            self._made(act, chat)

    async def sign(self, chat: int) -> None:
        if (permit := self.governor.try_permit(self.limits.of("busy", chat))) is not None:
            async with permit:
                self._made("busy", chat)

    def _made(self, act: Act, chat: int) -> None:
        self.calls.append((self.time.now, chat, act))
        assert self.judge.take(act, chat, private=chat > 0, count=1, now=self.time.now) is None

    async def stream(self, chat: int) -> None:
        await self.call("post", chat, Grade.NOTICE)
        while True:
            await self.call("edit", chat, Grade.PREVIEW)

    def gaps(self, chat: int, act: Act) -> list[float]:
        times = [at for at, where, what in self.calls if where == chat and what == act]
        return [later - earlier for earlier, later in itertools.pairwise(times)]

    async def final_after(self, chat: int, seconds: float) -> float:
        """How long the final waits after so many seconds of previews."""
        task = asyncio.ensure_future(self.stream(chat))
        await self.time.forward(seconds)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        asked = self.time.now
        final = asyncio.ensure_future(self.call("edit", chat, Grade.FINAL))
        await self.time.forward(10)
        assert final.done()
        return self.calls[-1][0] - asked


@pytest.mark.parametrize(("chat", "rhythm"), [(PERSON, 1.5), (GROUP, 3.5)])
async def test_previews_come_in_their_rhythm_and_the_final_at_once(chat: int, rhythm: float) -> None:
    bench = Bench()
    assert await bench.final_after(chat, 30.3) == 0
    gaps = bench.gaps(chat, "edit")[:-1]
    assert len(gaps) >= 25 / rhythm - 1
    assert all(rhythm <= gap < rhythm + 0.1 for gap in gaps)
    assert bench.calls[0][0] == 1000.0


@pytest.mark.parametrize(("chat", "rhythm"), [(PERSON, 1.5), (GROUP, 3.5)])
async def test_the_final_of_a_long_reply_waits_no_longer_than_a_preview(chat: int, rhythm: float) -> None:
    bench = Bench()
    for seconds in (61.0, 200.7, 300.1):
        assert await bench.final_after(chat, seconds) <= rhythm + 0.2


async def test_a_group_gets_no_more_than_twenty_calls_a_minute_whatever_they_are() -> None:
    bench = Bench()
    streams = [asyncio.ensure_future(bench.stream(GROUP)) for _ in range(3)]
    posts: list[asyncio.Future[None]] = []
    for turn in range(60):
        await bench.sign(GROUP)
        if turn % 4 == 0:
            posts.append(asyncio.ensure_future(bench.call("post", GROUP, Grade.FINAL)))
        await bench.time.forward(5)
    times = [at for at, _, _ in bench.calls]
    assert all(sum(start <= at < start + 60 for at in times) <= 20 for start in times)
    assert all(post.done() for post in posts[:-1])
    assert sum(act == "busy" for _, _, act in bench.calls) >= 1
    for each in streams:
        each.cancel()
        with suppress(asyncio.CancelledError):
            await each
    assert bench.judge.suffered == 0


async def test_many_parts_at_once_are_a_burst_and_then_one_a_second() -> None:
    bench = Bench()
    parts = [asyncio.ensure_future(bench.call("post", PERSON, Grade.FINAL)) for _ in range(12)]
    await bench.time.forward(0)
    assert len(bench.calls) == 5
    await bench.time.forward(11)
    assert all(part.done() for part in parts)
    assert bench.judge.suffered == 0


async def test_forty_chats_at_once_stay_below_the_limit_of_the_bot() -> None:
    bench = Bench()
    calls = [asyncio.ensure_future(bench.call("post", PERSON + n, Grade.FINAL)) for n in range(90)]
    await bench.time.forward(4)
    assert all(call.done() for call in calls)
    assert bench.judge.suffered == 0


async def test_signs_leave_room_for_what_is_said() -> None:
    bench = Bench()
    for _ in range(12):
        await bench.sign(GROUP)
        await bench.time.forward(5)
    assert 1 <= len(bench.calls) <= 4
    assert await bench.final_after(GROUP, 20) == 0


async def test_a_block_counts_for_everything_in_its_chat_until_it_is_over() -> None:
    time = Time()
    limits = Limits(time)
    limits.block(GROUP, 30.0)
    limits.block(GROUP, 10.0)
    for act in get_args(Act):
        assert limits.of(act, GROUP)[0].blocked == 30.0
        assert not any(limit.blocked for limit in limits.of(act, PERSON))
    time.now += 30.0
    assert not any(limit.blocked for limit in limits.of("post", GROUP))


async def test_a_block_that_is_known_by_its_scope_alone_closes_the_chat_for_everything_too() -> None:
    time = Time()
    limits, governor = Limits(time), Governor(clock=time, call_later=time.call_later)
    # A server that begins within a wait knows it by the first scope of the act that was refused.
    governor.block(limits.of("edit", GROUP)[0].scope, 30.0)
    assert not any(governor.try_permit(limits.of(act, GROUP)) for act in get_args(Act))
    assert governor.try_permit(limits.of("post", PERSON))


async def test_after_a_block_previews_come_more_slowly_and_other_chats_are_not_held_up() -> None:
    bench = Bench()
    tasks = [asyncio.ensure_future(bench.stream(chat)) for chat in (GROUP, PERSON)]
    await bench.time.forward(8)
    bench.limits.block(GROUP, 20.0)
    final = asyncio.ensure_future(bench.call("edit", GROUP, Grade.FINAL))
    at = bench.time.now
    await bench.time.forward(70)
    assert final.done()
    there = [when for when, chat, _ in bench.calls if chat == GROUP and when > at]
    assert there[0] >= at + 20
    assert all(gap > 5 for gap in [later - earlier for earlier, later in itertools.pairwise(there[1:])])
    assert all(gap < 1.6 for gap in bench.gaps(PERSON, "edit"))
    for each in tasks:
        each.cancel()
        with suppress(asyncio.CancelledError):
            await each


async def test_only_so_many_blocks_are_remembered() -> None:
    limits = Limits(Time())
    for chat in range(1, KEPT + 2):
        limits.block(chat, 5.0)
    assert not limits.of("post", 1)[0].blocked
    assert limits.of("post", 2)[0].blocked == 5.0
