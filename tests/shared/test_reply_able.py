"""A reply on a platform that has buttons and shows files, and the line on what is being done."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from itertools import repeat
from pathlib import Path

from shared.chat import Button, File, MessageId, Target
from shared.reply import STATUS_AFTER, UPLOADS
from shared.steps import Slot
from tests.odd.service import Service
from tests.shared.flavours import AbleAdapter
from tests.shared.jumping import now, on_jumping_clock
from tests.shared.replying import HALL, desk

STOP = (Button("stop/1", "Stop"),)
RETRY = (Button("retry/1", "Retry"),)
LONG = "one two three four five six seven eight nine ten eleven twelve"


def file(folder: Path, name: str, text: str) -> File:
    path = folder / name
    path.write_text(text)
    return File(name, "text/plain", path, len(text))


# Buttons


@on_jumping_clock
async def test_a_post_that_was_refused_was_not_made_and_is_not_looked_for() -> None:
    async with desk(AbleAdapter) as d:
        d.service.boards["hall"].closed_to_us = True
        reply = d.reply()
        reply.show("One")
        await d.service.until(lambda: d.calls() == [("post", "One")])
        await asyncio.sleep(1.0)
        d.service.boards["hall"].closed_to_us = False
        await reply.finish("One two.")
        assert d.calls() == [("post", "One"), ("post", "One two.")]


@on_jumping_clock
async def test_a_reply_that_needs_one_post_shows_no_button_and_costs_no_second_call() -> None:
    async with desk(AbleAdapter) as d:
        reply = d.reply(growing=STOP)
        reply.show("Whole.")
        await d.service.until(lambda: d.service.shown("hall") == ["Whole."])
        await reply.finish("Whole.")
        assert d.calls() == [("post", "Whole.")]
        assert d.service.pressable("hall") == [()]


@on_jumping_clock
async def test_from_the_second_call_on_the_reply_can_be_stopped_until_its_end() -> None:
    async with desk(AbleAdapter) as d:
        reply = d.reply(growing=STOP)
        reply.show("One")
        await d.service.until(lambda: d.service.shown("hall") == ["One"])
        assert d.service.pressable("hall") == [()]
        reply.show("One two")
        await d.service.until(lambda: d.service.shown("hall") == ["One two"])
        assert d.service.pressable("hall") == [("stop/1",)]
        await reply.finish("One two three.")
        assert d.service.pressable("hall") == [()]
        assert [act for act, _ in d.calls()] == ["post", "edit", "edit"]


@on_jumping_clock
async def test_the_button_moves_to_the_last_part_and_a_closed_one_loses_it_with_its_closing_text() -> None:
    async with desk(AbleAdapter) as d:
        reply = d.reply(growing=STOP)
        for text in ("one", "one two three four", LONG):
            reply.show(text)
            await d.service.until(lambda text=text: " ".join(d.service.shown("hall")) == text)
        assert d.service.pressable("hall") == [(), ("stop/1",)]
        assert [act for act, _ in d.calls()] == ["post", "edit", "edit", "post"]
        await reply.finish(LONG, buttons=RETRY)
        assert d.service.pressable("hall") == [(), ("retry/1",)]


@on_jumping_clock
async def test_a_final_that_says_the_same_still_takes_the_button_away() -> None:
    async with desk(AbleAdapter) as d:
        reply = d.reply(growing=STOP)
        for text in ("one", "one two"):
            reply.show(text)
            await d.service.until(lambda text=text: d.service.shown("hall") == [text])
        await reply.finish("one two")
        assert d.service.pressable("hall") == [()]
        assert d.calls() == [("post", "one"), ("edit", "one two"), ("edit", "one two")]


@on_jumping_clock
async def test_a_reply_that_is_asked_for_again_can_be_stopped_from_its_first_call_on() -> None:
    async with desk(AbleAdapter) as d:
        first = await d.adapter.post(HALL, "old", key="t0", buttons=RETRY)
        reply = d.reply(slots=[Slot(first)], growing=STOP)
        reply.show("new")
        await d.service.until(lambda: d.service.shown("hall") == ["new"])
        assert d.service.pressable("hall") == [("stop/1",)]
        await reply.finish("new")
        assert d.service.pressable("hall") == [()]


# The line on what is being done


@on_jumping_clock
async def test_what_is_being_done_is_shown_alone_only_after_a_while() -> None:
    async with desk(AbleAdapter) as d:
        reply = d.reply()
        reply.show("", status="*Thinking: of you*")
        await asyncio.sleep(STATUS_AFTER - 0.1)
        assert d.calls() == []
        await d.service.until(lambda: d.service.shown("hall") == ["*Thinking: of you*"])
        assert now() >= STATUS_AFTER
        assert not reply.begun
        reply.show("Hello")
        await d.service.until(lambda: d.service.shown("hall") == ["Hello"])
        assert reply.begun
        await reply.finish("Hello you.")
        assert [act for act, _ in d.calls()] == ["post", "edit", "edit"]


@on_jumping_clock
async def test_what_is_being_done_is_shown_at_once_where_people_have_waited_already() -> None:
    async with desk(AbleAdapter) as d:
        reply = d.reply()
        await asyncio.sleep(10 * STATUS_AFTER)
        reply.show("", status="*Running code…*")
        await d.service.until(lambda: d.service.shown("hall") == ["*Running code…*"])
        assert now() < 11 * STATUS_AFTER
        await reply.finish("")
        assert d.service.shown("hall") == []


@on_jumping_clock
async def test_a_quick_text_comes_before_any_line_on_what_is_being_done() -> None:
    async with desk(AbleAdapter) as d:
        reply = d.reply()
        reply.show("", status="*Thinking: of you*")
        await asyncio.sleep(STATUS_AFTER / 2)
        reply.show("Hello")
        await d.service.until(lambda: d.service.shown("hall") == ["Hello"])
        await asyncio.sleep(STATUS_AFTER)
        assert d.calls() == [("post", "Hello")]
        await reply.leave()


@on_jumping_clock
async def test_what_is_being_done_stands_below_the_text_where_it_fits_and_never_in_the_end() -> None:
    async with desk(AbleAdapter) as d:
        reply = d.reply()
        reply.show("Let me see. ", status="*Searching…*")
        await d.service.until(lambda: d.service.shown("hall") == ["Let me see.\n\n*Searching…*"])
        reply.show("Let me see what there is about it. ", status="*Searching…*")
        await d.service.until(lambda: d.service.shown("hall") == ["Let me see what there is about it."])
        await reply.finish("Let me see what there is about it.")
        assert [act for act, _ in d.calls()] == ["post", "edit"]


# Files


@on_jumping_clock
async def test_files_come_after_the_text_and_are_noted(tmp_path: Path) -> None:
    async with desk(AbleAdapter) as d:
        files = [file(tmp_path, "a.txt", "aa"), file(tmp_path, "b.txt", "bb")]
        assert await d.reply().finish("Here:", files=files) == frozenset()
        assert d.service.shown("hall") == ["Here:", "a.txt", "b.txt"]
        assert [note.data for note in d.service.boards["hall"].notes] == [None, b"aa", b"bb"]
        assert d.notes.calls[2:] == [("sending file", 0), ("shown file", 0), ("sending file", 1), ("shown file", 1)]


@on_jumping_clock
async def test_a_file_that_was_shown_before_a_crash_is_not_shown_again(tmp_path: Path) -> None:
    async with desk(AbleAdapter) as d:
        files = [file(tmp_path, "a.txt", "aa"), file(tmp_path, "b.txt", "bb")]
        text = await d.adapter.post(HALL, "Here:", key="t0")
        first = await d.adapter.upload(HALL, files[0], key="f0")
        lost = await d.adapter.upload(HALL, files[1], key="f1")
        reply = d.reply(slots=[Slot(text)], files={0: Slot(first), 1: Slot(unsure=True)})
        await reply.finish("Here:", files=files)
        assert d.service.shown("hall") == ["Here:", "a.txt", "b.txt"]
        assert d.notes.calls == [("shown file", 1)]
        assert reply.owns(lost)


@on_jumping_clock
async def test_a_torn_upload_is_found_or_made_again(tmp_path: Path) -> None:
    for trouble, calls in (("torn after", ["upload", "read"]), ("torn before", ["upload", "read", "upload"])):
        async with desk(AbleAdapter) as d:
            reply = d.reply()
            d.service.before.append(lambda act, text, d=d, trouble=trouble: _break(d.service, act, trouble))
            await reply.finish("", files=[file(tmp_path, "a.txt", "aa")])
            assert d.service.shown("hall") == ["a.txt"]
            assert [act for act, _ in d.calls()] == calls


def _break(service: Service, act: str, trouble: str) -> None:
    if act == "upload" and service.asked("upload") == [("upload", "a.txt")]:
        service.troubles.append("torn after" if trouble == "torn after" else "torn before")


@on_jumping_clock
async def test_files_that_are_refused_are_told_to_the_caller_and_the_others_are_shown(tmp_path: Path) -> None:
    async with desk(AbleAdapter) as d:
        large = file(tmp_path, "large.txt", "x" * (d.service.largest + 1))
        small = file(tmp_path, "small.txt", "x")
        reply = d.reply()
        assert await reply.finish("Here:", files=[large, small]) == {0}
        assert d.service.shown("hall") == ["Here:", "small.txt"]
        assert await reply.finish("Here: but not all", files=[None, small]) == frozenset()
        assert d.service.shown("hall") == ["Here: but not all", "small.txt"]
        assert "read" not in [act for act, _ in d.calls()], "what was refused is not looked for"


class Blind(AbleAdapter):
    """Cannot read keys."""

    looked_after: MessageId | None = None

    async def find(
        self,
        target: Target,
        key: str,
        after: MessageId | None,
        *,
        since: datetime,
        known: Collection[MessageId],
        silent: bool,
    ) -> MessageId | None:
        self.looked_after = after
        found = [note for note in await self._call(target, self._service.read) if note.writer == "bot"]
        return next((each for note in found if (each := MessageId(f"odd:{note.number}")) not in known), None)


@on_jumping_clock
async def test_a_message_of_another_reply_is_not_taken_for_a_lost_one() -> None:
    async with desk(Blind) as d:
        other = await d.adapter.post(HALL, "Another answer", key="x")
        d.notes.others = frozenset({other})
        reply = d.reply(slots=[Slot(unsure=True)])
        await reply.finish("Mine.")
        assert d.service.shown("hall") == ["Another answer", "Mine."]


@on_jumping_clock
async def test_a_lost_part_is_looked_for_after_the_one_before_it() -> None:
    async with desk(Blind) as d:
        first = await d.adapter.post(HALL, "one", key="t0")
        lost = await d.adapter.post(HALL, "two", key="t1")
        d.notes.others = frozenset({first})
        reply = d.reply(slots=[Slot(first), Slot(unsure=True)])
        await reply.finish(LONG)
        assert d.adapter.looked_after == first
        assert reply.owns(lost)
        assert " ".join(d.service.shown("hall")) == LONG


@on_jumping_clock
async def test_a_file_that_never_gets_through_is_given_up(tmp_path: Path) -> None:
    async with desk(AbleAdapter) as d:
        reply = d.reply()
        await reply.finish("Here:")
        d.service.troubles.extend(repeat("broken", UPLOADS))
        assert await reply.finish("Here:", files=[file(tmp_path, "a.txt", "aa")]) == {0}
        assert d.service.shown("hall") == ["Here:"]
        assert d.notes.calls[-1] == ("dropped file", 0)


@on_jumping_clock
async def test_files_of_an_earlier_answer_are_withdrawn(tmp_path: Path) -> None:
    async with desk(AbleAdapter) as d:
        old = [await d.adapter.upload(HALL, file(tmp_path, name, "x"), key=name) for name in ("a.txt", "b.txt")]
        reply = d.reply(files={0: Slot(old[0]), 2: Slot(old[1])})
        await reply.withdraw_files()
        await reply.leave()
        assert d.service.shown("hall") == []
        assert d.notes.calls == [("dropped file", 2), ("dropped file", 0)]
