"""Conversations in which nobody writes are closed, and never at the cost of a message."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import sentences
from shared.chat import Adapter, Author, AuthorId, Channel, ChannelId, MessageId, Pressed, Target
from shared.idle import Idle, continue_button
from shared.scopes import IdleTimes
from shared.store import Taken, Talk
from tests.odd.platform import OddAdapter, channel
from tests.odd.service import Service
from tests.shared.desk import ATTIC, HALL, NICHE, Desk, desk
from tests.shared.disk import disk
from tests.shared.flavours import AbleAdapter, RecallingAdapter
from tests.shared.house import House, house
from tests.shared.hurrying import on_hurrying_clock
from tests.shared.spelling import odd

HOUR = timedelta(hours=1)
TEXT = (
    "Nobody wrote here for 24 hours, so I have closed this conversation. "
    "The next message starts a new one; /resume goes on with this one."
)
SHOWN = odd(sentences.idle(24 * HOUR))


@dataclass
class Watch:
    """Idle close over a desk; a test steps it."""

    desk: Desk
    idle: Idle
    taken: list[Taken]
    behind: set[ChannelId | None] = field(default_factory=set[ChannelId | None])

    async def step(self) -> list[str]:
        """Look once; the notices that came of it."""
        before = len(self.taken)
        await self.idle.step()
        return [text for one in self.taken[before:] if (text := await self.desk.read(one))]

    async def open(self, *places: Channel) -> list[bool]:
        return [await self.desk.store.conversation(place.id) is not None for place in places]


@asynccontextmanager
async def watch(folder: Path, times: IdleTimes | None = None, *, notice: bool = True) -> AsyncGenerator[Watch]:
    times = times or IdleTimes()
    async with desk(folder, idle=times) as h:
        taken: list[Taken] = []
        adapter = OddAdapter(Service())

        def caught_up(_: Adapter, place: ChannelId | None) -> bool:
            return place not in found.behind

        idle = Idle(
            h.store, {"odd": adapter}, times, notice=notice, caught_up=caught_up, accept=taken.append, clock=lambda: h.now
        )
        found = Watch(h, idle, taken)
        await idle.step()
        yield found


async def test_a_conversation_is_closed_after_its_time_with_one_line_and_a_button(tmp_path: Path) -> None:
    async with watch(tmp_path) as w:
        await w.desk.talked("about cats")
        [talk] = await w.desk.store.talks(HALL.id, most=1)
        w.desk.forward(hours=24)
        assert (await w.step(), await w.open(HALL)) == ([], [True])
        w.desk.forward(seconds=1)
        assert (await w.step(), await w.open(HALL)) == ([TEXT], [False])
        assert await w.step() == []
        [taken] = w.taken
        assert taken.waiting is not None
        work = await w.desk.store.load(taken.waiting.turn)
        assert work.final is not None
        assert [(button.id, button.label) for button in work.final.buttons] == [(f"resume/{talk.id.hex}", "Continue")]
        assert len(continue_button(talk).id) <= 40
        assert work.target == Target(HALL)


async def test_the_message_that_comes_after_opens_a_new_conversation_and_the_button_the_old_one(tmp_path: Path) -> None:
    async with watch(tmp_path) as w:
        await w.desk.talked("about cats")
        [talk] = await w.desk.store.talks(HALL.id, most=1)
        w.desk.forward(hours=25)
        await w.step()
        taken = await w.desk.ask("about dogs")
        assert taken.decision == "queued"
        assert taken.conversation not in (None, talk.id)
        await w.desk.answer(taken)
        resumed = await w.desk.press(f"resume/{talk.id.hex}", "odd:1")
        assert await w.desk.read(resumed) == "The conversation `about cats` goes on."
        assert await w.desk.store.conversation(HALL.id) == talk.id
        assert await w.step() == []


async def test_only_what_people_write_counts_and_an_answer_that_is_due_keeps_it_open(tmp_path: Path) -> None:
    async with watch(tmp_path) as w:
        taken = await w.desk.ask("what?")
        w.desk.forward(hours=30)
        assert (await w.step(), await w.open(HALL)) == ([], [True])
        await w.desk.answer(taken)
        assert (await w.step(), await w.open(HALL)) == ([TEXT], [False])


async def test_channels_and_platforms_have_times_of_their_own(tmp_path: Path) -> None:
    times = IdleTimes(None, {"odd": 24 * HOUR}, {ATTIC.id: HOUR, NICHE.id: None})
    async with watch(tmp_path, times) as w:
        for place in (HALL, NICHE, ATTIC):
            await w.desk.talked("hello", place=place)
        w.desk.forward(minutes=61)
        assert await w.step() == [TEXT.replace("24 hours", "1 hour")]
        assert await w.open(HALL, NICHE, ATTIC) == [True, True, False]
        w.desk.forward(days=400)
        assert await w.step() == [TEXT]
        assert await w.open(HALL, NICHE, ATTIC) == [False, True, False]


async def test_by_setting_nothing_is_said(tmp_path: Path) -> None:
    async with watch(tmp_path, notice=False) as w:
        await w.desk.talked("hello")
        w.desk.forward(hours=25)
        assert (await w.step(), await w.open(HALL)) == ([], [False])


async def test_by_setting_nothing_is_closed(tmp_path: Path) -> None:
    async with watch(tmp_path, IdleTimes(None)) as w:
        await w.desk.talked("hello")
        w.desk.forward(days=1000)
        assert (await w.step(), await w.open(HALL)) == ([], [True])


async def test_what_fell_due_while_nobody_was_heard_is_closed_without_a_word(tmp_path: Path) -> None:
    async with watch(tmp_path) as w:
        await w.desk.talked("one")
        w.desk.forward(hours=2)
        await w.desk.talked("two", place=ATTIC)
        w.behind.add(None)
        w.desk.forward(hours=23)
        assert (await w.step(), await w.open(HALL, ATTIC)) == ([], [True, True])
        w.behind.clear()
        assert (await w.step(), await w.open(HALL, ATTIC)) == ([], [False, True])
        w.desk.forward(hours=2)
        assert (await w.step(), await w.open(ATTIC)) == ([TEXT], [False])


async def test_a_channel_that_has_not_been_read_to_its_end_stays_open(tmp_path: Path) -> None:
    async with watch(tmp_path) as w:
        await w.desk.talked("one")
        w.behind.add(HALL.id)
        w.desk.forward(hours=25)
        assert (await w.step(), await w.open(HALL)) == ([], [True])
        w.behind.clear()
        assert (await w.step(), await w.open(HALL)) == ([TEXT], [False])


async def test_those_that_are_never_closed_do_not_hide_the_others(tmp_path: Path) -> None:
    never = {ChannelId(f"odd:{number}"): None for number in range(105)}
    async with watch(tmp_path, IdleTimes(HOUR, {}, never)) as w:
        for place in never:
            await w.desk.talked("hello", place=Channel(place, "group"))
        for number in range(105, 113):
            await w.desk.talked("hello", place=Channel(ChannelId(f"odd:{number}"), "group"))
        w.desk.forward(hours=2)
        assert len(await w.step()) == 8
        assert all(await w.open(*(Channel(place, "group") for place in never)))


steps = st.tuples(st.sampled_from(["say", "wait", "look", "both"]), st.sampled_from([HALL, ATTIC]), st.integers(1, 40))


@given(st.lists(steps, max_size=20))
@settings(max_examples=40, deadline=None)
async def test_no_message_is_swallowed_whatever_is_closed_meanwhile(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Channel, int]]
) -> None:
    async with watch(tmp_path_factory.mktemp("idle"), IdleTimes(20 * HOUR)) as w:
        asked: list[Taken] = []
        for kind, place, hours in steps:
            if kind == "wait":
                w.desk.forward(hours=hours)
            elif kind == "look":
                await w.step()
            elif kind == "say":
                asked.append(await w.desk.ask("hello", place=place))
                await w.desk.answer(asked[-1])
            else:
                _, taken = await asyncio.gather(w.step(), w.desk.ask("hello", place=place))
                assert taken.conversation == await w.desk.store.conversation(place.id)
                asked.append(taken)
                await w.desk.answer(taken)
        assert all(taken.decision == "queued" for taken in asked)
        for taken in asked:
            assert taken.waiting is not None
            assert (await w.desk.store.load(taken.waiting.turn)).state == "done"
        for place in (HALL, ATTIC):
            talks = await w.desk.store.talks(place.id, most=100)
            assert sum(talk.closed_at is None for talk in talks) <= 1
            assert sum(talk.turns for talk in talks) == sum(
                taken.waiting is not None and taken.waiting.channel == place.id for taken in asked
            )


async def test_it_looks_again_and_again(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        pauses: list[float] = []

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            h.forward(hours=13)
            if len(pauses) == 4:
                await asyncio.Event().wait()

        taken: list[Taken] = []
        closed = asyncio.Event()

        def accept(one: Taken) -> None:
            taken.append(one)
            closed.set()

        await h.talked("hello")
        idle = Idle(
            h.store, {"odd": OddAdapter(Service())}, IdleTimes(), notice=True, caught_up=lambda _, __: True, accept=accept,
            clock=lambda: h.now, sleep=sleep,
        )  # fmt: skip
        running = asyncio.create_task(idle.run())
        await closed.wait()
        running.cancel()
        await asyncio.wait([running])
        assert len(taken) == 1
        assert set(pauses) == {30.0}


# -- in the whole house


def idle_of(h: House) -> Idle:
    return Idle(
        h.store, {h.adapter.name: h.adapter}, IdleTimes(), notice=True, caught_up=h.inbox.caught_up, accept=h.turns.accept,
        clock=h.clock,
    )  # fmt: skip


async def talk_of(h: House) -> Talk:
    [talk] = await h.store.talks(channel("hall").id, most=1)
    return talk


@on_hurrying_clock
async def test_people_see_the_notice_and_go_on_with_its_button_after_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=AbleAdapter) as h:
        await h.tell("about cats")
        await h.recalled()
        idle = idle_of(h)
        await idle.step()
        talk = await talk_of(h)
        h.clock.forward(hours=25)
        await idle.step()
        await h.quiet()
        assert h.shown() == ["re ada: about cats", SHOWN]
        assert h.service.pressable("hall")[-1] == (f"resume/{talk.id.hex}",)
        assert h.service.boards["hall"].notes[-1].quiet
        await h.crash()
        await h.start()
        number = h.service.boards["hall"].notes[-1].number
        pressed = Pressed(
            keys=("press",), target=Target(channel("hall"), private=True), author=Author(AuthorId("odd:eve"), "eve"),
            sent_at=h.clock(), button=f"resume/{talk.id.hex}", message=MessageId(f"odd:{number}"),
        )  # fmt: skip
        await h.hear(pressed)
        assert (await h.tell("more"))[-2:] == ["The conversation `about cats` goes on.", "re ada: more"]
        assert any("about cats" in said.text for said in h.script.prompts[-1].history)


@on_hurrying_clock
async def test_a_message_that_was_missed_finds_its_conversation_still_open(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await h.tell("before")
        await h.inbox.marks(h.adapter).flush()
        await h.drain()
        h.clock.forward(hours=25)
        await h.service.write("hall", "ada", "bot, missed")
        read = asyncio.Event()
        h.service.before.append(lambda act, text: read if act == "read" else None)
        await h.start()
        idle = idle_of(h)
        await h.service.until(lambda: ("read", "") in h.service.asked("read"))
        await idle.step()
        read.set()
        await h.recalled()
        await idle.step()
        assert h.shown() == ["re ada: before", "re ada: missed"]
        assert any("before" in said.text for said in h.script.prompts[-1].history)


@on_hurrying_clock
async def test_a_store_that_cannot_be_used_is_asked_again_the_next_time(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.tell("hello")
        await h.recalled()
        idle = idle_of(h)
        await idle.step()
        h.clock.forward(hours=25)
        with disk(h) as room:
            room.refuse()
            await idle.step()
            room.free()
            await idle.step()
        await h.quiet()
        assert h.shown() == ["re ada: hello", SHOWN]
