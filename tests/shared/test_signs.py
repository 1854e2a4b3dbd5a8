"""The sign on a question that has to wait."""

import asyncio
from pathlib import Path

import pytest

from shared import sentences
from shared.chat import Target
from shared.store import Rules
from tests.odd.platform import channel
from tests.odd.service import Note, Trouble
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


def holding(h: House, sort: str) -> asyncio.Event:
    """Hold the calls that leave or take away signs, until it is set."""
    on = asyncio.Event()
    h.service.before.append(lambda act, text: on if act == "react" and text.endswith(f" {sort}") else None)
    return on


async def waiting(h: House) -> Note:
    """A second question, with its sign where the first one is not answered yet."""
    await h.say("one")
    await h.script.was_asked(1)
    return await h.say("two")


@on_hurrying_clock
async def test_a_sign_is_taken_away_though_the_server_died_after_the_answer(tmp_path: Path) -> None:
    first = asyncio.Event()
    async with house(tmp_path, [first, "One."], adapter=AbleAdapter) as h:
        note = await waiting(h)
        await h.service.until(lambda: note.seen)
        holding(h, "unseen")
        first.set()
        await h.quiet()
        await h.crash()
        assert h.states() == ["done", "done"]
        assert note.seen
        h.service.before.clear()
        await h.start()
        await h.service.until(lambda: not note.seen)
        await h.drain()
        assert h.rows("SELECT turn FROM signs") == []


TORN: list[Trouble] = ["torn before", "torn after"]


@pytest.mark.parametrize("trouble", TORN)
@on_hurrying_clock
async def test_it_is_tried_again_to_take_a_sign_away(tmp_path: Path, trouble: Trouble) -> None:
    first = asyncio.Event()
    async with house(tmp_path, [first, "One."], adapter=AbleAdapter) as h:
        note = await waiting(h)
        await h.service.until(lambda: note.seen)
        h.service.sign_troubles.extend([trouble, trouble])
        first.set()
        await h.service.until(lambda: len(seen(h)) == 4 and not note.seen)
        assert seen(h) == [f"{note.number} seen", *[f"{note.number} unseen"] * 3]


@on_hurrying_clock
async def test_what_cannot_be_taken_away_is_left_to_the_next_start(tmp_path: Path) -> None:
    first = asyncio.Event()
    async with house(tmp_path, [first, "One."], adapter=AbleAdapter) as h:
        note = await waiting(h)
        await h.service.until(lambda: note.seen)
        h.service.sign_troubles.extend(["broken", "broken", "broken", "broken"])
        first.set()
        await h.service.until(lambda: len(seen(h)) == 5)
        await later(100)
        assert len(seen(h)) == 5
        assert note.seen
        await h.drain()
        await h.start()
        await h.service.until(lambda: not note.seen)


@on_hurrying_clock
async def test_a_sign_of_which_nobody_knows_whether_it_was_left_is_taken_away(tmp_path: Path) -> None:
    first = asyncio.Event()
    async with house(tmp_path, [first, "One."], adapter=AbleAdapter) as h:
        h.service.sign_troubles.append("torn after")
        note = await waiting(h)
        await h.service.until(lambda: note.seen)
        first.set()
        await h.service.until(lambda: not note.seen)


@on_hurrying_clock
async def test_a_question_whose_turn_came_meanwhile_gets_no_sign(tmp_path: Path) -> None:
    first = asyncio.Event()
    async with house(tmp_path, [first, "One."], adapter=AbleAdapter) as h:
        on = holding(h, "seen")
        note = await waiting(h)
        await h.service.until(lambda: seen(h) == [f"{note.number} seen"])
        first.set()
        await h.quiet()
        on.set()
        await h.service.until(lambda: seen(h) == [f"{note.number} seen", f"{note.number} unseen"] and not note.seen)


@on_hurrying_clock
async def test_a_stop_of_the_server_lets_a_sign_be_taken_away(tmp_path: Path) -> None:
    first = asyncio.Event()
    async with house(tmp_path, [first, "One."], adapter=AbleAdapter) as h:
        note = await waiting(h)
        await h.service.until(lambda: note.seen)
        on = holding(h, "unseen")
        first.set()
        await h.quiet()
        await h.service.until(lambda: len(seen(h)) == 2)
        asyncio.get_running_loop().call_later(1, on.set)
        await h.drain()
        assert not note.seen
        assert h.rows("SELECT turn FROM signs") == []


@on_hurrying_clock
async def test_a_sign_that_cannot_go_at_once_goes_later(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event()], adapter=AbleAdapter) as h:
        await h.say("one")
        await h.script.was_asked(1)
        [limit, *_] = h.adapter.limits(Target(channel("hall")), "react")
        h.governor.block(limit.scope, 20)
        note = await h.say("two")
        await later(5)
        assert seen(h) == []
        await h.service.until(lambda: note.seen)
