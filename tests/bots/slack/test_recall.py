from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.slack.defaults import CHANNELS
from shared.chat import Channel, ChannelId, Message, MessageId, Seen
from shared.errors import Forbidden, Gone
from tests.bots.slack.rig import ROOMY, SlackRig, slack_rig, told_to_wait
from tests.conformance.adapter_rig import answering, asked, listening

GENERAL = f"slack:{CHANNELS['general']}"


async def missed(rig: SlackRig, channel: Channel, seen: Seen) -> list[Message]:
    return [each async for each in rig.adapter.missed(channel, seen)]


async def test_what_was_said_in_threads_while_away_is_recalled(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        first = await asked(rig, heard)
        target = await answering(rig, first)
        own = await rig.adapter.post(target, "yes?", key="k1")
        await heard.until(lambda: len(heard.of_bots) == 1)
    await rig.simulator.say("user2", "general", "and then?", thread=rig.said)
    await rig.simulator.say("user2", "general", "nobody asked", broadcast=True, thread=rig.said)
    again = rig.again()
    async with listening(again.adapter):
        newest = {first.target.channel.id: first.id, target.channel.id: own}
        seen = Seen(since=first.sent_at, newest=newest, channels=[first.target.channel, target.channel])
        assert {each.id for each in again.adapter.behind(seen)} == set(newest)
        assert await missed(again, first.target.channel, seen) == []
        recalled = await missed(again, target.channel, seen)
        assert [(each.text, each.addressed, each.recalled) for each in recalled] == [
            ("and then?", True, True),
            ("nobody asked", True, True),
        ]
        assert {each.target.channel.id for each in recalled} == {target.channel.id}
        up_to = Seen(since=first.sent_at, newest=newest | {target.channel.id: recalled[-1].id}, channels=seen.channels)
        assert list(again.adapter.behind(up_to)) == []


async def test_a_thread_that_began_while_away_is_recalled_with_its_beginning(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        first = await asked(rig, heard)
    root = await rig.simulator.say("user1", "general", "@threadline why?")
    await rig.simulator.say("user1", "general", "I mean, really?", thread=root["ts"])
    await rig.simulator.say("user1", "general", "last")
    again = rig.again()
    async with listening(again.adapter):
        seen = Seen(since=first.sent_at, newest={first.target.channel.id: first.id}, channels=[first.target.channel])
        recalled = await missed(again, first.target.channel, seen)
        assert [(each.text, each.addressed) for each in recalled] == [("why?", True), ("I mean, really?", True), ("last", False)]
        assert recalled[1].place.id == recalled[0].place.id


async def test_more_than_one_page_is_recalled_in_order() -> None:
    async with slack_rig(replace(ROOMY, retry_delays=())) as rig:
        first = await rig.simulator.say("user1", "general", "first")
        for number in range(450):
            await rig.simulator.say("user1", "general", f"@threadline number {number}")
        async with listening(rig.adapter):
            channel = Channel(id=ChannelId(GENERAL), kind="group")
            seen = Seen(
                since=datetime.now(UTC) - timedelta(days=1),
                newest={channel.id: MessageId(f"{GENERAL}/{first['ts']}")},
                channels=[channel],
            )
            assert [each.text for each in await missed(rig, channel, seen)] == [f"number {number}" for number in range(450)]


async def test_a_channel_that_cannot_be_read_says_so(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        message = await asked(rig, heard)
        seen = Seen(since=message.sent_at - timedelta(minutes=1))
        await rig.simulator.set_scopes(remove=["channels:history"])
        with pytest.raises(Forbidden):
            await missed(rig, message.target.channel, seen)
        with pytest.raises(Forbidden):
            await rig.adapter.find(message.target, "k1", None, since=seen.since, known=(), silent=False)
        await rig.simulator.delete_channel("general")
        with pytest.raises(Gone):
            await missed(rig, message.target.channel, seen)


async def test_what_one_person_alone_saw_is_in_no_history(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        message = await asked(rig, heard)
        target = replace(message.target, private=True)
        assert await rig.adapter.find(target, "k1", None, since=message.sent_at, known=(), silent=False) is None


async def test_a_direct_chat_that_began_while_away_is_found(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        first = await asked(rig, heard)
    await rig.simulator.say("user2", "", "is anybody there?", direct=True)
    again = rig.again()
    async with listening(again.adapter):
        seen = Seen(since=first.sent_at, newest={first.target.channel.id: first.id}, channels=[first.target.channel])
        [_, chat] = again.adapter.behind(seen)
        assert (chat.kind, chat.space) == ("direct", None)
        assert [each.text for each in await missed(again, chat, seen)] == ["is anybody there?"]
        assert chat not in again.adapter.behind(seen)


async def test_without_the_scope_for_it_the_session_begins_all_the_same(rig: SlackRig) -> None:
    await rig.simulator.set_scopes(remove=["im:read", "im:history"])
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)


async def test_a_mention_in_a_channel_that_was_never_heard_before_is_recalled() -> None:
    async with slack_rig(replace(ROOMY, retry_delays=())) as rig:
        since = datetime.now(UTC) - timedelta(minutes=1)
        await rig.simulator.say("user1", "general", "@threadline anybody?")
        async with listening(rig.adapter):
            seen = Seen(since=since)
            unheard = [each for each in rig.adapter.behind(seen) if each.id == GENERAL]
            assert [(each.text, each.addressed) for each in await missed(rig, unheard[0], seen)] == [("anybody?", True)]
            assert GENERAL not in {each.id for each in rig.adapter.behind(seen)}


async def test_a_session_begins_though_slack_makes_us_wait_for_what_is_new(rig: SlackRig) -> None:
    await rig.simulator.fault(replace(told_to_wait(50, path=r"/conversations\.(list|history)$"), times=None))
    rig = SlackRig(rig.simulator, replace(rig.config, survey_seconds=0.05))
    async with listening(rig.adapter) as heard:
        assert (await asked(rig, heard, "hello")).text == "hello"
