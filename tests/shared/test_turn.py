"""What one turn does when the ground moves under it."""

import asyncio
import sqlite3
import threading
from pathlib import Path

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

from shared import sentences
from shared.backends import Finished
from shared.chat import MessageId, Target
from shared.turn import TRIES, part_key
from tests.odd.platform import FindingAdapter, OddAdapter, channel
from tests.odd.service import Board
from tests.shared.flavours import ThreadingAdapter
from tests.shared.house import house
from tests.shared.hurrying import on_hurrying_clock
from tests.shared.scripted import USAGE


class Clumsy(OddAdapter):
    """Fails at posts as no adapter should."""

    slips = 0

    async def post(self, target: Target, markdown: str, *, key: str, silent: bool = False) -> MessageId:
        if self.slips:
            self.slips -= 1
            raise TypeError("what is that?")
        return await super().post(target, markdown, key=key, silent=silent)


@on_hurrying_clock
async def test_a_reply_that_was_begun_in_a_thread_is_ended_there_whatever_may_be_opened_by_now(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], ["Whole."], adapter=ThreadingAdapter) as h:
        h.service.boards["thread"] = Board()
        await h.say("one")
        await h.service.until(lambda: h.shown("thread") == ["Half"])
        await h.crash()
        h.service.boards["hall"].threads = False
        await h.start()
        await h.quiet()
        assert (h.shown("thread"), h.shown()) == (["Whole."], [])
        assert h.states() == ["done"]


@on_hurrying_clock
async def test_a_fault_while_showing_is_tried_again_and_nothing_overtakes_it(tmp_path: Path) -> None:
    async with house(tmp_path, [Finished("Whole.", "end", USAGE)], ["Next."], adapter=Clumsy) as h:
        assert isinstance(h.adapter, Clumsy)
        h.adapter.slips = TRIES - 1
        await h.say("one")
        await h.say("two")
        await h.quiet()
        assert (h.shown(), h.states()) == (["Whole.", "Next."], ["done", "done"])


@on_hurrying_clock
async def test_a_fault_while_showing_that_does_not_pass_is_told(tmp_path: Path) -> None:
    async with house(tmp_path, [Finished("Whole.", "end", USAGE)], adapter=Clumsy) as h:
        assert isinstance(h.adapter, Clumsy)
        h.adapter.slips = TRIES
        assert await h.tell("one") == [sentences.FAULT]
        assert h.states() == ["failed"]


@on_hurrying_clock
async def test_a_history_that_cannot_be_read_just_now_holds_the_turn_up_and_no_more(tmp_path: Path) -> None:
    failures = 1

    def dim(connection: Connection) -> None:
        nonlocal failures
        if failures and threading.current_thread().name != "store-writer":
            failures -= 1
            raise OperationalError("SELECT", None, sqlite3.OperationalError("disk I/O error"))

    async with house(tmp_path, ["First."], ["Second."]) as h:
        await h.recalled()
        event.listen(Engine, "begin", dim)
        try:
            await h.say("one")
            await h.say("two")
            await h.quiet()
        finally:
            event.remove(Engine, "begin", dim)
        assert failures == 0
        assert (h.shown(), h.states()) == (["First.", "Second."], ["done", "done"])


@on_hurrying_clock
async def test_two_notices_whose_posts_are_in_doubt_are_each_shown_once(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=FindingAdapter) as h:
        hall = Target(channel("hall"))
        for number in (1, 2):
            taken = await h.store.aside(h.adapter.name, hall, key=f"k{number}", decision="too_old", text=f"notice {number}")
            assert taken.waiting
            turn = taken.waiting.turn
            await h.store.sending(turn, 0, hall.channel.id)
            tag = part_key(await h.store.load(turn), 0)
            await h.service.write("hall", "bot", f"notice {number}", tag=tag, quiet=True)
        await h.crash()
        await h.start()
        await h.quiet()
        assert h.shown() == ["notice 1", "notice 2"]
