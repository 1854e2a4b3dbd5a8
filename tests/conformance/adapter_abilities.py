"""What an adapter promises whose platform has threads, or lets the past be read. Part of `adapter.py`."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.abilities import Finds, Recalls, Threads
from shared.chat import ChannelId, MessageId, Seen
from shared.errors import Forbidden
from tests.conformance.adapter_rig import Rig, answering, asked, listening, need


class AbilityPromises:
    """The promises of the optional Protocols of `shared.chat`. Skipped where the adapter has not got one."""

    async def test_a_thread_is_where_it_was_announced_and_is_opened_once(self, rig: Rig) -> None:
        adapter = rig.adapter
        async with listening(adapter) as heard:
            message = await asked(rig, heard)
            if not isinstance(adapter, Threads) or message.thread is None:
                pytest.skip("no threads here")
            target = await adapter.open(message.target, "  A title\n of " + "many words " * 50)
            assert (target.channel.id, target.channel.kind) == (message.thread.id, "thread")
            assert target.channel.parent == message.target.channel.id
            again = await adapter.open(message.target, "another title")
            assert again.channel.id == target.channel.id
            await adapter.post(target, "in the thread", key="k1")
            assert rig.shown(target.channel) == ["in the thread"]
            assert rig.shown(message.target.channel) == []
            nameless = await asked(rig, heard, "and more")
            await adapter.open(nameless.target, " \n ")

    async def test_opening_a_thread_without_permission_is_forbidden(self, rig: Rig) -> None:
        adapter = rig.adapter
        async with listening(adapter) as heard:
            message = await asked(rig, heard)
            if not isinstance(adapter, Threads) or message.thread is None:
                pytest.skip("no threads here")
            await rig.forbid_threads()
            with pytest.raises(Forbidden):
                await adapter.open(message.target, "title")

    async def test_what_was_posted_before_a_crash_is_found_and_nothing_else(self, rig: Rig) -> None:
        adapter = rig.adapter
        need(isinstance(adapter, Finds), "posts cannot be found here")
        assert isinstance(adapter, Finds)
        async with listening(adapter) as heard:
            message = await asked(rig, heard)
            target = await answering(rig, message)
            none = frozenset[MessageId]()
            began = datetime.now(UTC) - timedelta(minutes=1)
            assert await adapter.find(target, "k1", message.id, since=began, known=none, silent=False) is None
            first = await rig.adapter.post(target, "one", key="k1")
            await rig.say("between", to_bot=False)
            second = await rig.adapter.post(target, "two", key="k2", silent=True)
            third = await rig.adapter.post(target, "three", key="k3")
        async with listening(adapter):
            assert await adapter.find(target, "k1", message.id, since=began, known=none, silent=False) == first
            assert await adapter.find(target, "k1", None, since=began, known=none, silent=False) == first
            assert await adapter.find(target, "k2", message.id, since=began, known=none, silent=True) == second
            assert await adapter.find(target, "k3", message.id, since=began, known={first}, silent=False) == third
            assert await adapter.find(target, "k4", message.id, since=began, known={first, third}, silent=False) is None
            assert await adapter.find(target, "k4", third, since=began, known=none, silent=False) is None
            after_all = datetime.now(UTC) + timedelta(minutes=1)
            assert await adapter.find(target, "k1", None, since=after_all, known=none, silent=False) is None
            assert await adapter.find(target, "k1", message.id, since=after_all, known=none, silent=False) is None

    async def test_what_was_said_while_away_is_recalled_in_order_and_once(self, rig: Rig) -> None:
        adapter = rig.adapter
        need(isinstance(adapter, Recalls), "the past cannot be read here")
        assert isinstance(adapter, Recalls)
        began = datetime.now(UTC) - timedelta(minutes=1)
        async with listening(adapter) as heard:
            last = await asked(rig, heard, "before")
        channel = last.target.channel
        await rig.say("one")
        await rig.say("a bot", by_bot=True)
        await rig.say("between us", to_bot=False)
        await rig.say("two")
        async with listening(adapter) as heard:
            seen = Seen(since=last.sent_at, newest={channel.id: last.id}, channels=[channel])
            assert [each.id for each in adapter.behind(seen)] == [channel.id]
            recalled = [message async for message in adapter.missed(channel, seen)]
            assert [message.text for message in recalled if message.addressed] == ["one", "two"]
            assert all(message.recalled and message.target.channel.id == channel.id for message in recalled)
            assert [message.text for message in recalled if message.author.is_bot] == ["a bot"]
            assert heard.messages == []

            newest = {channel.id: recalled[-1].id}
            caught_up = Seen(since=recalled[-1].sent_at, newest=newest, channels=[channel])
            assert list(adapter.behind(caught_up)) == []
            assert [message async for message in adapter.missed(channel, caught_up)] == []

            unknown = Seen(since=began)
            everything = [message.text async for message in adapter.missed(channel, unknown) if message.addressed]
            assert everything == ["before", "one", "two"]

    async def test_a_message_heard_and_recalled_is_the_same_message(self, rig: Rig) -> None:
        adapter = rig.adapter
        need(isinstance(adapter, Recalls), "the past cannot be read here")
        assert isinstance(adapter, Recalls)
        async with listening(adapter) as heard:
            message = await asked(rig, heard, "once")
            channel = message.target.channel
            seen = Seen(since=message.sent_at - timedelta(minutes=1), newest=dict[ChannelId, MessageId]())
            [recalled] = [each async for each in adapter.missed(channel, seen)]
        assert set(recalled.keys) & set(message.keys)
        assert (recalled.id, recalled.text, recalled.author) == (message.id, message.text, message.author)
        assert (recalled.target, recalled.place.id) == (message.target, message.place.id)
