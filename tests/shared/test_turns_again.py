"""Turns across a drain, a crash, and a store that cannot be used."""

import asyncio
from pathlib import Path

import pytest

from shared import sentences
from shared.backends import Finished
from shared.chat import MessageId, Target
from shared.opening import part_key
from tests.odd.platform import FindingAdapter, OddAdapter, channel
from tests.shared.disk import disk
from tests.shared.house import House, house
from tests.shared.hurrying import later, on_hurrying_clock
from tests.shared.scripted import USAGE

HALL = channel("hall").id


@on_hurrying_clock
async def test_a_drained_turn_goes_on_after_a_restart_in_the_same_message(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()], ["Whole answer."]) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.drain()
        assert h.rows("SELECT state, attempts FROM turns") == [("queued", 0)]
        assert h.shown() == ["Half"]
        await h.start()
        await h.quiet()
        assert (h.shown(), h.states()) == (["Whole answer."], ["done"])
        assert [prompt.attempt for prompt in h.script.prompts] == [1, 2]


@on_hurrying_clock
async def test_a_drain_lets_an_answer_end_that_is_quick_enough(tmp_path: Path) -> None:
    go = asyncio.Event()
    async with house(tmp_path, [go, "Whole."]) as h:
        await h.say("one")
        await h.say("two")
        await h.script.was_asked(1)
        drained = asyncio.create_task(h.drain(1000))
        await asyncio.sleep(0)
        go.set()
        await drained
        assert h.shown() == ["Whole."]
        assert h.states() == ["done", "queued"]
        await h.start()
        await h.quiet()
        assert h.shown() == ["Whole.", "re ada: two"]


@on_hurrying_clock
async def test_a_turn_drained_just_after_its_stop_stays_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()]) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        # The stop is stored, and the signal to end comes before it was acted on.
        await h.store.ask_stop(1)
        await h.drain()
        assert h.states() == ["stopping"]
        await h.start()
        await h.quiet()
        assert (h.shown(), h.states()) == ([sentences.STOPPED], ["stopped"])
        assert "fault of ours" not in capsys.readouterr().out


@on_hurrying_clock
async def test_a_turn_stopped_before_a_crash_is_not_asked_again(tmp_path: Path) -> None:
    async with house(tmp_path, ["Half", asyncio.Event()]) as h:
        await h.say("one")
        await h.service.until(lambda: h.shown() == ["Half"])
        await h.store.ask_stop(1)
        await h.crash()
        await h.start()
        await h.quiet()
        assert (h.shown(), h.states()) == ([sentences.STOPPED], ["stopped"])
        assert len(h.script.prompts) == 1


@on_hurrying_clock
async def test_turns_that_waited_at_a_crash_are_answered_in_their_order_before_new_ones(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event()]) as h:
        for text in ("one", "two"):
            await h.say(text)
        await h.script.was_asked(1)
        await h.crash()
        await h.start()
        await h.say("three")
        await h.quiet()
        assert h.shown() == ["re ada: one", "re ada: two", "re ada: three"]


@on_hurrying_clock
async def test_a_turn_is_given_up_once_its_attempts_are_used_up_by_crashes(tmp_path: Path) -> None:
    async with house(tmp_path, *[[f"Try {number}", asyncio.Event()] for number in (1, 2, 3)], attempts=2) as h:
        await h.say("one")
        for number in (1, 2):
            await h.service.until(lambda number=number: h.shown() == [f"Try {number}"])
            await h.crash()
            await h.start()
        await h.quiet()
        assert (h.shown(), h.states()) == ([sentences.CRASHED], ["failed"])
        assert [prompt.attempt for prompt in h.script.prompts] == [1, 2]


@on_hurrying_clock
async def test_an_answer_that_was_stored_is_delivered_after_a_crash_without_asking_again(tmp_path: Path) -> None:
    # Without a preview the first call is the final's.
    async with house(tmp_path, [Finished("Whole.", "end", USAGE)]) as h:
        h.service.boards["hall"].waits = True
        await h.say("one")
        await h.service.until(lambda: bool(h.service.asked("post")))
        assert h.states() == ["answered"]
        await h.crash()
        h.service.boards["hall"].waits = False
        h.adapter.forgive()
        await h.start()
        await h.quiet()
        assert (h.shown(), h.states()) == (["Whole."], ["done"])
        assert len(h.script.prompts) == 1


async def _sending(h: House, *, posted: bool) -> None:
    """A turn whose first part was being posted when the server died."""
    note = await h.service.write("hall", "ada", "bot, one")
    await h.service.heard()
    await h.script.was_asked(1)
    await h.store.sending(1, 0, HALL)
    if posted:
        key = part_key(await h.store.load(1), 0)
        await h.service.write("hall", "bot", "Ha", tag=key)
    await h.crash()
    assert note.number == 1
    await h.start()
    await h.quiet()


@on_hurrying_clock
async def test_a_part_that_was_posted_before_the_crash_is_found_and_edited(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event()], ["Whole."], adapter=FindingAdapter) as h:
        await _sending(h, posted=True)
        assert h.shown() == ["Whole."]
        assert [act for act, _ in h.service.asked("read", "post", "edit")] == ["read", "edit"]


@on_hurrying_clock
async def test_a_part_that_was_not_posted_before_the_crash_is_posted_with_its_key(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event()], ["Whole."], adapter=FindingAdapter) as h:
        await _sending(h, posted=False)
        assert h.shown() == ["Whole."]
        [note] = [note for note in h.service.boards["hall"].notes if note.writer == "bot"]
        assert note.tag == part_key(await h.store.load(1), 0)
        assert len(note.tag) <= 25


@on_hurrying_clock
async def test_where_nothing_can_be_found_the_part_is_posted_once_more(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event()], ["Whole."], adapter=OddAdapter) as h:
        await _sending(h, posted=True)
        assert h.shown() == ["Ha", "Whole."]
        tags = {note.tag for note in h.service.boards["hall"].notes if note.writer == "bot"}
        assert len(tags) == 1, "the key is the same in every attempt"


@on_hurrying_clock
async def test_parts_that_a_shorter_answer_no_longer_needs_are_taken_away(tmp_path: Path) -> None:
    long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    async with house(tmp_path, [long, asyncio.Event()], ["Short."], longest=40) as h:
        await h.say("one")
        await h.service.until(lambda: " ".join(h.shown()) == long)
        assert len(h.shown()) == 3
        await h.crash()
        await h.start()
        await h.quiet()
        assert h.shown() == ["Short."]
        assert h.rows("SELECT count(*) FROM parts") == [(1,)]


@on_hurrying_clock
async def test_keys_differ_by_part_and_turn_and_not_by_attempt(tmp_path: Path) -> None:
    async with house(tmp_path, [asyncio.Event()]) as h:
        for text in ("one", "two"):
            await h.say(text)
        first, second = await h.store.load(1), await h.store.load(2)
        again = await h.store.begin(1)
        keys = [part_key(work, ordinal) for work in (first, second) for ordinal in (-1, 0, 1)]
        assert len(set(keys)) == len(keys)
        assert part_key(again, 0) == part_key(first, 0)
        assert all(len(key) <= 25 and key.isascii() for key in keys)


# A store that cannot be used


LONG = "long " * 20_000


@on_hurrying_clock
async def test_a_turn_whose_store_is_full_waits_and_ends_when_there_is_room(tmp_path: Path) -> None:
    go = asyncio.Event()
    async with house(tmp_path, [go, LONG], longest=200_000) as h:
        with disk(h) as room:
            await h.say("one")
            await h.script.was_asked(1)
            room.full()
            go.set()
            # Several tries go by.
            await later(10)
            assert (h.states(), h.turns.busy) == (["running"], 1)
            room.free()
            await h.quiet()
        assert (h.shown(), h.states()) == ([LONG], ["done"])
        assert len(h.script.prompts) == 1


@on_hurrying_clock
async def test_a_store_that_stays_full_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async with house(tmp_path, [Finished(LONG, "end", USAGE)], [Finished(LONG, "end", USAGE)], longest=200_000) as h:
        with disk(h) as room:
            await h.say("one")
            room.full()
            await h.script.until(lambda: bool(h.script.prompts) and h.script.open == 0)
            await h.drain()
            assert h.states() == ["running"]
        await h.start()
        await h.quiet()
        assert (h.shown(), h.states()) == ([LONG], ["done"])


@on_hurrying_clock
async def test_a_notice_that_was_not_delivered_is_delivered_after_a_crash(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        message = MessageId("odd:7")
        taken = await h.store.aside("odd", Target(channel("hall")), key=message, decision="too_old", text="Listed.")
        assert taken.waiting is not None
        await h.crash()
        await h.start()
        await h.quiet()
        assert (h.shown(), h.states(), h.script.prompts) == (["Listed."], ["done"], [])
