"""A reply where messages are written bit by bit, on a clock that jumps."""

import asyncio
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.chat import Act, Button, Limit, MessageId, Target
from shared.errors import Forbidden
from shared.growth import Growth
from shared.steps import Slot, next_step
from tests.odd.growing import StreamingAdapter
from tests.odd.platform import OddAdapter
from tests.odd.service import Note, Service
from tests.shared.jumping import now, on_jumping_clock
from tests.shared.replying import HALL, Desk, desk

RETRY = (Button("retry/1", "Retry"),)
STOP = (Button("stop/1", "Stop"),)
ACTS = ("post", "edit", "delete", "begin", "extend", "finish")
WORDS = st.sampled_from(
    [
        "one ", "two", " ", "\n", "\n\n", "**", "*", "`", "```", "```py\n", "| a | b |\n", "|---|---|\n", "- ", "> ", "# ",
        "[x](y)", "zwölf ", "end.",
    ]
)  # fmt: skip


Adapting = TypeVar("Adapting", bound=OddAdapter)


def calls(d: Desk[Adapting]) -> list[tuple[str, str]]:
    return d.service.asked(*ACTS)


def note(d: Desk[Adapting], number: int = -1) -> Note:
    return [each for each in d.service.boards["hall"].notes if each.writer == "bot"][number]


@on_jumping_clock
async def test_a_stream_is_begun_written_on_and_finished() -> None:
    async with desk(StreamingAdapter) as d:
        reply = d.reply(growing=STOP)
        for text, seen in (("One ", "One"), ("One two ", "One two")):
            reply.show(text)
            await d.service.until(lambda seen=seen: d.service.shown("hall") == [seen])
        await reply.finish("One two three.", buttons=RETRY)
        assert calls(d) == [("begin", "One"), ("extend", " two"), ("finish", " three.")]
        assert d.service.shown("hall") == ["One two three."]
        assert d.service.pressable("hall") == [("retry/1",)]
        assert d.notes.calls == [("sending", 0), ("shown", 0)]


@on_jumping_clock
async def test_what_may_still_change_is_not_written_into_a_stream() -> None:
    async with desk(StreamingAdapter) as d:
        reply = d.reply()
        reply.show("It is **very")
        await d.service.until(lambda: d.service.shown("hall") == ["It is"])
        reply.show("It is **very** good ")
        await d.service.until(lambda: d.service.shown("hall") == ["It is **very** good"])
        await reply.finish("It is **very** good indeed.")
        assert note(d).pieces == ["It is", " **very** good", " indeed."]


@on_jumping_clock
async def test_a_full_stream_is_cut_where_nothing_has_to_be_taken_back() -> None:
    async with desk(StreamingAdapter, longest=260) as d:
        text = " ".join(f"word{number}" for number in range(60))
        reply = d.reply()
        shown = ""
        for end in range(10, len(text), 7):
            reply.show(text[:end])
            await asyncio.sleep(0.05)
            seen = "\n".join(d.service.shown("hall"))
            assert seen.startswith(shown[:-1])
            shown = seen
        await reply.finish(text, buttons=RETRY)
        assert " ".join(d.service.shown("hall")) == text
        assert "edit" not in {act for act, _ in calls(d)}
        assert [act for act, _ in calls(d)].count("begin") == 2
        assert d.service.pressable("hall") == [(), ("retry/1",)]


@on_jumping_clock
async def test_a_stream_is_not_filled_to_the_brim_so_that_it_can_be_cut_well() -> None:
    async with desk(StreamingAdapter, longest=405) as d:
        lines = [f"Line {number:02}." for number in range(60)]
        text = "\n\n".join(lines)
        reply = d.reply()
        for end in range(0, len(text), 3):
            reply.show(text[:end])
            await asyncio.sleep(0.05)
        await reply.finish(text)
        assert [part[-1] for part in d.service.shown("hall")] == ["."] * 2
        assert "edit" not in {act for act, _ in calls(d)}


@on_jumping_clock
async def test_an_old_stream_is_ended_at_the_end_of_a_line_and_the_next_one_goes_on() -> None:
    async with desk(StreamingAdapter, longest=1000) as d:
        reply = d.reply()
        reply.show("first line\nand ")
        await d.service.until(lambda: d.service.shown("hall") == ["first line\nand"])
        await asyncio.sleep(0.9 * StreamingAdapter.seconds)
        reply.show("first line\nand more of thi")
        await d.service.until(lambda: d.service.shown("hall") == ["first line\nand more of"])
        reply.show("first line\nand more of this\n\nA second")
        await d.service.until(lambda: d.service.shown("hall")[0] == "first line\nand more of this")
        reply.show("first line\nand more of this\n\nA second line ")
        await d.service.until(lambda: d.service.shown("hall")[1:] == ["A second line"])
        await reply.finish("first line\nand more of this\n\nA second line.\n\nA third.")
        assert d.service.shown("hall") == ["first line\nand more of this", "A second line.\n\nA third."]
        assert [act for act, _ in calls(d)] == ["begin", "extend", "finish", "begin", "extend", "finish"]


@on_jumping_clock
async def test_the_next_stream_has_a_lifetime_of_its_own() -> None:
    async with desk(StreamingAdapter, longest=1000) as d:
        reply = d.reply()
        text = "One line\n\n"
        reply.show(text)
        await d.service.until(lambda: d.service.shown("hall") == ["One line"])
        await asyncio.sleep(0.9 * StreamingAdapter.seconds)
        for more in ("Another", " line\n\n", "And a", " third\n\n", "And"):
            text += more
            reply.show(text)
            await asyncio.sleep(1.0)
        await reply.finish(text)
        assert d.service.shown("hall") == ["One line", "Another line\n\nAnd a third\n\nAnd"]


@on_jumping_clock
async def test_a_stream_at_its_age_limit_is_cut_anywhere() -> None:
    async with desk(StreamingAdapter, longest=1000) as d:
        reply = d.reply()
        reply.show("one two ")
        await d.service.until(lambda: d.service.shown("hall") == ["one two"])
        await asyncio.sleep(StreamingAdapter.seconds - 0.01)
        reply.show("one two three fo")
        await d.service.until(lambda: d.service.shown("hall")[0] == "one two three" and not note(d, 0).open_until)
        reply.show("one two three four ")
        await d.service.until(lambda: d.service.shown("hall")[1:] == ["four"])
        await reply.finish("one two three four.")
        assert d.service.shown("hall") == ["one two three", "four."]


@on_jumping_clock
async def test_a_stream_that_grows_old_in_silence_is_finished_and_then_edited() -> None:
    async with desk(StreamingAdapter) as d:
        reply = d.reply()
        reply.show("one two ")
        await d.service.until(lambda: d.service.shown("hall") == ["one two"])
        await d.service.until(lambda: not note(d).open_until)
        assert now() < d.service.lifetime
        reply.show("one two three ")
        await d.service.until(lambda: d.service.shown("hall") == ["one two three"])
        await reply.finish("one two three.")
        assert [act for act, _ in calls(d)] == ["begin", "finish", "edit", "edit"]


@on_jumping_clock
async def test_a_stream_that_was_torn_is_finished_at_once_and_then_edited() -> None:
    async with desk(StreamingAdapter) as d:
        reply = d.reply()
        reply.show("one ")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        d.service.troubles.append("torn after")
        reply.show("one two ")
        await d.service.until(lambda: "finish" in [act for act, _ in calls(d)] or "edit" in [act for act, _ in calls(d)])
        reply.show("one two three ")
        await d.service.until(lambda: d.service.shown("hall") == ["one two three"])
        assert now() < 5.0
        await reply.finish("one two three.")
        assert d.service.shown("hall") == ["one two three."]


@on_jumping_clock
async def test_the_end_of_a_stream_that_is_refused_is_told_and_not_repeated() -> None:
    async with desk(StreamingAdapter) as d:
        reply = d.reply()
        reply.show("one ")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        d.service.boards["hall"].closed_to_us = True
        with pytest.raises(Forbidden):
            await reply.finish("one two three.")


@on_jumping_clock
async def test_a_start_that_failed_is_repeated_with_nothing_that_may_still_change() -> None:
    async with desk(StreamingAdapter) as d:
        d.service.troubles.append("torn before")
        reply = d.reply()
        reply.show("It is **very")
        await d.service.until(lambda: d.service.shown("hall") == ["It is"])
        await reply.finish("It is **very** good.")
        assert note(d).pieces == ["It is", " **very** good."]


@on_jumping_clock
async def test_the_start_of_a_stream_that_got_no_answer_is_found_and_not_repeated() -> None:
    async with desk(StreamingAdapter) as d:
        d.service.today = lambda: datetime.now(UTC)
        d.service.troubles.append("torn after")
        reply = d.reply()
        reply.show("one ")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        reply.show("one two ")
        await d.service.until(lambda: d.service.shown("hall") == ["one two"])
        await reply.finish("one two three.")
        assert d.service.shown("hall") == ["one two three."]
        assert [act for act, _ in calls(d)].count("begin") == 1


@on_jumping_clock
async def test_a_stream_of_an_earlier_run_is_gone_on_with_by_edits() -> None:
    async with desk(StreamingAdapter) as d:
        message = await StreamingAdapter.begin(d.adapter, HALL, "half an ans", key="t0")
        fresh = StreamingAdapter(d.service)
        running = asyncio.create_task(fresh.run(lambda event: asyncio.sleep(0)))
        await asyncio.sleep(0)
        d.adapter = fresh
        reply = d.reply(slots=[Slot(message)])
        reply.show("Another ")
        await d.service.until(lambda: d.service.shown("hall") == ["Another"])
        await reply.finish("Another answer.")
        assert d.service.shown("hall") == ["Another answer."]
        running.cancel()
        await asyncio.wait([running])


@on_jumping_clock
async def test_a_reply_that_is_left_ends_its_stream() -> None:
    async with desk(StreamingAdapter) as d:
        reply = d.reply()
        reply.show("one two ")
        await d.service.until(lambda: d.service.shown("hall") == ["one two"])
        await reply.leave()
        assert not note(d).open_until
        assert d.service.shown("hall") == ["one two"]


@on_jumping_clock
async def test_a_reply_is_left_soon_though_its_stream_cannot_be_ended() -> None:
    async with desk(StreamingAdapter) as d:
        reply = d.reply()
        reply.show("one two ")
        await d.service.until(lambda: d.service.shown("hall") == ["one two"])
        d.service.before.append(lambda act, text: asyncio.Event())
        began = now()
        await reply.leave()
        assert now() - began < 2


@on_jumping_clock
async def test_a_stream_that_people_delete_is_a_loss_and_nothing_comes_after_it() -> None:
    async with desk(StreamingAdapter) as d:
        reply = d.reply()
        reply.show("one ")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        await d.service.remove("hall", note(d).number)
        reply.show("one two ")
        await d.service.until(lambda: d.lost > 0)
        await reply.finish("one two three.")
        assert d.service.shown("hall") == []


class Scarce(StreamingAdapter):
    """Few streams can be begun, and few ended, in a minute."""

    ends = 2
    starts = 100

    def limits(self, target: Target, act: Act) -> list[Limit]:
        if act in ("begin", "finish"):
            return [Limit(f"odd:{act}", self.starts if act == "begin" else self.ends, 60.0)]
        return list(super().limits(target, act))


@on_jumping_clock
async def test_no_stream_is_begun_that_could_not_be_ended_at_once() -> None:
    async with desk(Scarce) as d:
        replies = [d.reply() for _ in range(3)]
        for reply in replies:
            reply.show("one ")
        await d.service.until(lambda: d.service.shown("hall") == ["one", "one"])
        await asyncio.sleep(30.0)
        assert d.service.shown("hall") == ["one", "one"]
        began = now()
        for reply in replies:
            await reply.finish("one two.")
        assert now() - began < 1.0
        assert d.service.shown("hall") == ["one two."] * 3
        assert [act for act, _ in calls(d)] == ["begin", "begin", "finish", "finish", "post"]


@on_jumping_clock
async def test_a_stream_is_begun_late_once_there_is_room_for_its_end() -> None:
    async with desk(Scarce) as d:
        d.adapter.ends = 1
        first, second = d.reply(), d.reply()
        first.show("one ")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        second.show("two ")
        await asyncio.sleep(1.0)
        await first.finish("one.")
        await d.service.until(lambda: d.service.shown("hall") == ["one.", "two"])
        await second.finish("two.")
        assert [act for act, _ in calls(d)] == ["begin", "finish", "begin", "finish"]


@on_jumping_clock
async def test_the_room_of_a_stream_that_was_ended_for_its_age_is_free_again() -> None:
    async with desk(Scarce) as d:
        d.adapter.ends = 1
        first, second = d.reply(), d.reply()
        first.show("one ")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        await d.service.until(lambda: not note(d).open_until)
        second.show("two ")
        await asyncio.sleep(70.0)
        assert d.service.shown("hall") == ["one", "two"]
        await second.finish("two.")
        await first.finish("one.")


@on_jumping_clock
async def test_where_starts_run_short_the_final_is_posted_alone() -> None:
    async with desk(Scarce) as d:
        d.adapter.ends, d.adapter.starts = 100, 1
        first, second = d.reply(), d.reply()
        first.show("one ")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        second.show("two ")
        await asyncio.sleep(1.0)
        began = now()
        await second.finish("two.")
        assert now() - began < 1.0
        await first.finish("one.")
        assert d.service.shown("hall") == ["one.", "two."]


@on_jumping_clock
async def test_where_there_are_no_streams_a_reply_grows_by_edits() -> None:
    class Without(StreamingAdapter):
        def lifetime(self, target: Target) -> float | None:
            return None

    async with desk(Without) as d:
        reply = d.reply()
        reply.show("one")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        reply.show("one two")
        await d.service.until(lambda: d.service.shown("hall") == ["one two"])
        await reply.finish("one two three.")
        assert [act for act, _ in calls(d)] == ["post", "edit", "edit"]


@on_jumping_clock
async def test_a_reply_whose_first_try_shows_that_there_are_no_streams_goes_on_by_edits_with_its_button() -> None:
    class Lacking(StreamingAdapter):
        tried = False

        def lifetime(self, target: Target) -> float | None:
            return None if self.tried else super().lifetime(target)

        async def begin(self, target: Target, markdown: str, *, key: str) -> MessageId:
            self.tried = True
            return await self.post(target, markdown, key=key)

    async with desk(Lacking) as d:
        reply = d.reply(growing=STOP)
        reply.show("one ")
        await d.service.until(lambda: d.service.shown("hall") == ["one"])
        reply.show("one **two")
        await d.service.until(lambda: d.service.shown("hall") == ["one **two**"])
        assert d.service.pressable("hall") == [("stop/1",)]
        await reply.finish("one **two** three.")
        assert [act for act, _ in calls(d)] == ["post", "edit", "edit"]


@on_jumping_clock
async def test_a_text_that_turns_out_otherwise_is_finished_as_it_is_now_and_then_edited() -> None:
    async with desk(StreamingAdapter) as d:
        reply = d.reply()
        reply.show("one two ")
        await d.service.until(lambda: d.service.shown("hall") == ["one two"])
        reply.show("something else ")
        await d.service.until(lambda: d.service.shown("hall") == ["something else"])
        reply.show("something else now ")
        await d.service.until(lambda: d.service.shown("hall") == ["something else now"])
        assert now() < 5.0
        await reply.finish("something else now.")
        assert d.service.shown("hall") == ["something else now."]


@given(st.lists(WORDS, min_size=20, max_size=120), st.integers(100, 200), st.lists(st.integers(1, 12), min_size=1, max_size=20))
@settings(deadline=None)
@example([*["one "] * 20, "\n\n", *["one "] * 40], 120, [3])
@example(["```py\n", *["one "] * 90, "\n", "```", "\n", "end."], 260, [1])
@example(["| a | b |\n", "|---|---|\n", *["| a | b |\n"] * 40], 260, [3])
def test_what_a_stream_shows_stays_the_beginning_of_its_part(words: list[str], longest: int, steps: list[int]) -> None:
    text = "".join(words)
    growth = Growth(StreamingAdapter(Service(longest=longest)), HALL, buttons=(), shape=None, hold_sentence=False)
    slots: list[Slot] = []
    taken_back = 0
    end = turn = 0
    while end < len(text):
        end = min(len(text), end + steps[turn % len(steps)])
        turn += 1
        wanted, _ = growth.wanted(text[:end], slots, status="", alone=False, begun=True, age=1.0)
        while step := next_step(slots, wanted, final=False, way=growth.way):
            if step.act in ("begin", "post"):
                slots.append(Slot(MessageId(f"odd:{step.ordinal}"), step.text, (), streams=step.act == "begin"))
                continue
            slot = slots[step.ordinal]
            shown = slot.text or ""
            if step.act == "extend":
                assert step.text.startswith(shown)
            else:
                taken_back += not step.text.startswith(shown)
            slot.text, slot.streams, slot.buttons = step.text, step.act == "extend", ()
    assert taken_back == 0
    whole = growth.parts(text)
    assert all(slot.text == part for slot, part in zip(slots, whole, strict=False) if not slot.streams)
    assert all(part.startswith(slot.text or "") for slot, part in zip(slots, whole, strict=False))
