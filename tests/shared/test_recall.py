"""What was said while we were away: before what is said now, once, and not if it is too old."""

import asyncio
from datetime import timedelta
from pathlib import Path

from shared import sentences
from shared.access import Access
from shared.chat import Connected
from tests.odd.platform import CALL, channel
from tests.odd.service import Board
from tests.shared.disk import disk
from tests.shared.flavours import RecallingAdapter
from tests.shared.house import House, house
from tests.shared.hurrying import on_hurrying_clock


async def _away(h: House) -> None:
    """We have heard the platform, have noted how far, and are gone."""
    await h.tell("before")
    await h.inbox.marks(h.adapter).flush()
    await h.drain()


async def _write(h: House, text: str, *, board: str = "hall", who: str = "ada", to_bot: bool = True) -> None:
    await h.service.write(board, who, f"{CALL}{text}" if to_bot else text)


def _asked(h: House) -> list[str]:
    return [prompt.ask[0].text for prompt in h.script.prompts]


@on_hurrying_clock
async def test_what_was_missed_is_answered_once_and_in_order(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await _away(h)
        h.clock.forward(minutes=1)
        await _write(h, "one")
        await _write(h, "between us", to_bot=False)
        await _write(h, "two", who="eve")
        await h.start()
        await h.recalled()
        assert _asked(h) == ["ada: before", "ada: one", "eve: two"]
        for _ in range(2):
            await h.inbox.deliver(h.adapter, Connected())
            await h.recalled()
        assert len(h.script.prompts) == 3


@on_hurrying_clock
async def test_what_is_said_now_waits_for_what_was_missed(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await _away(h)
        await _write(h, "missed")
        read = asyncio.Event()
        h.service.before.append(lambda act, text: read if act == "read" else None)
        await h.start()
        now = asyncio.create_task(h.say("now"))
        await h.service.until(lambda: ("read", "") in h.service.asked("read"))
        assert _asked(h) == ["ada: before"]
        read.set()
        await now
        await h.quiet()
        assert _asked(h) == ["ada: before", "ada: missed", "ada: now"]


@on_hurrying_clock
async def test_what_is_too_old_is_listed_in_one_line_and_known_after_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter, access=Access(users=frozenset({"ada"}))) as h:
        await _away(h)
        h.clock.forward(minutes=1)
        for text in ("one `x`", "/ask two"):
            await _write(h, text)
        await _write(h, "from a stranger", who="eve")
        await _write(h, "/stop")
        await _write(h, "between us", to_bot=False)
        h.clock.forward(hours=7)
        await _write(h, "three")
        await h.start()
        await h.recalled()
        line = sentences.too_old(["`one 'x'` (ada)", "`/ask two` (ada)"], 2, timedelta(hours=6))
        assert h.shown() == ["re ada: before", line, "re ada: three"]
        assert _asked(h) == ["ada: before", "ada: three"]
        # The marks were lost with the crash: all of it is read again.
        await h.crash()
        await h.start()
        await h.recalled()
        assert h.shown() == ["re ada: before", line, "re ada: three"]


@on_hurrying_clock
async def test_at_the_first_start_nothing_is_recalled(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter, started=False) as h:
        await _write(h, "before you came")
        await h.start()
        await h.recalled()
        assert h.script.prompts == []
        assert h.service.asked("read") == []


@on_hurrying_clock
async def test_a_channel_that_cannot_be_read_just_now_is_tried_again(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await _away(h)
        await _write(h, "one")
        assert isinstance(h.adapter, RecallingAdapter)
        h.adapter.unreadable = 3
        await h.start()
        await h.recalled()
        assert _asked(h) == ["ada: before", "ada: one"]


@on_hurrying_clock
async def test_a_channel_that_stays_unreadable_is_read_at_the_next_session(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await _away(h)
        h.clock.forward(minutes=1)
        await _write(h, "missed")
        assert isinstance(h.adapter, RecallingAdapter)
        h.adapter.unreadable = 1_000
        await h.start()
        await h.recalled()
        h.clock.forward(minutes=1)
        await h.tell("live")
        assert _asked(h) == ["ada: before", "ada: live"]
        await h.inbox.marks(h.adapter).flush()
        h.adapter.unreadable = 0
        await h.inbox.deliver(h.adapter, Connected())
        await h.recalled()
        assert _asked(h) == ["ada: before", "ada: live", "ada: missed"]
        # From here on the mark moves again.
        h.clock.forward(minutes=1)
        await h.tell("later")
        await h.inbox.marks(h.adapter).flush()
        [(message,)] = h.rows("SELECT message FROM marks")
        assert message == f"odd:{h.service.boards['hall'].notes[-1].number}"


@on_hurrying_clock
async def test_a_channel_never_read_before_is_read_from_when_we_were_last_there(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await _write(h, "long ago", to_bot=False)
        h.clock.forward(minutes=1)
        await _away(h)
        h.clock.forward(minutes=1)
        h.service.boards["b"] = Board()
        await _write(h, "new place", board="b")
        await h.start()
        await h.recalled()
        assert _asked(h) == ["ada: before", "ada: new place"]


@on_hurrying_clock
async def test_a_new_session_in_the_middle_of_a_recall_begins_it_anew(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await _away(h)
        await _write(h, "missed")
        read = asyncio.Event()
        h.service.before.append(lambda act, text: read if act == "read" else None)
        await h.start()
        await h.service.until(lambda: len(h.service.asked("read")) == 1)
        await h.inbox.deliver(h.adapter, Connected())
        await h.service.until(lambda: len(h.service.asked("read")) == 2)
        read.set()
        await h.recalled()
        assert _asked(h) == ["ada: before", "ada: missed"]
        assert h.shown() == ["re ada: before", "re ada: missed"]


@on_hurrying_clock
async def test_a_new_session_in_the_middle_of_a_recall_lets_nothing_slip_by(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await _away(h)
        await _write(h, "missed")
        read = asyncio.Event()
        h.service.before.append(lambda act, text: read if act == "read" else None)
        await h.start()
        now = asyncio.create_task(h.say("now"))
        await h.service.until(lambda: len(h.service.asked("read")) == 1)
        await h.inbox.deliver(h.adapter, Connected())
        await h.service.until(lambda: len(h.service.asked("read")) == 2)
        assert _asked(h) == ["ada: before"]
        read.set()
        await now
        await h.recalled()
        assert _asked(h) == ["ada: before", "ada: missed", "ada: now"]


@on_hurrying_clock
async def test_a_channel_that_may_not_be_read_holds_up_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await _away(h)
        await _write(h, "missed")
        h.service.boards["hall"].closed_to_us = True
        await h.start()
        await h.recalled()
        h.service.boards["hall"].closed_to_us = False
        await h.tell("now")
        assert _asked(h) == ["ada: before", "ada: now"]


@on_hurrying_clock
async def test_a_recalled_message_that_cannot_be_stored_is_read_again_at_the_next_session(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await _away(h)
        h.clock.forward(minutes=1)
        await _write(h, "missed " + "long " * 20_000)
        with disk(h) as room:
            room.full()
            await h.start()
            await h.recalled()
            await h.inbox.marks(h.adapter).flush()
            assert len(h.script.prompts) == 1
            assert sentences.NOT_STORED in h.shown()
            # Before it is tried again by itself.
            room.free()
            await h.inbox.deliver(h.adapter, Connected())
            await h.recalled()
        assert len(h.script.prompts) == 2


@on_hurrying_clock
async def test_the_mark_passes_what_is_too_old_and_was_not_meant_for_us(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await h.recalled()
        await h.tell("one")
        await h.crash()
        h.clock.forward(hours=1)
        note = await h.service.write("hall", "ben", "just talk")
        h.clock.forward(hours=7)
        await h.start()
        await h.recalled()
        await h.inbox.marks(h.adapter).flush()
        seen = await h.store.marks("odd")
        assert seen is not None
        assert seen.newest[channel("hall").id] == f"odd:{note.number}"


@on_hurrying_clock
async def test_the_time_of_the_last_hearing_stands_still_while_the_past_is_being_read(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=RecallingAdapter) as h:
        await h.recalled()
        await h.tell("one")
        await h.inbox.marks(h.adapter).flush()
        before = await h.store.marks("odd")
        await h.crash()
        await h.service.write("hall", "ada", "bot, two")
        h.clock.forward(hours=1)
        held = asyncio.Event()
        h.service.before.append(lambda act, text: held if act == "read" else None)
        await h.start()
        await h.service.until(lambda: bool(h.service.asked("read")))
        await h.inbox.marks(h.adapter).flush()
        during = await h.store.marks("odd")
        held.set()
        await h.recalled()
        await h.inbox.marks(h.adapter).flush()
        after = await h.store.marks("odd")
        assert before is not None
        assert during is not None
        assert after is not None
        assert before.since == during.since < after.since
