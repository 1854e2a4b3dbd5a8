"""What could not be stored or read is read again for as long as the session lives; a fault counts for its channel alone."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Generator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from shared import sentences
from shared.access import Access
from shared.chat import Channel, Connected, Message, Seen
from tests.odd.platform import CALL, channel, message
from tests.odd.service import Board
from tests.shared.disk import disk
from tests.shared.flavours import RecallingAdapter
from tests.shared.house import House, house
from tests.shared.hurrying import later, on_hurrying_clock

LONG = 40.0
"""Seconds in which several tries fall."""


async def _away(h: House) -> None:
    """We have heard the platform, have noted how far, and are gone."""
    await h.tell("before")
    await h.inbox.marks(h.adapter).flush()
    await h.drain()
    h.clock.forward(minutes=1)


def _asked(h: House) -> list[str]:
    return [prompt.ask[0].text for prompt in h.script.prompts]


async def _settled(h: House, count: int) -> None:
    await h.script.was_asked(count)
    await h.quiet()
    while h.inbox.marks(h.adapter).stuck:
        await later(1)


async def _mark(h: House) -> str:
    await h.inbox.marks(h.adapter).flush()
    [(number,)] = h.rows("SELECT message FROM marks WHERE channel = 'odd:hall'")
    return number


def _newest(h: House) -> str:
    return f"odd:{h.service.boards['hall'].notes[-1].number}"


@on_hurrying_clock
async def test_a_message_that_could_not_be_stored_is_answered_once_it_can_be(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await h.tell("before")
        await h.recalled()
        before = await _mark(h)
        h.clock.forward(minutes=1)
        with disk(h) as room:
            room.refuse()
            await h.say("kept")
            await later(LONG)
            assert h.shown() == ["re ada: before", sentences.NOT_STORED], "it is said once, however often it is tried"
            assert await _mark(h) == before
            room.free()
            await _settled(h, 2)
        assert _asked(h) == ["ada: before", "ada: kept"]
        assert h.shown()[2:] == ["re ada: kept"]
        h.clock.forward(minutes=1)
        await h.tell("later")
        assert await _mark(h) == _newest(h)
        await later(LONG)
        assert len(h.script.prompts) == 3


@on_hurrying_clock
async def test_a_stranger_is_told_once_that_can_be_stored(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter, access=Access(users=frozenset({"ada"}))) as h:
        await h.tell("before")
        await h.recalled()
        h.clock.forward(minutes=1)
        with disk(h) as room:
            room.refuse()
            await h.say("let me in", who="eve")
            room.free()
            await h.service.until(lambda: h.shown()[1:] == [sentences.NOT_STORED, sentences.NOT_ALLOWED])


@on_hurrying_clock
async def test_live_events_wait_only_while_their_channel_is_read_again(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await h.tell("before")
        await h.recalled()
        h.service.boards["b"] = Board()
        h.clock.forward(minutes=1)
        read = asyncio.Event()
        with disk(h) as room:
            room.refuse()
            await h.say("kept")
            room.free()
            h.service.before.append(lambda act, text: read if act == "read" else None)
            note = await h.service.write("hall", "ada", f"{CALL}at once")
            await h.service.heard()
            await h.quiet()
            assert _asked(h)[1:] == ["ada: at once"]
            await h.service.until(lambda: h.service.asked("read") != [])
            now = asyncio.create_task(h.hear(message("hall", replace(note, number=900, text=f"{CALL}now"))))
            await h.hear(message("b", replace(note, number=901, text=f"{CALL}elsewhere")))
            await h.quiet()
            assert _asked(h)[2:] == ["ada: elsewhere"]
            read.set()
            await now
            await _settled(h, 5)
        assert _asked(h)[3:] == ["ada: kept", "ada: now"]


@on_hurrying_clock
async def test_a_channel_that_stays_unreadable_is_read_without_a_new_session(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await _away(h)
        await h.service.write("hall", "ada", f"{CALL}missed")
        assert isinstance(h.adapter, RecallingAdapter)
        h.adapter.unreadable = 7
        await h.start()
        await h.recalled()
        assert _asked(h) == ["ada: before"]
        await _settled(h, 2)
        assert _asked(h) == ["ada: before", "ada: missed"]
        h.clock.forward(minutes=1)
        await h.tell("later")
        assert await _mark(h) == _newest(h)


@contextlib.contextmanager
def _blind(times: int) -> Generator[None]:
    """So many readings of what was heard fail."""
    left = times

    def refuse(_c: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal left
        if "FROM heard" in statement and left:
            left -= 1
            raise DBAPIError(None, None, sqlite3.OperationalError("disk I/O error"))

    event.listen(Engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", refuse)


@pytest.mark.parametrize("times", [1, 6])
def test_a_store_that_cannot_be_read_at_first_gives_no_channel_up(tmp_path: Path, times: int) -> None:
    @on_hurrying_clock
    async def run() -> None:
        async with house(tmp_path, adapter=RecallingAdapter) as h:
            await _away(h)
            await h.service.write("hall", "ada", f"{CALL}missed")
            before = h.rows("SELECT message FROM marks")
            with _blind(times):
                await h.start()
                h.clock.forward(minutes=1)
                await h.say("live")
                if times > 4:
                    await h.quiet()
                    assert _asked(h) == ["ada: before", "ada: live"], "people do not wait for ever"
                    assert [(await _mark(h),)] == before
                await h.recalled()
            assert sorted(_asked(h)) == ["ada: before", "ada: live", "ada: missed"]
            h.clock.forward(minutes=1)
            await h.tell("later")
            assert await _mark(h) == _newest(h)

    run()


class FaultyAdapter(RecallingAdapter):
    """Its own code fails now and then."""

    behinds = 0
    halls = 0

    def behind(self, seen: Seen) -> Sequence[Channel]:
        if self.behinds:
            self.behinds -= 1
            raise KeyError("a fault")
        return super().behind(seen)

    async def missed(self, place: Channel, seen: Seen) -> AsyncIterator[Message]:
        if place == channel("hall") and self.halls:
            self.halls -= 1
            raise KeyError("a fault")
        async for one in super().missed(place, seen):
            yield one


@on_hurrying_clock
async def test_a_fault_of_the_adapter_counts_for_its_channel_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with house(tmp_path, adapter=FaultyAdapter) as h:
        h.service.boards["b"] = Board()
        await _away(h)
        for board in ("hall", "b"):
            await h.service.write(board, "ada", f"{CALL}missed in {board}")
        assert isinstance(h.adapter, FaultyAdapter)
        h.adapter.halls = 3
        await h.start()
        await h.recalled()
        assert _asked(h) == ["ada: before", "ada: missed in b"]
        assert "recall failed by a fault of ours" in (said := capsys.readouterr().out)
        assert "KeyError at test_recall_again.py" in said
        await _settled(h, 3)
        assert _asked(h)[2:] == ["ada: missed in hall"]


@on_hurrying_clock
async def test_a_fault_of_the_adapter_before_any_channel_is_read_loses_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=FaultyAdapter) as h:
        await _away(h)
        await h.service.write("hall", "ada", f"{CALL}missed")
        assert isinstance(h.adapter, FaultyAdapter)
        h.adapter.behinds = 2
        await h.start()
        await h.recalled()
        assert _asked(h) == ["ada: before", "ada: missed"]


@on_hurrying_clock
async def test_a_new_session_takes_over_what_has_to_be_read_again(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await _away(h)
        await h.service.write("hall", "ada", f"{CALL}missed")
        assert isinstance(h.adapter, RecallingAdapter)
        h.adapter.unreadable = 4
        await h.start()
        await h.recalled()
        for _ in range(3):
            await h.inbox.deliver(h.adapter, Connected())
        await _settled(h, 2)
        assert h.shown() == ["re ada: before", "re ada: missed"]


@on_hurrying_clock
async def test_the_line_about_old_messages_republishes_no_markup(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await _away(h)
        names = {"eve": "**[x](https://evil.example)** @everyone\n# Admin", "mallory": "`" * 50}
        old = [
            await h.service.write("hall", who, f"{CALL}`` @everyone <@1>\n# Big [a](https://b.example) ||x||") for who in names
        ]
        for note in old:
            note.writer = names[note.writer]
        h.clock.forward(hours=7)
        await h.start()
        await h.recalled()
        words = "`'' @everyone <@1> # Big [a](https://b.example) ||x||`"
        assert f": {words} (x https evil.example everyone Admin), {words} (someone). " in h.shown()[-1]
