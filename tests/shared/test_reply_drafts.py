"""A reply where a growing text is a draft, on a clock that jumps."""

import asyncio

from shared.chat import Button
from tests.odd.growing import DraftingAdapter
from tests.shared.jumping import now, on_jumping_clock
from tests.shared.replying import Desk, desk

LONG = "one two three four five six seven eight nine ten eleven twelve"


def calls(d: Desk[DraftingAdapter]) -> list[tuple[str, str]]:
    return d.service.asked("post", "edit", "delete", "draft")


@on_jumping_clock
async def test_a_growing_text_is_a_draft_until_it_is_posted() -> None:
    async with desk(DraftingAdapter) as d:
        reply = d.reply(growing=[Button("stop/1", "Stop")])
        reply.show("One **two")
        await d.service.until(lambda: d.service.drafts == {"hall": "One **two**"})
        assert d.service.shown("hall") == []
        assert d.notes.calls == []
        await reply.finish("One **two** three.")
        assert (d.service.drafts, d.service.shown("hall")) == ({}, ["One **two** three."])
        assert d.notes.calls == [("sending", 0), ("shown", 0)]


@on_jumping_clock
async def test_a_part_that_is_full_is_posted_and_the_next_one_is_drafted() -> None:
    async with desk(DraftingAdapter) as d:
        reply = d.reply()
        reply.show(LONG)
        await d.service.until(lambda: bool(d.service.drafts))
        posted = d.service.shown("hall")
        assert " ".join([*posted, d.service.drafts["hall"]]) == LONG
        await reply.finish(LONG)
        assert " ".join(d.service.shown("hall")) == LONG
        assert [act for act, _ in calls(d)] == ["post", "draft", "post"]


@on_jumping_clock
async def test_a_draft_is_shown_again_before_it_vanishes_and_not_when_the_reply_is_over() -> None:
    async with desk(DraftingAdapter) as d:
        reply = d.reply()
        reply.show("One")
        await asyncio.sleep(3 * DraftingAdapter.draft_seconds - 1)
        assert calls(d) == [("draft", "One")] * 3
        await reply.finish("One.")
        await asyncio.sleep(100.0)
        assert calls(d)[3:] == [("post", "One.")]


@on_jumping_clock
async def test_a_part_that_will_grow_no_further_is_posted_before_the_next_one_begins() -> None:
    async with desk(DraftingAdapter, longest=40) as d:
        reply = d.reply()
        reply.show(f"{'a' * 40} ")
        await d.service.until(lambda: d.service.shown("hall") == ["a" * 40])
        await reply.finish(f"{'a' * 40} b")
        assert d.service.shown("hall") == ["a" * 40, "b"]


@on_jumping_clock
async def test_a_part_that_begins_like_the_one_before_is_drafted_too() -> None:
    async with desk(DraftingAdapter, longest=40) as d:
        reply = d.reply()
        reply.show("a" * 30)
        await d.service.until(lambda: d.service.drafts == {"hall": "a" * 30})
        reply.show(f"{'a' * 30}\n\n{'a' * 30}")
        await d.service.until(lambda: d.service.shown("hall") == ["a" * 30])
        await d.service.until(lambda: d.service.drafts == {"hall": "a" * 30})
        assert now() < DraftingAdapter.draft_seconds, "it was not shown only because drafts vanish"
        await reply.leave()
