"""The governor in random traffic, judged by a model of how a platform counts."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.chat import Limit
from shared.errors import Unavailable
from shared.governor import Governor, Grade
from tests.shared.jumping import now, on_jumping_clock

MARGIN = 0.025


@dataclass
class Bucket:
    """How a platform counts one scope, by when calls arrive."""

    limit: Limit
    arrived: deque[float] = field(default_factory=deque[float])
    opened: float | None = None

    def refuses(self) -> bool:
        at, limit = now(), self.limit
        tight = bool(self.arrived) and at - self.arrived[-1] < limit.spacing - 1e-9
        if limit.windowed:
            if self.opened is None or at - self.opened >= limit.seconds:
                self.opened = at
                self.arrived.clear()
        else:
            while self.arrived and at - self.arrived[0] >= limit.seconds - 1e-9:
                self.arrived.popleft()
        self.arrived.append(at)
        return tight or len(self.arrived) > limit.calls


@dataclass(frozen=True)
class Step:
    """One act of the random traffic; delays in seconds, the gap before it in stretches of the first channel."""

    gap: float
    grade: Grade
    channel: int
    overall: bool
    out: float
    back: float
    fate: str


STEPS = st.builds(
    Step,
    gap=st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.2, 0.95, 0.98, 0.99]) | st.floats(0, 1),
    grade=st.sampled_from(Grade),
    channel=st.sampled_from([0, 0, 0, 1, 2]),
    overall=st.booleans(),
    out=st.sampled_from([0.0, MARGIN]) | st.floats(0, MARGIN),
    back=st.sampled_from([0.0, 0.05, 0.7]) | st.floats(0, 0.3),
    fate=st.sampled_from(["answered"] * 8 + ["lost", "unanswered", "cancelled", "overtaken"]),
)

AT_THE_EDGE = st.builds(
    Step,
    gap=st.sampled_from([0.0, 0.0, 0.0, 0.98, 0.99]),
    grade=st.just(Grade.FINAL),
    channel=st.just(0),
    overall=st.just(False),
    out=st.sampled_from([0.0, MARGIN]),
    back=st.sampled_from([0.0, 0.05]),
    fate=st.just("answered"),
)
"""Bursts around the end of a window."""


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Limit], Limit]:
    """Three channels' limits, and the one that they share."""

    def one(scope: str) -> Limit:
        calls = draw(st.integers(1, 6))
        seconds = draw(st.sampled_from([0.5, 1.0, 5.0]))
        spacing = draw(st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.0, 0.3]))
        return Limit(scope, calls, seconds, spacing, windowed=draw(st.booleans()))

    return [one(f"channel {n}") for n in range(3)], one("all")


class Traffic:
    """Plays random steps against buckets, and keeps what the platform refused and how long the finals waited."""

    def __init__(self, channels: Sequence[Limit], overall: Limit, base: float) -> None:
        self.channels = channels
        self.overall = overall
        self.base = base
        self.governor = Governor(clock=now, margin=MARGIN)
        self.buckets: Mapping[str, Bucket] = {limit.scope: Bucket(limit) for limit in [*channels, overall]}
        self.refused: list[str] = []
        self.waiting_finals: list[Sequence[Limit]] = []
        self.late: list[tuple[float, float]] = []

    async def play(self, steps: Sequence[Step]) -> None:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                await asyncio.sleep(step.gap * self.channels[0].seconds)
                task = group.create_task(self.one(step))
                if step.fate == "overtaken":
                    asyncio.get_running_loop().call_later(0.3, task.cancel)

    async def one(self, step: Step) -> None:
        limits = [self.channels[step.channel], *([self.overall] if step.overall else [])]
        if step.grade is Grade.BUSY:
            permit = self.governor.try_permit(limits)
            if permit is not None:
                with suppress(Unavailable):
                    async with permit:
                        await self.arrive(step, limits)
            return
        bound = self.bound(limits)
        begun = now()
        if step.grade is Grade.FINAL:
            self.waiting_finals.append(limits)
        waiting = step.grade is Grade.FINAL
        try:
            async with self.governor.permit(limits, step.grade):
                if waiting:
                    self.waiting_finals.remove(limits)
                    waiting = False
                    self.late.append((now() - begun, bound))
                await self.arrive(step, limits)
        except Unavailable:
            pass
        finally:
            if waiting:
                self.waiting_finals.remove(limits)

    async def arrive(self, step: Step, limits: Sequence[Limit]) -> None:
        if step.fate == "lost":
            raise Unavailable("the call never got there")
        await asyncio.sleep(self.base + step.out)
        self.refused += [limit.scope for limit in limits if self.buckets[limit.scope].refuses()]
        if step.fate == "cancelled":
            current = asyncio.current_task()
            assert current is not None
            current.cancel()
        await asyncio.sleep(step.back)
        if step.fate == "unanswered":
            raise Unavailable("the answer never came")

    def bound(self, limits: Sequence[Limit]) -> float:
        """In each scope: what may be under way now, then the finals that came before, `calls` in each stretch.

        A stretch is `seconds`, the longest round trip of the model, and the second in which a lost call may still count.
        """
        total = 0.0
        for limit in limits:
            before = sum(1 for others in self.waiting_finals if limit in others)
            stretch = max(limit.seconds, limit.calls * (limit.spacing + MARGIN)) + self.base + MARGIN * 2 + 0.7 + 1.0
            total += (before // limit.calls + 2) * stretch
        return total


@settings(max_examples=300, deadline=None)
@given(
    world=worlds(),
    base=st.sampled_from([0.0, 0.04, 0.2]),
    steps=st.lists(STEPS, min_size=1, max_size=60) | st.lists(AT_THE_EDGE, min_size=4, max_size=20),
)
@on_jumping_clock
async def test_a_platform_never_has_to_refuse_a_call_and_every_final_goes_in_time(
    world: tuple[list[Limit], Limit], base: float, steps: list[Step]
) -> None:
    traffic = Traffic(*world, base)
    await traffic.play(steps)
    assert traffic.refused == []
    assert all(waited <= bound for waited, bound in traffic.late), traffic.late
    assert traffic.waiting_finals == []
