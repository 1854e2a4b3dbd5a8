from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bots.slack.calls import Json, Web
from bots.slack.convert import Converter
from bots.slack.known import Known
from bots.slack.limits import Limits
from bots.slack.names import moment
from bots.slack.pace import Reads
from bots.slack.recall import Past
from sandbox.faults import Rule
from sandbox.slack.defaults import BOT, BOT_ID, CHANNELS, PEOPLE, TEAM
from shared.chat import Channel, ChannelId, Connected, Message, MessageId, Seen
from shared.errors import Forbidden, Gone
from tests.bots.slack.rig import ROOMY, SlackRig, slack_rig, told_to_wait
from tests.conformance.adapter_rig import Heard, answering, asked, listening

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


# sessions one after the other


def since(message: Message) -> Seen:
    """What the core knows that has heard this message last."""
    channel = message.target.channel
    return Seen(since=message.sent_at, newest={channel.id: message.id}, channels=[channel])


async def said_meanwhile(rig: SlackRig, heard: Heard, text: str) -> None:
    """All connections are lost, and come again after somebody has written."""
    sessions = sum(isinstance(each, Connected) for each in heard.events)
    await rig.simulator.accept(False)
    await rig.simulator.drop()
    await rig.simulator.wait_for(lambda: not rig.simulator.sockets.open)
    await rig.simulator.say("user1", "general", text)
    await rig.simulator.accept()
    await heard.connected(sessions + 1)


async def test_what_was_read_in_one_session_is_read_again_in_the_next() -> None:
    async with slack_rig(replace(ROOMY, retry_delays=())) as rig, listening(rig.adapter) as heard:
        first = await asked(rig, heard)
        seen = since(first)
        assert first.target.channel in rig.adapter.behind(seen)
        assert await missed(rig, first.target.channel, seen) == []
        assert first.target.channel not in rig.adapter.behind(seen)
        await said_meanwhile(rig, heard, "@threadline are you there?")
        assert first.target.channel in rig.adapter.behind(seen)
        assert [each.text for each in await missed(rig, first.target.channel, seen)] == ["are you there?"]


async def test_what_a_session_before_reads_to_the_end_does_not_count_for_the_next() -> None:
    async with slack_rig(replace(ROOMY, retry_delays=())) as rig, listening(rig.adapter) as heard:
        first = await asked(rig, heard)
        second = await asked(rig, heard, "more")
        reading = rig.adapter.missed(first.target.channel, since(first))
        assert (await anext(reading)).id == second.id
        await said_meanwhile(rig, heard, "@threadline are you there?")
        assert [each async for each in reading] == []
        seen = since(second)
        assert first.target.channel in rig.adapter.behind(seen)
        assert [each.text for each in await missed(rig, first.target.channel, seen)] == ["are you there?"]


# threads that are older than what was missed


async def test_a_mention_in_an_old_thread_is_recalled() -> None:
    async with slack_rig(replace(ROOMY, retry_delays=())) as rig:
        roots = [(await rig.simulator.say("user1", "general", f"among us {nth}"))["ts"] for nth in range(2)]
        quiet = await rig.simulator.say("user2", "general", "nothing new", thread=roots[1])
        async with listening(rig.adapter) as heard:
            first = await asked(rig, heard)
        await rig.simulator.say("user2", "general", "@threadline what do you think?", thread=roots[0])
        await rig.simulator.say("user1", "general", "@threadline and here?")
        again = rig.again()
        async with listening(again.adapter):
            seen = since(first)
            assert first.target.channel in again.adapter.behind(seen)
            recalled = await missed(again, first.target.channel, seen)
            assert [(each.text, each.addressed) for each in recalled] == [("what do you think?", True), ("and here?", True)]
            assert recalled[0].target.channel.id == f"{GENERAL}/{roots[0]}"
            assert quiet["ts"] not in {each.id.rpartition("/")[2] for each in recalled}


async def test_a_thread_that_is_read_by_itself_is_not_read_with_its_channel(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        first = await asked(rig, heard)
        target = await answering(rig, first)
    await rig.simulator.say("user2", "general", "and then?", thread=rig.said)
    again = rig.again()
    async with listening(again.adapter):
        seen = replace(since(first), channels=[first.target.channel, target.channel])
        assert target.channel in again.adapter.behind(seen)
        assert await missed(again, first.target.channel, seen) == []
        for known in (seen, Seen(since=first.sent_at - timedelta(minutes=1))):
            assert [each.text for each in await missed(again, target.channel, known)] == ["and then?"]


async def test_a_thread_that_goes_while_it_is_read_holds_up_nothing() -> None:
    async with slack_rig(replace(ROOMY, retry_delays=())) as rig:
        first = await rig.simulator.say("user1", "general", "first")
        root = await rig.simulator.say("user1", "general", "@threadline why?")
        await rig.simulator.say("user1", "general", "really", thread=root["ts"])
        await rig.simulator.say("user1", "general", "@threadline last")
        gone = {"ok": False, "error": "thread_not_found"}
        await rig.simulator.fault(Rule("status", path="/conversations.replies", status=200, body=gone, times=None))
        async with listening(rig.adapter):
            channel = Channel(id=ChannelId(GENERAL), kind="group")
            seen = Seen(moment(first["ts"]), {channel.id: MessageId(f"{GENERAL}/{first['ts']}")}, [channel])
            assert [each.text for each in await missed(rig, channel, seen)] == ["why?", "last"]


# what is new to us


async def new_chats(rig: SlackRig, people: Sequence[str]) -> None:
    for person in people:
        await rig.simulator.say(person, "", "is anybody there?", direct=True)


async def test_one_new_chat_that_cannot_be_looked_at_hides_no_other() -> None:
    async with slack_rig(replace(ROOMY, retry_delays=()), survey_seconds=60.0) as rig:
        started = datetime.now(UTC) - timedelta(minutes=1)
        await new_chats(rig, list(PEOPLE))
        gone = {"ok": False, "error": "channel_not_found"}
        await rig.simulator.fault(Rule("status", path="/conversations.history", status=200, body=gone))
        async with listening(rig.adapter):
            chats = [each for each in rig.adapter.behind(Seen(since=started)) if each.kind == "direct"]
            assert len(chats) >= len(PEOPLE) - 1


async def test_the_newest_chats_are_found_behind_many_old_ones() -> None:
    now = [1_700_000_000.0]

    def clock() -> float:
        now[0] += 2.0
        return now[0]

    async with slack_rig(replace(ROOMY, retry_delays=(), clock=clock), survey_seconds=60.0) as rig:
        for nth in range(250):
            await rig.simulator.add_channel(f"old-{nth}")
        await rig.simulator.add_channel("new")
        started = datetime.fromtimestamp(clock(), UTC)
        await rig.simulator.say("user1", "new", "@threadline anybody?")
        async with listening(rig.adapter):
            found = list(rig.adapter.behind(Seen(since=started)))
            assert [[each.text for each in await missed(rig, channel, Seen(since=started))] for channel in found] == [
                ["anybody?"]
            ]


async def test_channels_that_are_known_are_not_looked_for_again(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        first = await asked(rig, heard)
        known = [Channel(id=ChannelId(f"slack:{each}"), kind="group") for each in CHANNELS.values()]
        rig.adapter.behind(Seen(since=first.sent_at, channels=known))
        before = len(rig.simulator.calls)
        await rig.new_session()
        await heard.connected(2)
        assert not [each for each in list(rig.simulator.calls)[before:] if each.path == "/conversations.history"]


async def test_a_channel_that_was_missed_before_is_read_with_one_call(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        first = await asked(rig, heard)
        await asked(rig, heard, "more")
        before = len(rig.simulator.calls)
        assert [each.text for each in await missed(rig, first.target.channel, since(first))] == ["more"]
        assert [each.path for each in list(rig.simulator.calls)[before:]] == ["/conversations.history"]


# what may be lacking before what was seen


async def test_what_may_be_lacking_is_read_for_an_hour_and_half_a_day_back_at_most() -> None:
    start = datetime.now(UTC)
    now = [start - timedelta(hours=20)]
    async with slack_rig(replace(ROOMY, clock=lambda: now[0].timestamp())) as rig, aiohttp.ClientSession() as session:
        said: list[Json] = []
        for hours in (20, 2, 1):
            now[0] = start - timedelta(hours=hours)
            said.append(await rig.simulator.say("user1", "general", f"{hours} hours ago"))
        now[0] = start
        read, converter = Reads(Web(rig.config, session, Limits())), Converter(me=BOT, bot=BOT_ID, team=TEAM)
        past = Past(read, converter, Known(read), survey_seconds=5.0, clock=lambda: now[0])
        channel = Channel(id=ChannelId(GENERAL), kind="group")
        seen = Seen(start, {channel.id: MessageId(f"{GENERAL}/{said[-1]['ts']}")}, [channel])

        async def texts() -> list[str]:
            return [each.text async for each in past.missed(channel, seen)]

        assert await texts() == []
        past.lacking(start - timedelta(minutes=90))
        assert await texts() == ["1 hours ago"]
        past.lacking(start - timedelta(days=3))
        past.lacking(start)
        assert await texts() == ["2 hours ago", "1 hours ago"]
        now[0] += timedelta(minutes=61)
        assert await texts() == []
        past.lacking(now[0])
        assert await texts() == []
