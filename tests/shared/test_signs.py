"""The sign on a question that has to wait."""

import asyncio
from pathlib import Path

from shared import sentences
from shared.store import Rules
from tests.shared.flavours import AbleAdapter
from tests.shared.house import House, house
from tests.shared.hurrying import later, on_hurrying_clock


def seen(h: House) -> list[str]:
    return [text for _, text in h.service.asked("react")]


@on_hurrying_clock
async def test_a_question_that_waits_has_a_sign_until_its_turn_begins(tmp_path: Path) -> None:
    first = asyncio.Event()
    async with house(tmp_path, [first, "One."], adapter=AbleAdapter) as h:
        await h.say("one")
        await h.script.was_asked(1)
        note = await h.say("two")
        await h.service.until(lambda: note.seen)
        first.set()
        await h.quiet()
        await h.service.until(lambda: not note.seen)
        assert seen(h) == [f"{note.number} seen", f"{note.number} unseen"]


@on_hurrying_clock
async def test_a_sign_is_taken_away_after_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event()], adapter=AbleAdapter) as h:
        await h.say("one")
        await h.script.was_asked(1)
        note = await h.say("two")
        await h.service.until(lambda: note.seen)
        await h.crash()
        assert note.seen
        await h.start()
        await h.quiet()
        await h.service.until(lambda: not note.seen)


@on_hurrying_clock
async def test_where_no_signs_may_be_left_none_is_tried_for_an_hour(tmp_path: Path) -> None:
    first = asyncio.Event()
    async with house(tmp_path, [first, "One."], adapter=AbleAdapter) as h:
        await h.say("one")
        await h.script.was_asked(1)
        h.service.boards["hall"].closed_to_us = True
        await h.say("two")
        await h.service.until(lambda: bool(seen(h)))
        await later(5)
        await h.say("three")
        await later(5)
        assert len(seen(h)) == 1
        h.service.boards["hall"].closed_to_us = False
        first.set()
        await h.quiet()
        assert len(seen(h)) == 1


@on_hurrying_clock
async def test_a_question_that_is_answered_at_once_has_no_sign(tmp_path: Path) -> None:
    async with house(tmp_path, adapter=AbleAdapter) as h:
        await h.tell("one")
        await h.tell("two")
        assert seen(h) == []


@on_hurrying_clock
async def test_where_a_new_question_interrupts_the_one_before_ends_and_no_sign_is_left(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], ["Two."], adapter=AbleAdapter, rules=Rules(interrupt=True)) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.say("two")
        await h.quiet()
        assert h.shown() == [f"Half\n\n*{sentences.STOPPED}*", "Two."]
        assert seen(h) == []
