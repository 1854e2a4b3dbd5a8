"""What was said while the bot was away."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bots.discord.adapter import SCANNED
from bots.discord.convert import channel_id, message_id, snowflake
from bots.discord.recall import ELSEWHERE
from sandbox.discord.defaults import CHANNELS, GUILD, HELPERS
from sandbox.faults import Rule
from shared.chat import Channel, ChannelId, Message, MessageId, Seen, Target
from shared.errors import Forbidden, Gone, Unavailable
from tests.bots.discord.rig import MESSAGES, DiscordRig
from tests.conformance.adapter_rig import asked, listening

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def group(name: str) -> Channel:
    return Channel(channel_id(CHANNELS[name]), "group", space=f"discord:{GUILD}")


async def thread_of(rig: DiscordRig) -> Message:
    """A thread of the bot's with an answer; the question."""
    async with listening(rig.adapter) as heard:
        message = await asked(rig, heard)
        target = await rig.adapter.open(message.target, "a thread")
        await rig.adapter.post(target, "answer", key="k1")
    return replace(message, target=replace(message.target, channel=target.channel))


def seen_of(*messages: Message, since: datetime | None = None) -> Seen:
    return Seen(
        since=since or datetime.now(UTC),
        newest={message.target.channel.id: message.id for message in messages},
        channels=[message.target.channel for message in messages],
    )


async def all_missed(rig: DiscordRig, channel: Channel, seen: Seen) -> list[Message]:
    """What people wrote."""
    return [message async for message in rig.adapter.missed(channel, seen) if not message.author.is_bot]


async def test_a_direct_chat_is_read_though_the_gateway_tells_nothing_of_it(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("user3", "@user3", "before")
        before = await heard.message()
    await rig.simulator.say("user3", "@user3", "while away")
    async with listening(rig.adapter):
        seen = seen_of(before)
        assert list(rig.adapter.behind(seen)) == [before.target.channel]
        [missed] = await all_missed(rig, before.target.channel, seen)
    assert (missed.text, missed.addressed, missed.recalled, missed.target.channel.kind) == ("while away", True, True, "direct")


async def test_threads_are_read_archived_or_not_and_without_a_mention(rig: DiscordRig) -> None:
    before = await thread_of(rig)
    channel = before.target.channel
    number = str(snowflake(channel.id))
    await rig.simulator.say("user1", number, "while away")
    for archived in (False, True):
        await rig.simulator.archive(number, archived=archived)
        async with listening(rig.adapter):
            seen = seen_of(before)
            assert [each.id for each in rig.adapter.behind(seen)] == [channel.id]
            [missed] = await all_missed(rig, channel, seen)
            assert (missed.text, missed.addressed, missed.target.channel.kind) == ("while away", True, "thread")


async def test_many_pages_come_in_order(rig: DiscordRig) -> None:
    texts = [f"number {number}" for number in range(230)]
    for text in texts:
        await rig.simulator.say("user1", "general", text)
    async with listening(rig.adapter):
        [channel] = rig.adapter.behind(Seen(since=datetime.now(UTC) - timedelta(hours=1)))
        missed = await all_missed(rig, channel, Seen(since=LONG_AGO))
    assert [message.text for message in missed] == texts
    pages = [call for call in rig.simulator.calls.matching("GET", "/messages") if str(CHANNELS["general"]) in call.path]
    assert len(pages) == 3


async def test_pages_full_of_bots_do_not_end_the_reading(rig: DiscordRig) -> None:
    for number in range(110):
        await rig.simulator.say("otherbot", "general", f"beep {number}")
    await rig.simulator.say("user1", "general", "at last")
    async with listening(rig.adapter):
        [channel] = rig.adapter.behind(Seen(since=LONG_AGO))
        assert [message.text for message in await all_missed(rig, channel, Seen(since=LONG_AGO))] == ["at last"]


async def test_one_message_that_cannot_be_read_does_not_end_the_reading(
    rig: DiscordRig, caplog: pytest.LogCaptureFixture
) -> None:
    author = {"id": "5", "username": "ada", "global_name": "Ada", "discriminator": "0", "avatar": None}
    poison: dict[str, object] = {"channel_id": str(CHANNELS["general"]), "type": 0, "author": author, "content": "hello"}
    poison |= {"timestamp": "2026-01-01T00:00:00+00:00", "edited_timestamp": None}
    page = [poison | {"id": str(10**18 + 1)}, poison | {"id": str(10**18), "mentions": list[object]()}]
    async with listening(rig.adapter):
        await rig.simulator.fault(Rule("status", method="GET", path=MESSAGES, status=200, body=page))
        missed = await all_missed(rig, group("general"), Seen(since=LONG_AGO))
    assert [message.text for message in missed] == ["hello"]
    assert "a message could not be read" in caplog.text


async def test_a_history_that_cannot_be_read_at_all_is_unavailable(rig: DiscordRig) -> None:
    async with listening(rig.adapter):
        for body in ("<html>", [{"id": "1"}], [5]):
            await rig.simulator.fault(Rule("status", method="GET", path=MESSAGES, status=200, body=body))
            with pytest.raises(Unavailable):
                await all_missed(rig, group("general"), Seen(since=LONG_AGO))


async def test_a_lost_post_is_found_behind_many_others_but_not_behind_all(rig: DiscordRig) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    async with listening(rig.adapter) as heard:
        before = await asked(rig, heard)
        for number in range(SCANNED - 1):
            await rig.simulator.say("user1", "general", f"number {number}")
        own = await rig.adapter.post(before.target, "one", key="k1")
        late = await rig.adapter.post(before.target, "two", key="k2")

        async def find(after: MessageId | None, known: Collection[MessageId] = ()) -> MessageId | None:
            return await rig.adapter.find(before.target, "k1", after, since=began, known=known, silent=False)

        assert await find(before.id) == own
        assert await find(before.id, {own}) is None
        assert await find(heard.messages[1].id, {own}) == late
        pages = len(rig.simulator.calls.matching("GET", "/messages"))
        assert await find(own, {late}) is None
        assert len(rig.simulator.calls.matching("GET", "/messages")) == pages + 1


async def test_recalled_authors_have_roles_asked_for_once(rig: DiscordRig) -> None:
    for text in ("@threadline one", "@threadline two", "three"):
        await rig.simulator.say("user2", "general", text)
    await rig.simulator.say("user4", "general", "@threadline four")
    await rig.simulator.kick(user="user4")
    async with listening(rig.adapter):
        [channel] = rig.adapter.behind(Seen(since=LONG_AGO))
        missed = await all_missed(rig, channel, Seen(since=LONG_AGO))
    helpers = frozenset({f"discord:{HELPERS}"})
    assert [message.author.roles for message in missed] == [helpers, helpers, frozenset(), frozenset()]
    assert len(rig.simulator.calls.matching("GET", "/members/")) == 2


async def test_what_cannot_be_read_is_not_behind_and_is_forbidden(rig: DiscordRig) -> None:
    for name in ("general", "random", "support"):
        await rig.simulator.say("user1", name, "hello")
    await rig.simulator.permissions("general", deny=["READ_MESSAGE_HISTORY"])
    await rig.simulator.permissions("random", deny=["VIEW_CHANNEL"])
    seen = Seen(since=LONG_AGO)
    async with listening(rig.adapter):
        assert [channel.title for channel in rig.adapter.behind(seen)] == ["support"]
        for name in ("general", "random"):
            with pytest.raises(Forbidden):
                await all_missed(rig, group(name), seen)
            with pytest.raises(Forbidden):
                await rig.adapter.find(Target(group(name)), "k1", None, since=LONG_AGO, known=(), silent=False)
        with pytest.raises(Gone):
            await all_missed(rig, replace(group("general"), id=ChannelId("discord:5")), seen)


async def test_of_what_the_gateway_does_not_tell_only_the_last_seen_are_behind(rig: DiscordRig) -> None:
    def direct(number: int) -> Channel:
        return Channel(channel_id(number), "direct")

    def thread(number: int, space: str) -> Channel:
        return Channel(channel_id(number), "thread", space=space)

    chats: Sequence[Channel] = [direct(number) for number in range(1, ELSEWHERE + 50)]
    others = [
        thread(9001, f"discord:{GUILD}"),
        thread(9002, "discord:77"),
        Channel(channel_id(9003), "group", space=f"discord:{GUILD}"),
        direct(9004),
    ]
    newest: dict[ChannelId, MessageId] = {
        channel.id: message_id(10**6 + snowflake(channel.id)) for channel in [*chats, *others[:3]]
    }
    async with listening(rig.adapter):
        behind = rig.adapter.behind(Seen(since=datetime.now(UTC), newest=newest, channels=[*chats, *others]))
    assert [snowflake(channel.id) for channel in behind] == [9001, *range(ELSEWHERE + 49, 50, -1)]
