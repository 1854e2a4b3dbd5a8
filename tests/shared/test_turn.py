"""What one turn does when the ground moves under it."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

from shared import sentences
from shared.backends import Finished
from shared.chat import Button, MessageId, Target
from shared.delivery import TRIES
from shared.errors import Gone
from shared.opening import part_key
from tests.odd.platform import FindingAdapter, OddAdapter, channel
from tests.odd.service import Board
from tests.shared.flavours import ThreadingAdapter
from tests.shared.house import house
from tests.shared.hurrying import on_hurrying_clock
from tests.shared.scripted import USAGE


class Clumsy(OddAdapter):
    """Fails at posts as no adapter should."""

    slips = 0

    async def post(
        self, target: Target, markdown: str, *, key: str, buttons: Sequence[Button] = (), silent: bool = False
    ) -> MessageId:
        if self.slips:
            self.slips -= 1
            raise TypeError("what is that?")
        return await super().post(target, markdown, key=key, buttons=buttons, silent=silent)


class Bereft(ThreadingAdapter):
    """The message that a thread would be opened on is gone."""

    async def open(self, target: Target, title: str) -> Target:
        raise Gone("no such message")


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


@on_hurrying_clock
async def test_a_question_that_is_deleted_before_its_thread_opens_is_not_answered_to_the_end(tmp_path: Path) -> None:
    # The script never ends by itself: only a stop does.
    async with house(tmp_path, ["Half", asyncio.Event()], adapter=Bereft) as h:
        await h.tell("one")
        assert (h.shown(), h.states()) == ([], ["failed"])
        assert h.script.closed == 0
        assert h.script.open == 0


@on_hurrying_clock
async def test_opening_a_thread_waits_for_its_permit(tmp_path: Path) -> None:
    async with house(tmp_path, [Finished("Hello", "end", USAGE)], adapter=ThreadingAdapter) as h:
        h.service.boards["thread"] = Board()
        h.governor.block("odd:hall", 30.0)
        began = asyncio.get_running_loop().time()
        await h.tell("one")
        assert h.shown("thread") == ["Hello"]
        assert asyncio.get_running_loop().time() - began >= 30.0


@on_hurrying_clock
async def test_where_nothing_may_be_said_nothing_more_is_tried(tmp_path: Path) -> None:
    async with house(tmp_path, [Finished("Hello", "end", USAGE)]) as h:
        h.service.boards["hall"].closed_to_us = True
        await h.tell("one")
        assert h.states() == ["failed"]
        assert [text for _, text in h.service.asked("post")] == ["Hello"]


@on_hurrying_clock
async def test_what_comes_while_the_server_drains_is_left_to_the_next_start(tmp_path: Path) -> None:
    held = asyncio.Event()
    async with house(tmp_path, [held, "First."], ["Second."]) as h:
        h.service.boards["yard"] = Board()
        await h.say("one")
        await h.script.was_asked(1)
        draining = asyncio.create_task(h.turns.drain(1000))
        await asyncio.sleep(0)
        await h.say("two", board="yard")
        held.set()
        await draining
        assert (h.shown(), h.states(), len(h.script.prompts)) == (["First."], ["done", "queued"], 1)
        await h.crash()
        await h.start()
        await h.quiet()
        assert (h.shown("yard"), h.states()) == (["Second."], ["done", "done"])
