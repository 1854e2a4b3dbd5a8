"""The governor's rules, one by one, on a clock that jumps from event to event."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from shared.chat import Limit
from shared.errors import RateLimited, Unavailable
from shared.governor import Governor, Grade
from tests.shared.jumping import now, on_jumping_clock, until

ROUND_TRIP = 0.05
CHANNEL = Limit("channel", 5, 5.0, windowed=True)
OVERALL = Limit("overall", 50, 1.0)


def governor() -> Governor:
    return Governor(clock=now)


@dataclass
class Act:
    name: str
    at: float
    went: float


@dataclass
class Bench:
    """A governor, the calls it let go, and a task for each act."""

    governor: Governor = field(default_factory=governor)
    start: float = field(default_factory=now)
    went: list[Act] = field(default_factory=list[Act])

    def act(self, name: str, limits: Sequence[Limit], grade: Grade, takes: float = 0.0) -> asyncio.Task[None]:
        return asyncio.create_task(self.call(name, limits, grade, takes))

    async def call(self, name: str, limits: Sequence[Limit], grade: Grade, takes: float = 0.0) -> None:
        at = now() - self.start
        async with self.governor.permit(limits, grade):
            self.went.append(Act(name, at, now() - self.start))
            await asyncio.sleep(takes)

    def order(self) -> list[str]:
        return [act.name for act in self.went]

    def times(self, name: str) -> list[float]:
        return [act.went for act in self.went if act.name == name]


# Rhythm


@on_jumping_clock
async def test_a_lone_reply_shows_its_post_previews_each_second_and_its_final_at_once() -> None:
    bench = Bench()
    limits = [CHANNEL, OVERALL]

    async def previews() -> None:
        while True:
            await bench.call("preview", limits, Grade.PREVIEW, ROUND_TRIP)

    with bench.governor.live(limits):
        await bench.call("post", limits, Grade.NOTICE, ROUND_TRIP)
        streaming = asyncio.create_task(previews())
        await until(bench.start + 6.0)
        streaming.cancel()
        await asyncio.wait([streaming])
        await bench.call("final", limits, Grade.FINAL, ROUND_TRIP)
    assert bench.times("post") == [0.0]
    assert bench.times("preview") == pytest.approx([1.0, 2.0, 3.0, 4.05, 5.05], abs=0.005)
    assert bench.times("final") == pytest.approx([6.0], abs=1e-4)


@on_jumping_clock
async def test_previews_leave_a_permit_for_each_live_reply_until_the_window_is_nearly_over() -> None:
    bench = Bench()
    limit = Limit("channel", 5, 5.0, spacing=0.1, windowed=True)
    with bench.governor.live([limit]), bench.governor.live([limit]):
        tasks = [bench.act("preview", [limit], Grade.PREVIEW) for _ in range(4)]
        await until(bench.start + 2.0)
        assert len(bench.went) == 3
        await bench.call("final", [limit], Grade.FINAL)
        await until(bench.start + 3.9)
        assert bench.order() == ["preview"] * 3 + ["final"]
        await asyncio.gather(*tasks)
    assert bench.times("preview")[-1] == pytest.approx(4.0, abs=0.01)


@on_jumping_clock
async def test_a_preview_goes_on_when_the_reply_it_left_a_permit_for_is_over() -> None:
    bench = Bench()
    limit = Limit("channel", 2, 10.0, spacing=0.1, windowed=True)
    with bench.governor.live([limit]):
        await bench.call("post", [limit], Grade.NOTICE)
        task = bench.act("preview", [limit], Grade.PREVIEW)
        await until(bench.start + 1.0)
        assert bench.order() == ["post"]
    await task
    assert bench.times("preview") == pytest.approx([1.0], abs=0.01)


@on_jumping_clock
async def test_previews_get_through_with_more_live_replies_than_permits() -> None:
    bench = Bench()
    async with AsyncExitStack() as stack:
        for _ in range(9):
            stack.enter_context(bench.governor.live([CHANNEL]))
        for _ in range(4):
            await bench.call("preview", [CHANNEL], Grade.PREVIEW)
    assert bench.times("preview") == pytest.approx([0.0, 4.0, 5.0, 9.0], abs=0.01)


@on_jumping_clock
async def test_finals_and_notices_are_not_bound_by_the_rhythm() -> None:
    bench = Bench()
    for grade in (Grade.NOTICE, Grade.FINAL, Grade.NOTICE, Grade.FINAL, Grade.FINAL):
        await bench.call("any", [CHANNEL], grade)
    assert bench.times("any") == [0.0] * 5


@on_jumping_clock
async def test_a_spacing_asked_for_holds_for_all_grades() -> None:
    bench = Bench()
    limit = Limit("chat", 20, 60.0, spacing=1.0)
    for grade in (Grade.NOTICE, Grade.PREVIEW, Grade.FINAL):
        await bench.call("any", [limit], grade)
    assert bench.times("any") == pytest.approx([0.0, 1.025, 2.05], abs=0.001)


@on_jumping_clock
async def test_a_window_stays_open_until_one_of_its_calls_has_come_back() -> None:
    bench = Bench()
    limit = Limit("channel", 1, 5.0, windowed=True)
    slow = bench.act("slow", [limit], Grade.NOTICE, 20.0)
    final = bench.act("final", [limit], Grade.FINAL)
    await asyncio.gather(slow, final)
    assert bench.times("final") == pytest.approx([25.0], abs=0.001)


@on_jumping_clock
async def test_a_call_that_might_fall_into_the_next_window_waits_for_it() -> None:
    bench = Bench()
    await bench.call("first", [CHANNEL], Grade.NOTICE, ROUND_TRIP)
    await until(bench.start + 4.99)
    await bench.call("final", [CHANNEL], Grade.FINAL)
    assert bench.times("final") == pytest.approx([5.05], abs=0.001)


@on_jumping_clock
async def test_a_call_without_an_answer_does_not_tell_when_the_window_opened() -> None:
    bench = Bench()
    limit = Limit("channel", 2, 5.0, windowed=True)
    with pytest.raises(Unavailable):
        async with bench.governor.permit([limit], Grade.NOTICE):
            raise Unavailable("connection refused")
    await until(bench.start + 3.0)
    await bench.call("notice", [limit], Grade.NOTICE, ROUND_TRIP)
    await bench.call("final", [limit], Grade.FINAL)
    assert bench.times("final") == pytest.approx([8.05], abs=0.001)


@on_jumping_clock
async def test_a_call_without_an_answer_may_have_arrived_late() -> None:
    bench = Bench()
    limit = Limit("channel", 1, 5.0, windowed=True)
    with pytest.raises(Unavailable):
        async with bench.governor.permit([limit], Grade.NOTICE):
            raise Unavailable("connection reset")
    await bench.call("final", [limit], Grade.FINAL)
    assert bench.times("final") == pytest.approx([6.0], abs=0.001)


@on_jumping_clock
async def test_who_waits_goes_once_it_is_learnt_that_more_is_allowed() -> None:
    bench = Bench()
    await bench.call("first", [Limit("channel", 1, 60.0)], Grade.NOTICE)
    second = bench.act("second", [Limit("channel", 1, 60.0)], Grade.NOTICE)
    await until(bench.start + 2.0)
    with bench.governor.live([Limit("channel", 5, 60.0)]):
        await second
    assert bench.times("second") == pytest.approx([2.0], abs=0.001)


# Grades and scopes


@on_jumping_clock
async def test_the_higher_grade_goes_first_and_within_a_grade_the_first() -> None:
    bench = Bench()
    limit = Limit("chat", 1, 1.0)
    await bench.call("before", [limit], Grade.FINAL)
    names = [("preview", Grade.PREVIEW), ("notice 1", Grade.NOTICE), ("final 1", Grade.FINAL)]
    names += [("notice 2", Grade.NOTICE), ("final 2", Grade.FINAL)]
    tasks = list[asyncio.Task[None]]()
    for name, grade in names:
        tasks.append(bench.act(name, [limit], grade))
        await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)
    assert bench.order() == ["before", "final 1", "final 2", "notice 1", "notice 2", "preview"]


@on_jumping_clock
async def test_whoever_waits_goes_before_a_newcomer_even_if_its_timer_is_late() -> None:
    late = [0.0]
    bench = Bench(Governor(clock=lambda: now() + late[0]))
    limit = Limit("chat", 1, 1.0)
    await bench.call("before", [limit], Grade.FINAL)
    waiting = bench.act("waiting", [limit], Grade.FINAL)
    await asyncio.sleep(0.1)
    late[0] = 5.0
    newcomer = bench.act("newcomer", [limit], Grade.FINAL)
    await asyncio.gather(waiting, newcomer)
    assert bench.order() == ["before", "waiting", "newcomer"]


@on_jumping_clock
async def test_an_act_held_up_in_its_channel_does_not_hold_up_others() -> None:
    bench = Bench()
    bench.governor.block("channel", 60.0)
    held = bench.act("held", [CHANNEL, Limit("all", 1, 1.0)], Grade.FINAL)
    others = [bench.act("other", [Limit(f"c{n}", 5, 5.0, windowed=True), Limit("all", 1, 1.0)], Grade.PREVIEW) for n in range(10)]
    await asyncio.gather(*others)
    assert bench.times("other")[-1] < 10.5
    await held
    assert bench.times("held") == pytest.approx([60.0], abs=0.01)


@on_jumping_clock
async def test_a_preview_does_not_take_the_last_permit_from_a_final_that_is_about_to_go() -> None:
    bench = Bench()
    overall = Limit("all", 1, 10.0)
    bench.governor.block("channel", 2.0)
    final = bench.act("final", [CHANNEL, overall], Grade.FINAL)
    await asyncio.sleep(0.5)
    preview = bench.act("preview", [Limit("other", 5, 5.0), overall], Grade.PREVIEW)
    await asyncio.gather(final, preview)
    assert bench.times("final") == pytest.approx([2.0], abs=0.01)
    assert bench.times("preview") == pytest.approx([12.025], abs=0.01)


@on_jumping_clock
async def test_a_busy_sign_leaves_a_permit_for_each_live_reply_and_never_waits() -> None:
    bench = Bench()
    limit = Limit("channel", 3, 5.0, windowed=True)
    with bench.governor.live([limit]), bench.governor.live([limit]):
        permit = bench.governor.try_permit([limit])
        assert permit is not None
        async with permit:
            assert bench.governor.try_permit([limit]) is None
        await bench.call("final", [limit], Grade.FINAL)
        await bench.call("final", [limit], Grade.FINAL)
    assert bench.governor.try_permit([limit]) is None
    assert bench.times("final") == [0.0, 0.0]


@on_jumping_clock
async def test_there_is_room_for_a_reply_only_where_its_end_could_go_at_once() -> None:
    bench = Bench()
    few = Limit("few", 2, 60.0)
    assert bench.governor.has_room([OVERALL, few])
    with bench.governor.live([few]):
        assert bench.governor.has_room([OVERALL, few])
        await bench.call("end", [few], Grade.FINAL)
        assert not bench.governor.has_room([OVERALL, few])
    assert bench.governor.has_room([OVERALL, few])
    bench.governor.block("few", 5.0)
    assert not bench.governor.has_room([OVERALL, few])
    await asyncio.sleep(6.0)
    assert bench.governor.has_room([OVERALL, few])


@on_jumping_clock
async def test_a_busy_sign_cannot_be_asked_to_wait() -> None:
    with pytest.raises(ValueError, match="never waits"):
        governor().permit([CHANNEL], Grade.BUSY)


# Blocks


async def refused(bench: Bench, limits: Sequence[Limit], seconds: float) -> None:
    with pytest.raises(RateLimited):
        async with bench.governor.permit(limits, Grade.PREVIEW):
            raise RateLimited("429", seconds)


@on_jumping_clock
async def test_a_refusal_blocks_the_most_specific_scope_even_for_finals_and_no_other() -> None:
    told = list[tuple[str, float]]()
    bench = Bench(Governor(clock=now, on_block=lambda scope, seconds: told.append((scope, seconds))))
    await refused(bench, [CHANNEL, OVERALL], 7.0)
    final = bench.act("final", [CHANNEL, OVERALL], Grade.FINAL)
    await bench.call("other", [Limit("other", 5, 5.0), OVERALL], Grade.PREVIEW)
    await final
    assert bench.times("other") == [0.0]
    assert bench.times("final") == pytest.approx([7.0], abs=0.001)
    assert told == [("channel", 7.0)]


@on_jumping_clock
async def test_a_block_reported_with_a_limit_is_told_once() -> None:
    told = list[str]()
    bench = Bench(Governor(clock=now, on_block=lambda scope, _: told.append(scope)))
    first = bench.act("final", [Limit("channel", 5, 5.0, blocked=3.0)], Grade.FINAL)
    await until(bench.start + 1.0)
    second = bench.act("final", [Limit("channel", 5, 5.0, blocked=2.01)], Grade.FINAL)
    await asyncio.gather(first, second)
    assert told == ["channel"]
    assert bench.times("final") == pytest.approx([3.01, 3.01], abs=0.001)


async def gap_of_previews(bench: Bench, limit: Limit) -> float:
    await bench.call("preview", [limit], Grade.PREVIEW)
    await bench.call("preview", [limit], Grade.PREVIEW)
    earlier, later = bench.times("preview")[-2:]
    return later - earlier


@on_jumping_clock
async def test_each_refusal_doubles_the_gap_of_previews_up_to_eightfold_and_quiet_narrows_it() -> None:
    bench = Bench()
    limit = Limit("chat", 60, 60.0)
    gaps = list[float]()
    for _ in range(4):
        await refused(bench, [limit], 1.0)
        gaps.append(await gap_of_previews(bench, limit))
    assert gaps == pytest.approx([2.0, 4.0, 8.0, 8.0], abs=0.01)
    await asyncio.sleep(25)
    assert await gap_of_previews(bench, limit) == pytest.approx(7.2, abs=0.01)
    await asyncio.sleep(3600)
    assert await gap_of_previews(bench, limit) == pytest.approx(1.0, abs=0.01)


@on_jumping_clock
async def test_refusals_of_calls_under_way_together_count_as_one() -> None:
    bench = Bench()
    limit = Limit("chat", 60, 60.0)
    async with AsyncExitStack() as stack:
        permits = [bench.governor.permit([limit], Grade.NOTICE) for _ in range(5)]
        for permit in permits:
            await permit.__aenter__()
        stack.pop_all()
        for permit in permits:
            error = RateLimited("429", 2.0)
            await permit.__aexit__(RateLimited, error, None)
            await asyncio.sleep(0.01)
    assert await gap_of_previews(bench, limit) == pytest.approx(2.0, abs=0.01)


# Cancelling


@on_jumping_clock
async def test_an_overtaken_preview_frees_its_place_at_once() -> None:
    bench = Bench()
    limit = Limit("chat", 1, 1.0)
    await bench.call("before", [limit], Grade.NOTICE)
    preview = bench.act("preview", [limit], Grade.PREVIEW)
    other = bench.act("other", [limit], Grade.PREVIEW)
    await asyncio.sleep(0.5)
    preview.cancel()
    await other
    assert bench.times("other") == pytest.approx([1.025], abs=0.001)
    assert bench.times("preview") == []
    await asyncio.sleep(60)
    await bench.call("elsewhere", [OVERALL], Grade.FINAL)
    assert bench.governor.scopes == 1


@pytest.mark.parametrize("windowed", [False, True])
@on_jumping_clock
async def test_a_permit_granted_to_an_act_that_is_cancelled_that_instant_is_not_lost(windowed: bool) -> None:
    bench = Bench()
    limit, wider = (Limit("chat", calls, 5.0, windowed=windowed) for calls in (1, 2))
    await bench.call("before", [limit], Grade.NOTICE)
    first = bench.act("first", [limit], Grade.FINAL)
    second = bench.act("second", [limit], Grade.FINAL)
    await asyncio.sleep(1.0)
    with bench.governor.live([wider]):
        # The wider limit let the first act go, but its task has not run since.
        first.cancel()
        await second
    assert bench.order() == ["before", "second"]
    assert bench.times("second") == [1.0]


@on_jumping_clock
async def test_a_call_that_is_cancelled_counts_as_made() -> None:
    bench = Bench()
    limit = Limit("chat", 1, 5.0)
    call = bench.act("call", [limit], Grade.FINAL, 60.0)
    await asyncio.sleep(1.0)
    call.cancel()
    await bench.call("next", [limit], Grade.FINAL)
    assert bench.times("next") == pytest.approx([5.025], abs=0.001)


# Size and speed


@on_jumping_clock
async def test_the_channels_of_a_day_do_not_pile_up() -> None:
    bench = Bench()
    most = 0
    for n in range(10_000):
        limits = [Limit(f"channel {n}", 5, 5.0, windowed=True), OVERALL]
        with bench.governor.live(limits):
            await bench.call("post", limits, Grade.NOTICE)
            await bench.call("final", limits, Grade.FINAL)
        await asyncio.sleep(8.64)
        most = max(most, bench.governor.scopes)
    assert most < 10


@on_jumping_clock
async def test_five_hundred_replies_at_once_cost_little_for_each_permit() -> None:
    bench = Bench()

    async def reply(n: int) -> None:
        limits = [Limit(f"channel {n}", 5, 5.0, windowed=True), OVERALL]
        with bench.governor.live(limits):
            await bench.call("post", limits, Grade.NOTICE, ROUND_TRIP)
            for _ in range(5):
                await bench.call("preview", limits, Grade.PREVIEW, ROUND_TRIP)
            await bench.call("final", limits, Grade.FINAL, ROUND_TRIP)

    begun = time.process_time()
    await asyncio.gather(*(reply(n) for n in range(500)))
    each = (time.process_time() - begun) / len(bench.went)
    assert len(bench.went) == 3500
    # With the tasks and the event loop of this test; ample room for a slow machine.
    assert each < 500e-6


@pytest.mark.parametrize("windowed", [False, True])
@on_jumping_clock
async def test_a_saturated_scope_is_used_to_nine_tenths_of_its_rate(windowed: bool) -> None:
    bench = Bench()
    limit = Limit("overall", 50, 1.0, windowed=windowed)
    tasks = [bench.act("n", [Limit(f"c{n % 100}", 5, 5.0, windowed=True), limit], Grade.NOTICE, 0.02) for n in range(500)]
    await asyncio.gather(*tasks)
    assert len(bench.went) == 500
    assert bench.went[-1].went <= 500 / 50 / 0.9
