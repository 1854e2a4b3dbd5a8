"""What an adapter promises whose platform has messages that are written bit by bit. Part of `adapter.py`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

import pytest

from shared.abilities import Finds, Streams
from shared.chat import Adapter, Button, Message, Target
from shared.errors import Forbidden, Gone, RateLimited, Refused, Unavailable
from tests.conformance.adapter_rig import Break, Presses, Rig, answering, asked, listening, need


@runtime_checkable
class Flows(Protocol):
    """A rig on whose platform messages can be streamed."""

    def another(self) -> Adapter:
        """Another adapter on the same platform, which remembers nothing."""
        ...

    async def run_out(self) -> None:
        """Every stream that is open has grown for as long as it may."""
        ...


class Streaming(Adapter, Streams, Protocol):
    """An adapter with streams."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream can be begun, and by whom."""

    adapter: Streaming
    target: Target
    question: Message
    flows: Flows


BUTTONS = (Button("retry/1", "Retry"), Button("more/1", "More"))


@asynccontextmanager
async def streaming(rig: Rig) -> AsyncGenerator[Place]:
    """Somebody has asked something where the answer can be streamed. Skips where it cannot."""
    async with listening(rig.adapter) as heard:
        question = await asked(rig, heard)
        target = await answering(rig, question)
        yield _able(rig, target, question)


def _able(rig: Rig, target: Target, question: Message) -> Place:
    adapter = rig.adapter
    if not isinstance(adapter, Streams) or adapter.lifetime(target) is None:
        pytest.skip("no streams here")
    assert isinstance(rig, Flows)
    return Place(adapter, target, question, rig)


class StreamPromises:
    """The promises of `shared.chat.Streams`. Skipped where the adapter has none, or none in the place of the suite."""

    async def test_a_stream_shows_what_it_was_given_so_far(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            assert (adapter.lifetime(target) or 0) > 0
            message = await adapter.begin(target, "one", key="k1")
            assert message.startswith(f"{rig.folder}:")
            assert rig.shown(target.channel) == ["one"]
            await adapter.extend(target, message, "one **two**")
            assert rig.shown(target.channel) == ["one **two**"]
            await adapter.extend(target, message, "one **two**")
            assert rig.shown(target.channel) == ["one **two**"]
            await adapter.extend(target, message, "one **two**\n\n- three")
            await adapter.finish(target, message, "one **two**\n\n- three\n- four", key="k1")
            assert rig.shown(target.channel) == ["one **two**\n\n- three\n- four"]

    async def test_a_stream_that_was_finished_is_a_message_like_any_other(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            message = await adapter.begin(target, "one", key="k1")
            await adapter.finish(target, message, "one two", key="k1")
            await adapter.finish(target, message, "one two", key="k1")
            assert rig.shown(target.channel) == ["one two"]
            await adapter.edit(target, message, "three")
            assert rig.shown(target.channel) == ["three"]
            other = await adapter.begin(target, "four", key="k2")
            assert other != message
            await adapter.finish(target, other, "four", key="k2")
            await adapter.delete(target, message)
            assert rig.shown(target.channel) == ["four"]

    async def test_two_streams_grow_side_by_side(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            first = await adapter.begin(target, "a", key="k1")
            second = await adapter.begin(target, "x", key="k2")
            await adapter.extend(target, first, "a b")
            await adapter.extend(target, second, "x y")
            await adapter.finish(target, first, "a b c", key="k1")
            await adapter.finish(target, second, "x y z", key="k2")
            assert rig.shown(target.channel) == ["a b c", "x y z"]

    async def test_the_end_of_a_stream_may_be_another_text_than_what_it_showed(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            message = await adapter.begin(target, "one two", key="k1")
            await adapter.finish(target, message, "one and a half", key="k1")
            assert rig.shown(target.channel) == ["one and a half"]

    async def test_a_stream_gets_its_buttons_in_the_end(self, rig: Rig) -> None:
        if not isinstance(rig, Presses):
            pytest.skip("no buttons here")
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            message = await adapter.begin(target, "one", key="k1")
            assert rig.buttons(target.channel) == [[]]
            for _ in range(2):
                await adapter.finish(target, message, "one two", key="k1", buttons=BUTTONS)
                assert rig.buttons(target.channel) == [["Retry", "More"]]
            assert rig.shown(target.channel) == ["one two"]
            await adapter.edit(target, message, "one two")
            assert rig.buttons(target.channel) == [[]]

    @pytest.mark.parametrize("how", ["error", "reset before", "reset after"])
    async def test_a_beginning_that_goes_wrong_on_the_way_is_not_doubled_and_can_be_found(self, rig: Rig, how: Break) -> None:
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            since = datetime.now(UTC) - timedelta(minutes=1)
            await rig.break_next(how)
            with pytest.raises(Unavailable):
                await adapter.begin(target, "one", key="k1")
            assert len(rig.shown(target.channel)) == (how == "reset after")
            if not isinstance(adapter, Finds):
                return
            after = place.question.id
            found = await adapter.find(target, "k1", after, since=since, known=(), silent=False)
            assert (found is not None) == (how == "reset after")
            if found is not None:
                await adapter.edit(target, found, "one two")
                assert rig.shown(target.channel) == ["one two"]
                assert await adapter.find(target, "k1", after, since=since, known={found}, silent=False) is None

    async def test_a_finished_stream_is_found_by_its_key_and_no_other(self, rig: Rig) -> None:
        adapter = rig.adapter
        need(isinstance(adapter, Finds), "posts cannot be found here")
        assert isinstance(adapter, Finds)
        async with streaming(rig) as place:
            target, since = place.target, datetime.now(UTC) - timedelta(minutes=1)
            messages = [await place.adapter.begin(target, "one", key=key) for key in ("k1", "k2")]
            for message, key in zip(messages, ("k1", "k2"), strict=True):
                await place.adapter.finish(target, message, "one two", key=key)
            assert await adapter.find(target, "k2", None, since=since, known={messages[0]}, silent=False) == messages[1]
            assert await adapter.find(target, "k1", None, since=since, known=(), silent=False) == messages[0]

    @pytest.mark.parametrize("how", ["error", "reset before", "reset after"])
    async def test_a_piece_that_goes_wrong_on_the_way_is_set_right_in_the_end(self, rig: Rig, how: Break) -> None:
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            message = await adapter.begin(target, "one", key="k1")
            await rig.break_next(how)
            try:
                await adapter.extend(target, message, "one two")
                await adapter.extend(target, message, "one two three")
            except (Unavailable, Refused):
                assert rig.shown(target.channel)[0].startswith("one")
            await adapter.finish(target, message, "one two three four", key="k1")
            assert rig.shown(target.channel) == ["one two three four"]

    @pytest.mark.parametrize("how", ["error", "reset before", "reset after"])
    async def test_an_end_that_goes_wrong_on_the_way_is_repeated(self, rig: Rig, how: Break) -> None:
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            message = await adapter.begin(target, "one", key="k1")
            await rig.break_next(how)
            await adapter.finish(target, message, "one two", key="k1")
            assert rig.shown(target.channel) == ["one two"]

    async def test_a_stream_that_ran_out_grows_no_more_and_can_be_finished(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            first = await adapter.begin(target, "one", key="k1")
            second = await adapter.begin(target, "1", key="k2")
            await place.flows.run_out()
            for _ in range(2):
                with pytest.raises(Refused):
                    await adapter.extend(target, first, "one two")
            await adapter.finish(target, first, "one two three", key="k1")
            await adapter.finish(target, second, "1 2 3", key="k2")
            assert rig.shown(target.channel) == ["one two three", "1 2 3"]

    async def test_a_stream_is_finished_by_an_adapter_that_did_not_begin_it(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            target, flows = place.target, place.flows
            messages = [await place.adapter.begin(target, "one", key=key) for key in ("k1", "k2", "k3")]
            await place.adapter.finish(target, messages[1], "one two", key="k2")
        other = flows.another()
        assert isinstance(other, Streams)
        async with listening(other):
            await other.finish(target, messages[0], "one two three", key="k1")
            await other.finish(target, messages[1], "one two three", key="k2")
            await flows.run_out()
            await other.finish(target, messages[2], "one two three", key="k3")
            assert rig.shown(target.channel) == ["one two three"] * 3

    async def test_a_stream_that_an_earlier_run_began_is_edited_and_deleted(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            target, flows = place.target, place.flows
            first = await place.adapter.begin(target, "one", key="k1")
            second = await place.adapter.begin(target, "two", key="k2")
        other = flows.another()
        async with listening(other):
            await other.edit(target, first, "one and a half", buttons=BUTTONS)
            assert rig.shown(target.channel) == ["one and a half", "two"]
            await other.edit(target, first, "one")
            await other.delete(target, second)
            await other.delete(target, second)
            assert rig.shown(target.channel) == ["one"]

    async def test_a_stream_that_somebody_deletes_is_gone(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            message = await adapter.begin(target, "one", key="k1")
            await rig.refuse("message gone", target)
            with pytest.raises(Gone):
                await adapter.extend(target, message, "one two")
            for _ in range(2):
                with pytest.raises(Gone):
                    await adapter.finish(target, message, "one two", key="k1")
            await adapter.delete(target, message)
            assert rig.shown(target.channel) == []

    async def test_no_stream_begins_in_a_channel_that_is_gone(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            await rig.refuse("channel gone", place.target)
            with pytest.raises(Gone):
                await place.adapter.begin(place.target, "one", key="k1")

    async def test_no_stream_begins_without_permission(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            await rig.refuse("forbidden", place.target)
            with pytest.raises(Forbidden):
                await place.adapter.begin(place.target, "one", key="k1")
            assert rig.shown(place.target.channel) == []

    async def test_a_rate_limit_on_a_piece_leaves_the_stream_as_it_was(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            message = await adapter.begin(target, "one", key="k1")
            await rig.refuse("rate limit", target)
            with pytest.raises(RateLimited) as caught:
                await adapter.extend(target, message, "one two")
            assert caught.value.retry_after > 0
            assert any(limit.blocked > 0 for limit in adapter.limits(target, "extend"))
            assert rig.shown(target.channel) == ["one"]

    async def test_hostile_text_that_is_streamed_pings_nobody(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            words = f"see {rig.hostile} there".split()
            message = await adapter.begin(target, words[0], key="k1")
            for count in range(2, len(words) + 1):
                await adapter.extend(target, message, " ".join(words[:count]))
                assert rig.pinged() == 0
            await adapter.finish(target, message, " ".join([*words, rig.hostile]), key="k1")
            [shown] = rig.shown(target.channel)
            assert shown.startswith("see")
            assert rig.pinged() == 0

    async def test_the_longest_text_that_fits_is_streamed_whole(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            adapter, target = place.adapter, place.target
            text = "é"
            while adapter.fits(target, text * 2):
                text *= 2
            message = await adapter.begin(target, text[: len(text) // 2], key="k1")
            await adapter.extend(target, message, text[:-1])
            await adapter.finish(target, message, text, key="k1")
            assert rig.shown(target.channel) == [text]

    async def test_nothing_is_streamed_to_one_person_alone(self, rig: Rig) -> None:
        async with streaming(rig) as place:
            assert place.adapter.lifetime(replace(place.target, private=True)) is None
