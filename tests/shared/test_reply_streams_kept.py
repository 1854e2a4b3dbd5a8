"""A reply that is written bit by bit takes nothing back, and gives back what it holds, on a clock that jumps."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.chat import Act, Button, Limit, MessageId, Target
from tests.odd.growing import StreamingAdapter
from tests.shared.jumping import on_jumping_clock
from tests.shared.replying import HALL, Desk, desk


class Slow(StreamingAdapter):
    """Takes more of a stream every ten seconds, or a new one."""

    slow: Act = "extend"

    def limits(self, target: Target, act: Act) -> list[Limit]:
        return [Limit(f"odd:{act}", 1, 10.0)] if act == self.slow else list(super().limits(target, act))


class Faulty(StreamingAdapter):
    """Has a fault of ours where streams end."""

    async def finish(
        self, target: Target, message: MessageId, markdown: str, *, key: str, buttons: Sequence[Button] = ()
    ) -> None:
        raise KeyError(message)


def acts(d: Desk[Slow]) -> list[str]:
    return [act for act, _ in d.service.asked("post", "edit", "delete", "begin", "extend", "finish")]


PARAGRAPH = "word " * 24
TITLED = f"{PARAGRAPH}\n\n# Title\n\n{'more ' * 4}"
LONG = f"{TITLED}{'more ' * 30}"
"""Cut best before its title."""


@on_jumping_clock
async def test_what_waits_to_be_written_into_a_stream_keeps_the_part_from_being_cut_before_it() -> None:
    async with desk(Slow, longest=200) as d:
        reply = d.reply()
        for text in ("word ", "word word "):
            reply.show(text)
            await d.service.until(lambda text=text: d.service.shown("hall") == [text.strip()])
        reply.show(TITLED)
        await asyncio.sleep(5.0)
        reply.show(LONG)
        await d.service.until(lambda: len(d.service.shown("hall")) == 2)
        assert d.service.shown("hall")[0].startswith(TITLED.strip())
        await reply.finish(LONG)
        assert " ".join(d.service.shown("hall")).split() == LONG.split()
        assert acts(d) == ["begin", "extend", "extend", "finish", "begin", "finish"]


@on_jumping_clock
async def test_a_stream_that_waits_for_its_start_keeps_the_part_from_being_cut_before_what_it_will_show() -> None:
    async with desk(Slow, longest=200) as d:
        d.adapter.slow = "begin"
        other = d.reply()
        other.show("one ")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        await other.finish("one.")
        reply = d.reply()
        reply.show(TITLED)
        await asyncio.sleep(5.0)
        reply.show(LONG)
        await d.service.until(lambda: len(d.service.shown("hall")) == 3)
        await reply.finish(LONG)
        assert " ".join(d.service.shown("hall")[1:]).split() == LONG.split()
        assert "edit" not in acts(d)


@on_jumping_clock
async def test_a_stream_that_grows_old_when_all_it_shows_is_the_beginning_of_code_is_not_emptied() -> None:
    async with desk(StreamingAdapter, longest=1000) as d:
        reply = d.reply()
        reply.show("```py\n")
        await d.service.until(lambda: d.service.shown("hall") == ["```py"])
        await d.service.until(lambda: not d.service.boards["hall"].notes[-1].open_until)
        await asyncio.sleep(1.0)
        assert d.service.shown("hall") == ["```py"]
        await reply.finish("```py\nx = 1\n```")
        assert d.service.shown("hall") == ["```py\nx = 1\n```"]


@on_jumping_clock
async def test_a_fault_in_the_end_of_a_stream_does_not_keep_its_permits() -> None:
    async with desk(Faulty) as d:
        reply = d.reply()
        reply.show("one ")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        with pytest.raises(KeyError):
            await reply.leave()
        await asyncio.sleep(10.0)
        assert d.governor.has_room([replace(limit, calls=1) for limit in d.adapter.limits(HALL, "finish")])


@on_jumping_clock
async def test_a_reply_that_is_shown_holds_no_permit_any_more() -> None:
    async with desk(StreamingAdapter) as d:
        reply = d.reply()
        reply.show("one ")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        await reply.finish("one two.")
        await asyncio.sleep(10.0)
        assert d.governor.has_room([replace(limit, calls=1) for limit in d.adapter.limits(HALL, "edit")])
