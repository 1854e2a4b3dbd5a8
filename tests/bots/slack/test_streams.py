"""Streams on the real library, beyond what every platform with streams promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bots.slack.names import message_id, moment
from bots.slack.render import render
from bots.slack.streams import LIFETIME
from sandbox.faults import Rule
from sandbox.slack.defaults import GUEST, OTHER_TEAM, TEAM
from shared.chat import AuthorId, Edited, MessageId
from shared.errors import Forbidden, Gone, RateLimited, Refused, TooLarge, Unavailable
from tests.bots.slack.rig import ROOMY, SlackRig, slack_rig, told_to_wait
from tests.bots.slack.streaming import ADA, GENERAL, RETRY, bodies, calls, direct, saying, talking
from tests.conformance.adapter_rig import answering, asked, listening

# the calls that it takes


async def test_a_stream_takes_one_call_for_each_thing_and_names_who_receives_it(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        assert rig.adapter.lifetime(target) == LIFETIME
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.adapter.extend(target, message, "one")
        await rig.adapter.extend(target, message, "one two")
        await rig.adapter.finish(target, message, "one two\n\n## three [four](https://example.org)", key="k1", buttons=RETRY)
        assert calls(rig) == ["startStream", "appendStream", "stopStream"]
        [start] = bodies(rig, "startStream")
        assert (start["recipient_user_id"], start["recipient_team_id"], start["thread_ts"]) == (ADA, TEAM, rig.said)
        assert bodies(rig, "appendStream")[0]["markdown_text"] == " two"
        [stop] = bodies(rig, "stopStream")
        assert stop["markdown_text"] == "\n\n## three [four](https://example.org)"
        assert "session_status" not in stop
        [shown] = rig.own(target.channel)
        assert shown["metadata"]["event_payload"] == {"key": "k1"}
        assert shown["stream"]["state"] == "stopped"
        assert shown["edited_at"] is None


async def test_a_person_of_another_workspace_receives_a_stream_as_one(rig: SlackRig) -> None:
    await rig.simulator.invite("general", "guest")
    async with listening(rig.adapter) as heard:
        await rig.simulator.say("guest", "general", "@threadline hello")
        target = await answering(rig, await heard.message())
        await rig.adapter.begin(target, "one", key="k1")
    again = rig.again()
    async with listening(again.adapter):
        await again.adapter.begin(target, "two", key="k2")
        await again.adapter.begin(replace(target, user=AuthorId(f"slack:{ADA}")), "three", key="k3")
    named = [(each["recipient_user_id"], each["recipient_team_id"]) for each in bodies(rig, "startStream")]
    assert named == [(GUEST, OTHER_TEAM), (GUEST, OTHER_TEAM), (ADA, TEAM)]


async def test_an_end_without_more_text_adds_none(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.adapter.finish(target, message, "one", key="k1")
        assert "markdown_text" not in bodies(rig, "stopStream")[0]
        assert calls(rig) == ["startStream", "stopStream"]


async def test_an_end_without_any_text_shows_an_empty_message(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "@", key="k1")
        assert "markdown_text" not in bodies(rig, "startStream")[0]
        await rig.adapter.finish(target, message, "", key="k1")
        assert rig.shown(target.channel) == ["\u200b"]


async def test_streams_have_limits_of_their_own(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        limits = {act: rig.adapter.limits(target, act) for act in ("begin", "extend", "finish")}
        assert {act: [(each.scope, each.calls, each.seconds) for each in found] for act, found in limits.items()} == {
            "begin": [("slack:chat.startStream", 20, 60.0)],
            "extend": [("slack:chat.appendStream", 100, 60.0)],
            "finish": [("slack:chat.stopStream", 20, 60.0)],
        }
        assert rig.adapter.limits(target, "draft") == ()


async def test_what_we_stream_is_heard_once_and_as_no_edit(rig: SlackRig) -> None:
    async with talking(rig) as (target, heard):
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.adapter.finish(target, message, "one two", key="k1")
        await rig.adapter.finish(target, message, "three", key="k1")
        await asked(rig, heard, "and?")
        assert [each.id for each in heard.of_bots] == [message]
        assert heard.of(Edited) == []


# what goes wrong while one grows


async def test_a_stream_outlives_a_connection(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "one", key="k1")
    with pytest.raises(Unavailable):
        await rig.adapter.extend(target, message, "one two")
    async with listening(rig.adapter):
        await rig.adapter.extend(target, message, "one two")
        await rig.adapter.finish(target, message, "one two three", key="k1")
        assert calls(rig) == ["startStream", "appendStream", "stopStream"]
        assert rig.shown(target.channel) == ["one two three"]


async def test_a_piece_that_may_be_lost_is_the_last_and_all_is_written_anew(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.break_next("reset after")
        with pytest.raises(Unavailable):
            await rig.adapter.extend(target, message, "one two")
        with pytest.raises(Refused):
            await rig.adapter.extend(target, message, "one two three")
        await rig.adapter.finish(target, message, "one two three", key="k1", buttons=RETRY)
        assert calls(rig) == ["startStream", "appendStream", "stopStream", "update"]
        [shown] = rig.own(target.channel)
        assert (shown["content"], shown["buttons"]) == ("one two three", ["Retry"])
        assert shown["metadata"]["event_payload"] == {"key": "k1"}


async def test_what_does_not_go_on_from_what_was_written_is_not_written(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "one two", key="k1")
        with pytest.raises(Refused):
            await rig.adapter.extend(target, message, "one three and more")
        await rig.adapter.finish(target, message, "one three and more", key="k1")
        assert calls(rig) == ["startStream", "stopStream", "update"]
        assert rig.shown(target.channel) == ["one three and more"]
        await rig.adapter.edit(target, message, "changed")
        assert rig.own(target.channel)[0]["metadata"]["event_payload"] == {"key": "k1"}


async def test_a_piece_that_has_to_wait_is_written_later(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.simulator.fault(told_to_wait(7, path="/chat.appendStream$"))
        with pytest.raises(RateLimited):
            await rig.adapter.extend(target, message, "one two")
        await rig.adapter.extend(target, message, "one two")
        await rig.adapter.finish(target, message, "one two", key="k1")
        assert calls(rig) == ["startStream", "appendStream", "appendStream", "stopStream"]
        assert rig.shown(target.channel) == ["one two"]


async def test_a_stream_that_ran_out_is_not_stopped_again(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.simulator.expire_streams()
        await rig.adapter.finish(target, message, "one two", key="k1", buttons=RETRY)
        assert calls(rig) == ["startStream", "stopStream", "update"]
        assert rig.buttons(target.channel) == [["Retry"]]
        assert rig.own(target.channel)[0]["metadata"]["event_payload"] == {"key": "k1"}


async def test_a_stream_that_is_full_grows_no_more_and_ends_with_all_of_it() -> None:
    async with slack_rig(replace(ROOMY, stream_bytes=10)) as rig, talking(rig) as (target, _):
        first = await rig.adapter.begin(target, "one", key="k1")
        second = await rig.adapter.begin(target, "one", key="k2")
        with pytest.raises(TooLarge):
            await rig.adapter.extend(target, first, "one two three")
        for message, key in ((first, "k1"), (second, "k2")):
            await rig.adapter.finish(target, message, "one two three", key=key)
        assert rig.shown(target.channel) == ["one two three"] * 2


@pytest.mark.parametrize("error", ["streaming_mode_mismatch", "msg_blocks_too_long", "invalid_blocks", "stopped_by_user"])
async def test_an_end_that_slack_refuses_is_made_without_text_and_set_right(rig: SlackRig, error: str) -> None:
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.simulator.fault(saying("stopStream", error))
        await rig.adapter.finish(target, message, "one two", key="k1")
        assert rig.shown(target.channel) == ["one two"]


async def test_what_somebody_has_stopped_grows_no_more_and_is_set_right(rig: SlackRig) -> None:
    async with talking(rig) as (_, heard):
        target = await direct(rig, heard)
        where, root = target.channel.id.partition(":")[2].split("/")
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.simulator.wait_for(lambda: [each["status"] for each in rig.simulator.sessions()] == ["processing"])
        await rig.simulator.stop("user1", where, root)
        for _ in range(2):
            with pytest.raises(Refused):
                await rig.adapter.extend(target, message, "one two")
        await rig.adapter.finish(target, message, "one two (stopped)", key="k1", buttons=RETRY)
        assert rig.shown(target.channel) == ["one two (stopped)"]
        await rig.simulator.wait_for(lambda: [each["status"] for each in rig.simulator.sessions()] == ["active"])


async def test_the_end_of_a_stream_ends_the_work_of_an_agent(rig: SlackRig) -> None:
    async with talking(rig) as (_, heard):
        target = await direct(rig, heard)
        await rig.adapter.busy(target, "thinking")
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.adapter.extend(target, message, "one two")
        assert [each["status"] for each in rig.simulator.sessions()] == ["processing"]
        await rig.adapter.finish(target, message, "one two", key="k1")
        assert [each["status"] for each in rig.simulator.sessions()] == ["active"]
        assert bodies(rig, "stopStream")[0]["session_status"] == "active"
        again = await rig.adapter.begin(target, "three", key="k2")
        await rig.simulator.wait_for(lambda: [each["status"] for each in rig.simulator.sessions()] == ["processing"])
        await rig.adapter.delete(target, again)
        await rig.simulator.wait_for(lambda: [each["status"] for each in rig.simulator.sessions()] == ["active"])


async def test_an_open_stream_is_ended_to_be_edited_or_deleted(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        first = await rig.adapter.begin(target, "one", key="k1")
        second = await rig.adapter.begin(target, "two", key="k2")
        await rig.adapter.edit(target, first, "one and a half", buttons=RETRY)
        await rig.adapter.delete(target, second)
        assert rig.shown(target.channel) == ["one and a half"]
        assert rig.buttons(target.channel) == [["Retry"]]


async def test_what_others_wrote_is_not_deleted_for_a_stream(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        with pytest.raises(Forbidden):
            await rig.adapter.delete(target, message_id(GENERAL, rig.said))


async def test_an_end_where_nothing_may_be_written_any_more_is_forbidden(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.simulator.read_only("general")
        with pytest.raises(Forbidden):
            await rig.adapter.finish(target, message, "one two", key="k1")


async def test_an_end_that_has_to_wait_can_be_made_later(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.simulator.fault(told_to_wait(7, path="/chat.stopStream$"))
        with pytest.raises(RateLimited):
            await rig.adapter.finish(target, message, "one two", key="k1")
        assert 6 < rig.adapter.limits(target, "finish")[0].blocked <= 7
        await rig.adapter.finish(target, message, "one two", key="k1")
        assert calls(rig) == ["startStream", "stopStream", "stopStream"]
        assert rig.shown(target.channel) == ["one two"]


# what shows in the end


@pytest.mark.parametrize(
    ("said", "repaired"),
    [
        ("one &lt;two&gt; &amp; *three* <https://example.org|four> five\n• six print(1)", False),
        (None, False),
        ("one &lt;two&gt;", True),
    ],
)
async def test_an_end_that_shows_less_than_it_should_is_set_right(rig: SlackRig, said: str | None, repaired: bool) -> None:
    text = "one <two> &amp; **three** [four](https://example.org)\n## five\n- six\n```python\nprint(1)\n```"
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "one", key="k1")
        body = {"ok": True, "channel": GENERAL} | ({} if said is None else {"message": {"text": said}})
        await rig.simulator.fault(Rule("status", path="/chat.stopStream$", moment="after", status=200, body=body))
        await rig.adapter.finish(target, message, text, key="k1")
        assert calls(rig) == ["startStream", "stopStream", "update"][: 2 + repaired]
        assert rig.shown(target.channel) == [text]


async def test_pings_that_are_cut_anywhere_ping_nobody(rig: SlackRig) -> None:
    text = f"a {rig.hostile} <@{ADA}>@here, @channel"
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, text[0], key="k1")
        for end in range(2, len(text) + 1):
            await rig.adapter.extend(target, message, text[:end])
            assert rig.pinged() == 0
        await rig.adapter.finish(target, message, text, key="k1")
        assert rig.shown(target.channel) == [render(text)]
        assert "update" not in calls(rig)
        assert rig.pinged() == 0


# after a crash


async def test_a_stream_is_not_taken_for_what_has_a_key_or_files_or_streams_no_more(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        since = moment(rig.said) - timedelta(minutes=1)
        posted = await rig.adapter.post(target, "one", key="k1")
        finished = await rig.adapter.begin(target, "two", key="k2")
        await rig.adapter.finish(target, finished, "two", key="k2")
        assert await rig.adapter.find(target, "k3", None, since=since, known=(), silent=False) is None
        first = await rig.adapter.begin(target, "three", key="k3")
        second = await rig.adapter.begin(target, "four", key="k4")
        later = await rig.adapter.post(target, "five", key="k5")

        async def found(key: str, *known: MessageId, after: MessageId | None = None) -> MessageId | None:
            return await rig.adapter.find(target, key, after, since=since, known=known, silent=False)

        assert await found("k3") == first
        assert await found("k4", first) == second
        assert await found("k4", after=first) == second
        assert await found("k5") == later
        assert await found("k1") == posted
        assert await found("k6", first, second) is None
        off = SlackRig(rig.simulator, replace(rig.config, streams=False))
        async with listening(off.adapter):
            assert await off.adapter.find(target, "k3", None, since=since, known=(), silent=False) is None


async def test_a_stream_that_was_deleted_meanwhile_is_gone_for_the_next_run(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.simulator.delete(message.rpartition("/")[2])
    again = rig.again()
    async with listening(again.adapter):
        for _ in range(2):
            with pytest.raises(Gone):
                await again.adapter.finish(target, message, "one two", key="k1")
        await again.adapter.delete(target, message)
