"""What every adapter promises. A platform's tests inherit `AdapterPromises` and give it a rig; see `adapter_rig.py`."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from shared.chat import Act, Connected, Event, Limit, Message, Target
from shared.errors import Forbidden, Gone, RateLimited, Unavailable
from tests.conformance.adapter_abilities import AbilityPromises
from tests.conformance.adapter_commands import CommandPromises
from tests.conformance.adapter_files import FilePromises
from tests.conformance.adapter_rig import Break, Rig, answering, asked, listening, need, running
from tests.conformance.adapter_streams import StreamPromises

MARKDOWN = """# A title with *emphasis*

Some **bold** and _slanted_ text with a [link](https://example.org/a_b?c=d) and `code`, and 🎉 a sign of two units.

- one
- two
  - two and a half

| name | value |
|------|------:|
| a    |     1 |
| b é  |   200 |

> A quote.

```python
def f(x: int) -> int:
    return x * 2
```

1. first
2. second ~~gone~~

"""


class AdapterPromises(AbilityPromises, CommandPromises, FilePromises, StreamPromises):
    """The promises of `shared.chat.Adapter` and of its optional abilities."""

    def test_a_promise_is_overridden_only_with_a_reason(self) -> None:
        for name in dir(AdapterPromises):
            own = getattr(type(self), name)
            if not name.startswith("test_") or own is getattr(AdapterPromises, name):
                continue
            marks: Collection[pytest.Mark] = getattr(own, "pytestmark", ())
            assert any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks), name

    # connecting

    async def test_it_is_named_after_its_folder(self, rig: Rig) -> None:
        assert rig.adapter.name == rig.folder

    async def test_health_tells_connected_and_not(self, rig: Rig) -> None:
        assert not rig.adapter.health().connected
        async with listening(rig.adapter):
            assert rig.adapter.health().connected
        assert not rig.adapter.health().connected

    async def test_cancelling_run_ends_it_cleanly_and_it_can_run_again(self, rig: Rig) -> None:
        async with running(rig.adapter, _deaf) as cancelled_at_once:
            await asyncio.sleep(0)
        assert cancelled_at_once.cancelled()
        for _ in range(2):
            async with listening(rig.adapter) as heard:
                await asked(rig, heard)
            assert [task for task in asyncio.all_tasks() if task.get_name().startswith(rig.folder)] == []

    async def test_a_failure_to_store_ends_run(self, rig: Rig) -> None:
        async def full(event: Event) -> None:
            raise OSError("the disk is full")

        with pytest.raises(OSError, match="the disk is full"):
            async with asyncio.timeout(60):
                await rig.adapter.run(full)

    async def test_a_new_session_is_announced_before_what_is_heard_in_it(self, rig: Rig) -> None:
        released, announced = asyncio.Event(), asyncio.Event()
        log: list[str] = []

        async def deliver(event: Event) -> None:
            if isinstance(event, Connected):
                announced.set()
                await released.wait()
                log.append("connected")
            elif isinstance(event, Message):
                log.append(event.text)
                heard.set()

        heard = asyncio.Event()
        async with running(rig.adapter, deliver), asyncio.timeout(60):
            await announced.wait()
            await rig.say("first")
            released.set()
            await heard.wait()
            released.clear()
            announced.clear()
            heard.clear()
            await rig.new_session()
            await announced.wait()
            await rig.say("second")
            released.set()
            await heard.wait()
        assert log == ["connected", "first", "connected", "second"]

    # hearing

    async def test_what_is_said_to_the_bot_arrives_without_the_mention(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            message = await asked(rig, heard, "what is *this*?")
        assert (message.text, message.addressed, message.recalled, message.unreadable) == ("what is *this*?", True, False, False)
        ids = [message.id, message.author.id, message.target.channel.id, message.place.id]
        assert all(each.startswith(f"{rig.folder}:") for each in ids)
        assert message.keys
        assert message.author.name
        assert not message.author.is_bot
        assert abs(message.sent_at - datetime.now(UTC)) < timedelta(minutes=5)

    async def test_what_is_said_to_others_is_not_addressed(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            await rig.say("between us", to_bot=False)
            await rig.say("to the bot")
            await heard.until(lambda: "to the bot" in heard.texts)
        assert [message.text for message in heard.messages if message.addressed] == ["to the bot"]

    async def test_what_bots_write_is_heard_and_never_addressed(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            await rig.say("I am a bot", by_bot=True)
            message = await asked(rig, heard, "and I am not")
            target = await answering(rig, message)
            own = await rig.adapter.post(target, "I am this bot", key="k1")
            await rig.say("still not")
            await heard.until(lambda: "still not" in heard.texts and own in [each.id for each in heard.of_bots])
        assert heard.texts == ["and I am not", "still not"]
        assert not any(each.addressed for each in heard.of_bots)
        assert [each.text for each in heard.of_bots if each.text.startswith("I am")] == ["I am a bot", "I am this bot"]
        [mine] = [each for each in heard.of_bots if each.id == own]
        assert mine.target.channel.id == target.channel.id

    async def test_an_event_delivered_twice_keeps_its_key(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            await rig.say("again", twice=True)
            await rig.say("after")
            await heard.until(lambda: "after" in heard.texts)
        keys = [set(message.keys) for message in heard.messages]
        assert heard.texts in (["again", "again", "after"], ["again", "after"])
        assert keys[0] & keys[-2]
        assert not keys[0] & keys[-1]

    async def test_a_channel_is_heard_in_order_and_one_event_at_a_time(self, rig: Rig) -> None:
        count, busy, texts = 12, 0, list[str]()
        connected, done = asyncio.Event(), asyncio.Event()

        async def slow_at_first(event: Event) -> None:
            nonlocal busy
            if not isinstance(event, Message):
                connected.set()
                return
            busy += 1
            assert busy == 1
            for _ in range(count - len(texts)):
                await asyncio.sleep(0)
            busy -= 1
            texts.append(event.text)
            if len(texts) == count:
                done.set()

        async with running(rig.adapter, slow_at_first), asyncio.timeout(60):
            await connected.wait()
            for number in range(count):
                await rig.say(f"number {number}")
            await done.wait()
        assert texts == [f"number {number}" for number in range(count)]

    # showing

    async def test_a_post_is_shown_and_an_edit_replaces_it(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            message = await rig.adapter.post(target, "one", key="k1")
            assert message.startswith(f"{rig.folder}:")
            assert rig.shown(target.channel) == ["one"]
            await rig.adapter.edit(target, message, "one two")
            assert rig.shown(target.channel) == ["one two"]
            await rig.adapter.edit(target, message, "one two")
            assert rig.shown(target.channel) == ["one two"]
            other = await rig.adapter.post(target, "three", key="k2")
            assert other != message
            assert rig.shown(target.channel) == ["one two", "three"]
            await rig.adapter.delete(target, message)
            await rig.adapter.delete(target, message)
            assert rig.shown(target.channel) == ["three"]

    async def test_a_silent_post_notifies_nobody(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            await rig.adapter.post(target, "loud", key="k1")
            await rig.adapter.post(target, "silent", key="k2", silent=True)
            assert rig.silent(target.channel) in ([False, True], [])

    async def test_a_post_repeated_with_its_key_shows_the_newest_text_once(self, rig: Rig) -> None:
        need(rig.idempotent, "posts are not idempotent here")
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            first = await rig.adapter.post(target, "one", key="k" * 25)
            again = await rig.adapter.post(target, "one two", key="k" * 25)
            assert first == again
            assert rig.shown(target.channel) == ["one two"]

    @pytest.mark.parametrize("sign", ["a", "é", "😀"])
    async def test_the_longest_text_that_fits_is_taken_whole(self, rig: Rig, sign: str) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            length = _longest(rig, target, sign)
            assert length > 0
            assert not rig.adapter.fits(target, sign * (length + 1))
            message = await rig.adapter.post(target, sign * length, key="k1")
            assert rig.shown(target.channel) == [sign * length]
            await rig.adapter.edit(target, message, sign * (length - 1))
            assert rig.shown(target.channel) == [sign * (length - 1)]

    async def test_what_fits_fits_with_every_prefix(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
        text = MARKDOWN * (1 + _longest(rig, target, "a") // len(MARKDOWN) + 1)
        fitting = [end for end in range(1, len(text) + 1) if rig.adapter.fits(target, text[:end])]
        assert fitting == list(range(1, len(fitting) + 1))
        assert rig.adapter.fits(target, "")

    async def test_busy_shows_no_message(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            assert rig.adapter.busy_seconds > 0
            await rig.adapter.busy(target, "thinking")
            await rig.adapter.busy(target, None)
            assert rig.shown(target.channel) == []

    async def test_hostile_text_is_shown_and_pings_nobody(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            message = await asked(rig, heard, "a\u202eb \u200b <b>&amp; ``` ||x|| ' OR 1=1")
            assert "OR 1=1" in message.text
            target = await answering(rig, message)
            posted = await rig.adapter.post(target, f"see {rig.hostile} there", key="k1")
            await rig.adapter.edit(target, posted, f"look at {rig.hostile} there")
            shown = rig.shown(target.channel)
        assert len(shown) == 1
        assert shown[0].startswith("look at")
        assert shown[0].endswith("there")
        assert rig.pinged() == 0

    async def test_every_act_has_limits(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            for act in get_args(Act):
                limits = rig.adapter.limits(target, act)
                assert len({limit.scope for limit in limits}) == len(limits)
                assert all(_sane(limit) for limit in limits)

    # failures

    async def test_a_rate_limit_says_how_long_and_is_told_as_blocked(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            await rig.refuse("rate limit", target)
            with pytest.raises(RateLimited) as caught:
                await rig.adapter.post(target, "hello", key="k1")
            assert caught.value.retry_after > 0
            assert any(limit.blocked > 0 for limit in rig.adapter.limits(target, "post"))
            assert rig.shown(target.channel) == []

    async def test_editing_a_deleted_message_is_gone(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            message = await rig.adapter.post(target, "one", key="k1")
            await rig.refuse("message gone", target)
            with pytest.raises(Gone):
                await rig.adapter.edit(target, message, "two")
            assert rig.shown(target.channel) == []

    async def test_posting_to_a_deleted_channel_is_gone(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            await rig.refuse("channel gone", target)
            with pytest.raises(Gone):
                await rig.adapter.post(target, "one", key="k1")

    async def test_a_missing_permission_is_forbidden(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            await rig.refuse("forbidden", target)
            with pytest.raises(Forbidden):
                await rig.adapter.post(target, "one", key="k1")

    @pytest.mark.parametrize("how", ["error", "reset before", "reset after"])
    async def test_a_post_that_goes_wrong_on_the_way_is_never_doubled(self, rig: Rig, how: Break) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            await rig.break_next(how)
            try:
                await rig.adapter.post(target, "one", key="k1")
                assert rig.shown(target.channel) == ["one"]
            except Unavailable:
                assert not rig.idempotent, "where a repeat is harmless it is made"
                assert len(rig.shown(target.channel)) <= 1

    @pytest.mark.parametrize("how", ["error", "reset before", "reset after"])
    async def test_an_edit_that_goes_wrong_on_the_way_is_repeated(self, rig: Rig, how: Break) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            message = await rig.adapter.post(target, "one", key="k1")
            await rig.break_next(how)
            await rig.adapter.edit(target, message, "two")
            assert rig.shown(target.channel) == ["two"]

    async def test_cancelling_a_post_leaves_the_adapter_usable(self, rig: Rig) -> None:
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            await rig.hang_next()
            post = asyncio.create_task(rig.adapter.post(target, "one", key="k1"))
            async with asyncio.timeout(60):
                await rig.hanging()
            post.cancel()
            await asyncio.wait([post])
            assert post.cancelled()
            await rig.adapter.post(target, "two", key="k2")
            assert rig.shown(target.channel)[-1] == "two"


def _longest(rig: Rig, target: Target, sign: str) -> int:
    """How many of this sign fit into one message."""
    low, high = 0, 1
    while rig.adapter.fits(target, sign * high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if rig.adapter.fits(target, sign * middle) else (low, middle)
    return low


def _sane(limit: Limit) -> bool:
    return bool(limit.scope) and limit.calls > 0 and limit.seconds > 0 and limit.spacing >= 0 and limit.blocked >= 0


async def _deaf(event: Event) -> None:
    """Hears nothing."""
