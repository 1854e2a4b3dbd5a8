import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bots.slack.calls import Web
from bots.slack.known import Known
from bots.slack.limits import Limits
from bots.slack.pace import Reads
from sandbox.faults import Rule
from sandbox.slack.defaults import BOT, CHANNELS, GUEST, PEOPLE, TEAM
from shared.chat import Command, Deleted, Edited, Event, Left, Message
from shared.errors import Forbidden, Misconfigured
from tests.bots.slack.rig import ROOMY, SlackRig, slack_rig, told_to_wait
from tests.conformance.adapter_rig import Heard, answering, asked, listening, running

GENERAL = f"slack:{CHANNELS['general']}"


async def told(rig: SlackRig, heard: Heard, text: str, thread: str, by: str = "user2") -> Message:
    """Somebody writes in a thread; the message as it was heard."""
    count = len(heard.messages) + 1
    await rig.simulator.say(by, "general", text, thread=thread)
    return await heard.message(count)


async def test_a_mention_is_answered_in_its_thread_and_needs_no_other_there(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        first = await asked(rig, heard)
        assert first.target.channel.id == GENERAL
        assert (first.target.channel.kind, first.target.channel.space) == ("group", f"slack:{TEAM}")
        assert first.thread is not None
        assert (first.thread.id, first.thread.kind, first.thread.parent) == (f"{GENERAL}/{rig.said}", "thread", GENERAL)
        more = await told(rig, heard, "and then?", rig.said)
        assert more.addressed
        assert more.thread is None
        assert more.target.channel == first.thread
        assert (more.text, more.author.name) == ("and then?", "user2")


async def test_after_a_restart_the_thread_is_still_known(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        target = await answering(rig, await asked(rig, heard))
        await rig.adapter.post(target, "yes?", key="k1")
    again = rig.again()
    async with listening(again.adapter) as heard:
        more = await told(again, heard, "and then?", rig.said)
        assert more.addressed


async def before(rig: SlackRig, text: str) -> str:
    """Somebody writes while nobody hears, for longer than Slack tries to tell us; the ts."""
    said = await rig.simulator.say("user1", "general", text)
    await rig.simulator.wait_for(lambda: not rig.simulator.delivery.busy)
    return said["ts"]


async def test_threads_of_others_are_not_ours_until_the_bot_is_called_there(rig: SlackRig) -> None:
    root = await before(rig, "lunch?")
    async with listening(rig.adapter) as heard:
        other = await told(rig, heard, "why not", root)
        assert not other.addressed
        called = await told(rig, heard, "@threadline where to?", root)
        assert called.addressed
        assert called.quoted is not None
        assert (called.quoted.name, called.quoted.text, called.quoted.own) == ("user1", "lunch?", False)
        assert (await told(rig, heard, "is it far?", root)).addressed


async def test_a_thread_that_began_while_we_listen_is_not_looked_up(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        root = await rig.simulator.say("user1", "general", "lunch?")
        await heard.message()
        assert not (await told(rig, heard, "why not", root["ts"])).addressed
        assert not any(call.path == "/conversations.replies" for call in rig.simulator.calls)


async def test_what_cannot_be_told_just_now_comes_again(rig: SlackRig) -> None:
    root = await before(rig, "@threadline lunch?")
    await rig.simulator.fault(Rule("status", path="/conversations.replies", status=503, times=4))
    async with listening(rig.adapter) as heard:
        assert (await told(rig, heard, "well?", root)).addressed
        assert heard.texts == ["well?"]


async def test_each_message_of_a_direct_chat_begins_a_thread_that_is_private(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        said = await rig.simulator.say("user1", "", "hello", direct=True)
        first = await heard.message()
        assert first.addressed
        assert first.target.channel.kind == "direct"
        assert first.thread is not None
        assert (first.thread.kind, first.thread.parent) == ("direct", first.target.channel.id)
        target = await answering(rig, first)
        await rig.adapter.post(target, "hi", key="k1")
        assert rig.shown(target.channel) == ["hi"]
        await rig.simulator.say("user1", "", "more", direct=True, thread=said["ts"])
        more = await heard.message(2)
        assert more.addressed
        assert more.place.id == first.thread.id


async def test_a_mention_that_comes_as_two_events_in_any_order_is_one(rig: SlackRig) -> None:
    async with slack_rig(replace(ROOMY, mention_first=False)) as other:
        for each in (rig, other):
            async with listening(each.adapter) as heard:
                await asked(each, heard, "once")
                await asked(each, heard, "and again")
                assert heard.texts == ["once", "and again"]


async def test_an_envelope_is_acknowledged_only_once_its_event_is_stored(rig: SlackRig) -> None:
    stored, given = asyncio.Event(), asyncio.Event()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message):
            given.set()
            await stored.wait()

    async with running(rig.adapter, deliver):
        await rig.simulator.wait_for(lambda: rig.simulator.sockets.open)
        said = await rig.simulator.say("user1", "general", "@threadline hello")
        async with asyncio.timeout(10):
            await given.wait()
        mine = [each for each in rig.simulator.delivery.sent if each.ts == said["ts"]]
        assert mine
        assert all(each.outcome is None for each in mine)
        stored.set()
        await rig.simulator.wait_for(lambda: all(each.outcome == "acked" for each in mine) and len(mine) == 2)


async def test_an_event_whose_acknowledgement_was_lost_is_delivered_once() -> None:
    async with slack_rig(replace(ROOMY, ack_timeout=0.2)) as rig, listening(rig.adapter) as heard:
        await rig.simulator.lose_acks(2)
        await asked(rig, heard, "once")
        await rig.simulator.wait_for(lambda: not rig.simulator.delivery.busy)
        await asked(rig, heard, "after")
        assert heard.texts == ["once", "after"]
        assert any(each.attempt for each in rig.simulator.delivery.sent)


async def test_people_of_other_workspaces_are_named(rig: SlackRig) -> None:
    await rig.simulator.invite("general", GUEST)
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("guest", "general", "@threadline hello from @user2")
        message = await heard.message()
        assert (message.author.name, message.text) == ("guest", "hello from @user2")
        assert message.author.id == f"slack:{GUEST}"


async def test_without_names_the_ids_stand_for_them(rig: SlackRig) -> None:
    await rig.simulator.set_scopes(remove=["users:read"])
    async with listening(rig.adapter) as heard:
        message = await asked(rig, heard, "hello @user2")
        assert message.author.name == PEOPLE["user1"][0]
        assert message.text == "hello @someone"


async def test_a_message_waits_for_names_only_so_long(rig: SlackRig) -> None:
    await rig.simulator.fault(replace(told_to_wait(50, path=r"/users\.info$"), times=None))
    async with aiohttp.ClientSession() as session:
        known = Known(Reads(Web(rig.config, session, Limits())), team=TEAM, names_wait=0.2)
        assert await known.names((PEOPLE["user1"][0], GUEST)) == {}
        known.met(GUEST, "T0OTHER")
        assert await known.names((GUEST,)) == {}
        assert [await known.team_of(each) for each in (GUEST, PEOPLE["user2"][0])] == ["T0OTHER", TEAM]
    assert sum(call.path == "/users.info" for call in rig.simulator.calls) == 1


async def test_who_cannot_be_looked_up_is_not_asked_for_with_every_message(rig: SlackRig) -> None:
    await rig.simulator.set_scopes(remove=["users:read"])
    async with listening(rig.adapter) as heard:
        for text in ("one", "two", "three"):
            await asked(rig, heard, text)
    assert sum(call.path == "/users.info" for call in rig.simulator.calls) == 1


async def test_a_change_in_a_thread_is_told_there(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        first = await asked(rig, heard)
        said = await rig.simulator.say("user1", "general", "more", thread=rig.said)
        await heard.message(2)
        await rig.simulator.edit(said["ts"], "less")
        edited = await heard.one(Edited)
        assert edited.message.text == "less"
        assert edited.message.addressed
        await rig.simulator.delete(said["ts"])
        deleted = await heard.one(Deleted)
        assert first.thread is not None
        assert (deleted.channel, deleted.message) == (first.thread.id, f"{GENERAL}/{said['ts']}")


async def test_a_preview_of_a_message_that_was_edited_before_is_no_edit(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)
        await rig.change("@threadline see https://example.org")
        edited = await heard.one(Edited)
        await rig.preview()
        await asked(rig, heard, "after it")
        assert heard.of(Edited) == [edited]


async def test_a_deleted_beginning_of_a_thread_is_told_though_slack_keeps_its_place(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        message = await asked(rig, heard)
        await rig.adapter.post(await answering(rig, message), "yes", key="k1")
        await rig.take_back()
        deleted = await heard.one(Deleted)
        assert (deleted.channel, deleted.message) == (GENERAL, message.id)


async def test_losing_a_channel_is_told(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.archive("random")
        await rig.simulator.kick("support")
        await rig.simulator.delete_channel("general")
        await heard.until(lambda: len(heard.of(Left)) == 3)
        assert {each.channel for each in heard.of(Left)} == {
            f"slack:{CHANNELS[each]}" for each in ("random", "support", "general")
        }
        await rig.simulator.kick("backroom", "user2")


async def test_slacks_own_stop_button_is_a_command(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        said = await rig.simulator.say("user1", "", "a long story please", direct=True)
        message = await heard.message()
        target = await answering(rig, message)
        await rig.adapter.busy(target, "thinking")
        assert [each["status"] for each in rig.simulator.sessions()] == ["processing"]
        assert [each["status"] for each in rig.simulator.statuses()] == ["is thinking…"]
        await rig.simulator.stop("user1", message.target.channel.id.partition(":")[2], said["ts"])
        stop = await heard.one(Command)
        assert (stop.name, stop.place.id, stop.author.id) == ("stop", target.channel.id, message.author.id)
        await rig.simulator.wait_for(lambda: rig.simulator.sessions()[0]["status"] == "active")


async def test_the_first_text_ends_the_work_of_an_agent(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "", "hello", direct=True)
        target = await answering(rig, await heard.message())
        await rig.adapter.busy(target, "thinking")
        await rig.adapter.post(target, "hi", key="k1")
        await rig.simulator.wait_for(lambda: rig.simulator.sessions()[0]["status"] == "active")
        assert rig.simulator.statuses() == []


async def test_a_status_that_comes_after_the_first_text_goes_with_the_next(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        target = await answering(rig, await asked(rig, heard))
        message = await rig.adapter.post(target, "hi", key="k1")
        await rig.adapter.busy(target, "thinking")
        assert [each["status"] for each in rig.simulator.statuses()] == ["is thinking…"]
        await rig.adapter.edit(target, message, "hi there")
        await rig.simulator.wait_for(lambda: not rig.simulator.statuses())


async def test_a_session_that_another_process_left_at_work_rests_with_the_next_edit(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        said = await rig.simulator.say("user1", "", "hello", direct=True)
        target = await answering(rig, await heard.message())
        message = await rig.adapter.post(target, "hi", key="k1")
        direct = target.channel.id.partition(":")[2].partition("/")[0]
        rig.simulator.world.set_session(direct, said["ts"], "processing", "")
    rig = rig.again()
    async with listening(rig.adapter):
        for text in ("hi there", "hi there, you"):
            await rig.adapter.edit(target, message, text)
            await rig.simulator.wait_for(lambda: rig.simulator.sessions()[0]["status"] == "active")
    assert sum(call.path == "/agents.sessions.setStatus" for call in rig.simulator.calls) == 1


async def test_where_there_are_no_agents_busy_is_silent_and_not_tried_again(rig: SlackRig) -> None:
    await rig.simulator.set_features(agent=False)
    await rig.simulator.fault(Rule("status", path="/assistant.threads.setStatus", status=200, body={"ok": False, "error": "no"}))
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "", "hello", direct=True)
        target = await answering(rig, await heard.message())
        for _ in range(3):
            await rig.adapter.busy(target, "thinking")
        tried = [call.path for call in rig.simulator.calls if "Status" in call.path]
        assert tried == ["/assistant.threads.setStatus", "/agents.sessions.setStatus"]


async def test_opening_the_direct_chat_shows_what_can_be_asked(rig: SlackRig) -> None:
    async with listening(rig.adapter):
        await rig.simulator.open_home("user1")
        shown = await rig.simulator.wait_for(lambda: rig.simulator.prompts("user1"))
        assert 1 <= len(shown["prompts"]) <= 4


@pytest.mark.parametrize("lacks", ["is_read_only", "is_non_threadable"])
async def test_where_there_are_no_threads_none_is_opened(rig: SlackRig, lacks: str) -> None:
    async with listening(rig.adapter) as heard:
        message = await asked(rig, heard)
        body = {"ok": True, "channel": {"id": CHANNELS["general"], lacks: True}}
        await rig.simulator.fault(Rule("status", path="/conversations.info", status=200, body=body))
        with pytest.raises(Forbidden):
            await rig.adapter.open(message.target, "hello")


async def test_a_status_that_is_overtaken_by_the_first_text_is_taken_back(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("user1", "", "hello", direct=True)
        target = await answering(rig, await heard.message())
        await rig.simulator.fault(Rule("slow", path="/assistant.threads.setStatus", moment="after", seconds=0.5))
        busy = asyncio.create_task(rig.adapter.busy(target, "thinking"))
        await rig.simulator.wait_for(lambda: rig.simulator.statuses())
        await rig.adapter.post(target, "hi", key="k1")
        await busy
        await rig.simulator.wait_for(lambda: all(each["status"] == "active" for each in rig.simulator.sessions()))
        await rig.simulator.wait_for(lambda: not rig.simulator.statuses())


async def test_the_end_of_another_token_ends_nothing(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.emit({"type": "tokens_revoked", "channel": "C1", "tokens": {"oauth": [PEOPLE["user1"][0]]}})
        await rig.simulator.wait_for(lambda: sum(call.path == "/auth.test" for call in rig.simulator.calls) == 2)
        await asked(rig, heard)
        assert rig.adapter.health().connected


@pytest.mark.parametrize("error", ["not_allowed_token_type", "invalid_auth"])
async def test_a_method_that_refuses_a_good_token_ends_nothing(rig: SlackRig, error: str) -> None:
    body = {"ok": False, "error": error}
    await rig.simulator.fault(Rule("status", path="/assistant.threads.setStatus", status=200, body=body))
    await rig.simulator.fault(Rule("status", path="/auth.test", status=503, nth=2))
    quick = SlackRig(rig.simulator, replace(rig.config, token_wait=0.05))
    async with listening(quick.adapter) as heard:
        target = await answering(quick, await asked(quick, heard))
        await quick.adapter.busy(target, "thinking")
        await rig.simulator.wait_for(lambda: sum(call.path == "/auth.test" for call in rig.simulator.calls) >= 2)
        await asked(quick, heard, "still here?")
        assert quick.adapter.health().connected


async def test_a_token_that_is_revoked_ends_the_run(rig: SlackRig) -> None:
    async def deliver(event: Event) -> None:
        return

    task = asyncio.create_task(rig.adapter.run(deliver))
    await rig.simulator.wait_for(lambda: rig.simulator.sockets.open)
    await rig.simulator.set_token("xoxb-another")
    await rig.simulator.emit({"type": "tokens_revoked", "tokens": {"bot": [BOT]}})
    async with asyncio.timeout(10):
        [result] = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(result, Misconfigured)
    assert "SLACK_BOT_TOKEN" in result.detail


async def test_events_wait_for_earlier_ones_that_another_connection_brings(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        for number in range(30):
            await rig.simulator.say("user1", "general", f"number {number}")
        await heard.until(lambda: len(heard.messages) == 30)
        assert heard.texts == [f"number {number}" for number in range(30)]
        links = {each.link for each in rig.simulator.delivery.sent}
        assert len(links) == 2
        assert datetime.now(UTC) - heard.messages[0].sent_at < timedelta(minutes=1)
