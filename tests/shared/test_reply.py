"""One growing reply on the odd platform, on a clock that jumps."""

import asyncio
from collections.abc import Sequence
from itertools import repeat

import pytest

from shared.chat import Button, MessageId, Target
from shared.errors import Forbidden, Gone, Stranded
from shared.steps import Slot
from tests.odd.platform import FindingAdapter, OddAdapter
from tests.shared.jumping import now, on_jumping_clock
from tests.shared.replying import HALL, desk


@on_jumping_clock
async def test_the_first_text_is_posted_and_the_rest_are_edits() -> None:
    async with desk(OddAdapter) as d:
        reply = d.reply()
        reply.show("One")
        await d.service.until(lambda: d.service.shown("hall") == ["One"])
        reply.show("One two")
        await d.service.until(lambda: d.service.shown("hall") == ["One two"])
        await reply.finish("One two three.")
        assert d.service.shown("hall") == ["One two three."]
        assert d.calls() == [("post", "One"), ("edit", "One two"), ("edit", "One two three.")]
        assert d.notes.calls == [("sending", 0), ("shown", 0)]


@on_jumping_clock
async def test_a_slow_platform_skips_states_and_the_newest_is_shown() -> None:
    async with desk(OddAdapter) as d:
        held = d.hold("1")
        reply = d.reply()
        for count in range(1, 9):
            reply.show("".join(str(number) for number in range(1, count + 1)))
            await asyncio.sleep(0.01)
        held.set()
        await d.service.until(lambda: d.service.shown("hall") == ["12345678"])
        await reply.finish("123456789")
        assert len(d.calls()) == 3


@on_jumping_clock
async def test_a_finish_overtakes_a_preview_that_waits() -> None:
    async with desk(OddAdapter, calls=2, seconds=100.0) as d:
        reply = d.reply()
        reply.show("One")
        await d.service.until(lambda: d.service.shown("hall") == ["One"])
        reply.show("One two")
        await asyncio.sleep(0.1)
        began = now()
        await reply.finish("One two three.")
        assert now() - began < 1.0
        assert d.calls() == [("post", "One"), ("edit", "One two three.")]


@on_jumping_clock
async def test_a_finish_waits_for_a_preview_on_the_wire() -> None:
    async with desk(OddAdapter) as d:
        reply = d.reply()
        held = d.hold("One")
        reply.show("One")
        await d.service.until(lambda: bool(d.calls()))
        finish = asyncio.create_task(reply.finish("One two."))
        await asyncio.sleep(30)
        assert d.calls() == [("post", "One")]
        held.set()
        await finish
        assert d.service.shown("hall") == ["One two."]
        assert d.calls() == [("post", "One"), ("edit", "One two.")]


@on_jumping_clock
async def test_a_part_has_its_closing_text_before_its_successor_is_posted() -> None:
    async with desk(OddAdapter) as d:
        reply = d.reply()
        reply.show("one two three four")
        await d.service.until(lambda: len(d.calls()) == 1)
        whole = "one two three four five six seven eight nine ten eleven twelve"
        await reply.finish(whole)
        assert " ".join(d.service.shown("hall")) == whole
        assert [act for act, _ in d.calls()] == ["post", "edit", "post"]
        assert d.notes.calls == [("sending", 0), ("shown", 0), ("sending", 1), ("shown", 1)]


@on_jumping_clock
async def test_open_markup_is_closed_in_a_preview() -> None:
    async with desk(OddAdapter) as d:
        reply = d.reply()
        reply.show("See **bold")
        await d.service.until(lambda: d.service.shown("hall") == ["See **bold**"])
        await reply.finish("See **bold** text")
        assert d.service.shown("hall") == ["See **bold** text"]


@on_jumping_clock
async def test_a_preview_that_is_told_to_wait_is_dropped_and_the_final_lands() -> None:
    async with desk(OddAdapter) as d:
        d.service.boards["hall"].waits = True
        reply = d.reply()
        reply.show("One")
        await d.service.until(lambda: d.service.rate_limited == 1)
        reply.show("One two")
        finish = asyncio.create_task(reply.finish("One two three."))
        await asyncio.sleep(0.5)
        d.service.boards["hall"].waits = False
        began = now()
        await finish
        # A minute was asked for, and is given.
        assert 55 < now() - began < 65
        assert d.calls() == [("post", "One"), ("post", "One two three.")]


@on_jumping_clock
async def test_a_final_that_is_told_to_wait_lands_after_the_wait() -> None:
    async with desk(OddAdapter) as d:
        d.service.boards["hall"].waits = True
        finish = asyncio.create_task(d.reply().finish("Whole."))
        await d.service.until(lambda: d.service.rate_limited == 2)
        d.service.boards["hall"].waits = False
        await finish
        assert d.service.shown("hall") == ["Whole."]
        assert now() >= 120


@on_jumping_clock
async def test_a_preview_edit_that_fails_is_dropped_and_the_final_lands() -> None:
    async with desk(OddAdapter) as d:
        reply = d.reply()
        reply.show("One")
        await d.service.until(lambda: d.service.shown("hall") == ["One"])
        d.service.troubles.extend(repeat("broken", 3))
        reply.show("One two")
        await d.service.until(lambda: not d.service.troubles)
        await reply.finish("One two three.")
        assert d.service.shown("hall") == ["One two three."]


@on_jumping_clock
async def test_a_post_torn_after_it_took_effect_is_found_and_edited() -> None:
    async with desk(FindingAdapter) as d:
        d.service.troubles.append("torn after")
        reply = d.reply()
        reply.show("One")
        await d.service.until(lambda: d.service.shown("hall") == ["One"])
        await reply.finish("One two.")
        assert d.service.shown("hall") == ["One two."]
        assert [act for act, _ in d.calls()] == ["post", "read", "edit"]


@on_jumping_clock
async def test_a_post_torn_before_it_took_effect_is_made_again() -> None:
    async with desk(FindingAdapter) as d:
        d.service.troubles.append("torn before")
        await d.reply().finish("Whole.")
        assert d.service.shown("hall") == ["Whole."]
        assert [act for act, _ in d.calls()] == ["post", "read", "post"]
        assert d.notes.calls == [("sending", 0), ("shown", 0)]


@on_jumping_clock
async def test_a_final_is_tried_until_the_platform_takes_it_at_growing_pauses() -> None:
    async with desk(FindingAdapter) as d:
        d.service.troubles.extend(repeat("torn before", 8))
        await d.reply().finish("Whole.")
        assert d.service.shown("hall") == ["Whole."]
        assert now() >= 1 + 2 + 4 + 8 + 16 + 32 + 60 + 60


@on_jumping_clock
async def test_a_part_that_is_gone_is_a_loss_and_is_not_shown_again() -> None:
    async with desk(OddAdapter) as d:
        reply = d.reply()
        reply.show("One")
        await d.service.until(lambda: d.service.shown("hall") == ["One"])
        d.service.boards["hall"].notes.clear()
        await reply.finish("One two.")
        assert (d.service.shown("hall"), d.lost) == ([], 1)
        assert d.calls() == [("post", "One"), ("edit", "One two.")]


class MovingAdapter(OddAdapter):
    """What it showed before its channel became another can be changed no more."""

    left_behind: frozenset[MessageId] = frozenset()

    async def edit(self, target: Target, message: MessageId, markdown: str, *, buttons: Sequence[Button] = ()) -> None:
        if message in self.left_behind:
            raise Stranded("another place by now")
        await super().edit(target, message, markdown, buttons=buttons)


@on_jumping_clock
async def test_a_part_that_stayed_behind_as_its_channel_became_another_is_shown_anew() -> None:
    async with desk(MovingAdapter) as d:
        reply = d.reply()
        reply.show("One")
        await d.service.until(lambda: d.service.shown("hall") == ["One"])
        d.adapter.left_behind = frozenset({MessageId(f"odd:{note.number}") for note in d.service.boards["hall"].notes})
        reply.show("One two")
        await d.service.until(lambda: len(d.service.shown("hall")) == 2)
        await reply.finish("One two three.")
        assert (d.service.shown("hall"), d.lost) == (["One", "One two three."], 0)
        assert d.notes.calls == [("sending", 0), ("shown", 0)] * 2


@on_jumping_clock
async def test_a_channel_that_is_gone_or_closed_is_told_to_the_caller() -> None:
    async with desk(OddAdapter) as d:
        d.service.boards["hall"].closed_to_us = True
        reply = d.reply()
        reply.show("One")
        with pytest.raises(Forbidden):
            await reply.finish("One two.")
        del d.service.boards["hall"]
        with pytest.raises(Gone):
            await d.reply().finish("One two.")


@on_jumping_clock
async def test_parts_of_an_earlier_attempt_are_rewritten_and_the_surplus_is_deleted_last_first() -> None:
    async with desk(OddAdapter) as d:
        before = [await d.adapter.post(HALL, text, key=text) for text in ("old a", "old b", "old c")]
        await d.reply(slots=[Slot(message) for message in before]).finish("New.")
        assert d.service.shown("hall") == ["New."]
        assert d.calls()[3:] == [("edit", "New."), ("delete", "3"), ("delete", "2")]
        assert d.notes.calls == [("dropped", 2), ("dropped", 1)]


@on_jumping_clock
async def test_a_surplus_part_that_may_be_shown_is_looked_for_and_taken_away() -> None:
    async with desk(FindingAdapter) as d:
        first = await d.adapter.post(HALL, "old a", key="t0")
        await d.adapter.post(HALL, "old b", key="t1")
        await d.reply(slots=[Slot(first), Slot(unsure=True)]).finish("New.")
        assert d.service.shown("hall") == ["New."]
        assert d.notes.calls == [("shown", 1), ("dropped", 1)]


@on_jumping_clock
async def test_a_surplus_part_that_was_never_shown_is_forgotten() -> None:
    async with desk(FindingAdapter) as d:
        first = await d.adapter.post(HALL, "old a", key="t0")
        await d.reply(slots=[Slot(first), Slot(unsure=True)]).finish("New.")
        assert d.service.shown("hall") == ["New."]
        assert d.notes.calls == [("dropped", 1)]


@on_jumping_clock
async def test_previews_take_no_part_of_an_earlier_attempt_away() -> None:
    async with desk(OddAdapter) as d:
        before = [await d.adapter.post(HALL, text, key=text) for text in ("old a", "old b")]
        reply = d.reply(slots=[Slot(message) for message in before])
        reply.show("New")
        await d.service.until(lambda: "New" in d.service.shown("hall"))
        await reply.leave()
        assert d.service.shown("hall") == ["New", "old b"]


@on_jumping_clock
async def test_leaving_lets_the_call_on_the_wire_end_and_makes_no_other() -> None:
    async with desk(OddAdapter) as d:
        reply = d.reply()
        held = d.hold("One")
        reply.show("One")
        await d.service.until(lambda: bool(d.calls()))
        leave = asyncio.create_task(reply.leave())
        await asyncio.sleep(0)
        reply.show("One two")
        held.set()
        await leave
        assert d.service.shown("hall") == ["One"]
        assert d.notes.calls == [("sending", 0), ("shown", 0)]


@on_jumping_clock
async def test_the_first_text_can_wait_for_its_first_sentence() -> None:
    async with desk(OddAdapter) as d:
        reply = d.reply(hold_sentence=True)
        reply.show("This is")
        await asyncio.sleep(10)
        assert d.calls() == []
        reply.show("This is it. And")
        await d.service.until(lambda: d.service.shown("hall") == ["This is it. And"])
        reply.show("This is it. And more")
        await d.service.until(lambda: d.service.shown("hall") == ["This is it. And more"])
        await reply.leave()


@on_jumping_clock
async def test_a_preview_that_had_to_wait_shows_what_is_newest_by_then() -> None:
    async with desk(OddAdapter, calls=1, seconds=10.0) as d:
        reply = d.reply()
        reply.show("one")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        reply.show("one two")
        await asyncio.sleep(2.0)
        reply.show("one two three")
        await d.service.until(lambda: d.service.shown("hall") != ["one"])
        await reply.leave()
        assert d.calls() == [("post", "one"), ("edit", "one two three")]


@on_jumping_clock
async def test_the_first_text_of_a_reply_goes_before_more_of_another() -> None:
    async with desk(OddAdapter, calls=1, seconds=10.0) as d:
        first, second = d.reply(), d.reply()
        first.show("one")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        first.show("one two")
        await asyncio.sleep(2.0)
        second.show("another")
        await d.service.until(lambda: len(d.calls()) == 3)
        await first.leave()
        await second.leave()
        assert d.calls() == [("post", "one"), ("post", "another"), ("edit", "one two")]


@on_jumping_clock
async def test_a_platform_that_cannot_be_reached_is_asked_less_and_less_often() -> None:
    async with desk(OddAdapter) as d:
        d.service.troubles.extend(repeat("torn before", 1000))
        reply = d.reply()
        reply.show("one")
        await asyncio.sleep(20.0)
        assert 3 <= len(d.calls()) <= 6
        d.service.troubles.clear()
        await reply.finish("one two")
        assert d.service.shown("hall") == ["one two"]


@on_jumping_clock
async def test_a_channel_that_is_gone_ends_the_asking_before_the_final() -> None:
    async with desk(OddAdapter) as d:
        await d.service.close("hall")
        reply = d.reply()
        reply.show("one")
        await d.service.until(lambda: len(d.calls()) == 1)
        await asyncio.sleep(1.0)
        assert d.lost == 1
        with pytest.raises(Gone):
            await reply.finish("one two")


@on_jumping_clock
async def test_open_markup_stays_open_while_its_end_has_no_room() -> None:
    async with desk(OddAdapter, longest=40) as d:
        reply = d.reply()
        reply.show(f"**{'a' * 37}")
        await d.service.until(lambda: d.service.shown("hall") == [f"**{'a' * 37}"])
        await reply.finish("**a**")
        assert d.service.shown("hall") == ["**a**"]


@on_jumping_clock
async def test_blank_text_is_not_posted_and_an_empty_final_takes_everything_away() -> None:
    async with desk(OddAdapter) as d:
        reply = d.reply()
        reply.show(" \n")
        await asyncio.sleep(10)
        assert d.calls() == []
        reply.show("\nOne")
        await d.service.until(lambda: bool(d.service.shown("hall")))
        await reply.finish("")
        assert d.service.shown("hall") == []


@on_jumping_clock
async def test_a_silent_reply_is_posted_silently() -> None:
    async with desk(OddAdapter) as d:
        await d.reply(silent=True).finish("Notice.")
        await d.reply().finish("Answer.")
        assert [note.quiet for note in d.service.boards["hall"].notes] == [True, False]


@on_jumping_clock
async def test_a_fussy_platform_is_never_asked_too_often() -> None:
    async with desk(OddAdapter, calls=3, seconds=5.0) as d:
        replies = [d.reply() for _ in range(3)]
        for count in range(1, 30):
            for reply in replies:
                reply.show("x" * count)
            await asyncio.sleep(0.2)
        await asyncio.gather(*(reply.finish("x" * 30) for reply in replies))
        assert d.service.shown("hall") == ["x" * 30] * 3
        assert d.service.rate_limited == 0


@on_jumping_clock
async def test_a_reply_knows_its_parts() -> None:
    async with desk(OddAdapter) as d:
        reply = d.reply()
        await reply.finish("Whole.")
        assert reply.owns(MessageId("odd:1"))
        assert not reply.owns(MessageId("odd:2"))


@on_jumping_clock
async def test_a_final_goes_before_a_notice_that_waited_longer() -> None:
    async with desk(OddAdapter, calls=1, seconds=10.0) as d:
        await d.reply().finish("before")
        notice = asyncio.create_task(d.reply(silent=True).finish("notice"))
        await asyncio.sleep(1.0)
        final = asyncio.create_task(d.reply().finish("final"))
        await asyncio.gather(notice, final)
        assert [text for _, text in d.calls()] == ["before", "final", "notice"]
