"""Where Slack takes no stream, or none just now: what is posted instead."""

from dataclasses import replace

import pytest

from bots.slack.failures import refusal
from bots.slack.names import Place
from bots.slack.streams import LIFETIME, NOT_AGAIN, Growing
from sandbox.faults import Rule
from shared.chat import AuthorId, Channel, ChannelId, MessageId, Target
from shared.errors import RateLimited, Refused, Unavailable
from tests.bots.slack.rig import ROOMY, SlackRig, slack_rig
from tests.bots.slack.streaming import GENERAL, RETRY, bodies, calls, direct, saying, talking


async def test_a_workspace_without_streams_gets_a_post_and_updates(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        await rig.simulator.set_features(streaming=False)
        message = await rig.adapter.begin(target, "one", key="k1")
        assert rig.adapter.lifetime(target) is None
        assert any(limit.blocked > 0 for limit in rig.adapter.limits(target, "post"))
        await rig.adapter.extend(target, message, "one two")
        assert rig.shown(target.channel) == ["one two"]
        await rig.adapter.finish(target, message, "one two three", key="k1", buttons=RETRY)
        assert rig.shown(target.channel) == ["one two three"]
        assert rig.buttons(target.channel) == [["Retry"]]
        assert rig.own(target.channel)[0]["metadata"]["event_payload"] == {"key": "k1"}
        await rig.adapter.begin(target, "four", key="k2")
        assert calls(rig) == ["startStream", "postMessage", "update", "update", "postMessage"]


@pytest.mark.parametrize(
    ("error", "remembered"),
    [
        ("unknown_method", True),
        ("not_allowed", True),
        ("missing_scope", True),
        ("not_allowed_token_type", True),
        ("feature_disabled", True),
        ("channel_type_not_supported", True),
        ("missing_recipient_user_id", False),
        ("missing_recipient_team_id", False),
        ("user_not_found", False),
        ("restricted_action", False),
        ("msg_too_long", False),
    ],
)
async def test_a_stream_that_slack_refuses_is_posted(rig: SlackRig, error: str, remembered: bool) -> None:
    async with talking(rig) as (target, _):
        await rig.simulator.fault(saying("startStream", error))
        await rig.adapter.begin(target, "one", key="k1")
        assert rig.shown(target.channel) == ["one"]
        assert (rig.adapter.lifetime(target) is None) == remembered


async def test_a_start_or_a_post_of_which_nothing_is_known_is_not_made_again(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        await rig.simulator.fault(Rule("status", path="/chat.(startStream|postMessage)$", status=503, times=2))
        with pytest.raises(Unavailable):
            await rig.adapter.begin(target, "one", key="k1")
        with pytest.raises(Unavailable):
            await rig.adapter.post(target, "one", key="k1")
        assert calls(rig) == ["startStream", "postMessage"]


def test_a_stream_is_let_grow_for_less_than_the_five_minutes_that_slack_gives_it() -> None:
    assert LIFETIME <= 240


async def test_starts_that_run_short_are_told_and_nothing_is_posted() -> None:
    async with slack_rig(replace(ROOMY, tier2=(1, 60.0))) as rig, talking(rig) as (target, _):
        message = await rig.adapter.begin(target, "one", key="k1")
        with pytest.raises(RateLimited):
            await rig.adapter.begin(target, "two", key="k2")
        assert rig.adapter.limits(target, "begin")[0].blocked > 0
        assert rig.adapter.lifetime(target) == LIFETIME
        await rig.adapter.finish(target, message, "one", key="k1")
        assert rig.shown(target.channel) == ["one"]


async def test_there_are_streams_only_where_they_can_be_begun(rig: SlackRig) -> None:
    async with talking(rig) as (target, heard):
        adapter = rig.adapter
        nobody = replace(target, user=None)
        top = replace(target, channel=Channel(ChannelId(f"slack:{GENERAL}"), "group"), reply_to=None)
        assert [adapter.lifetime(each) for each in (nobody, top, replace(target, private=True))] == [None] * 3
        for each in (nobody, top):
            message = await adapter.begin(each, "one", key="k1")
            await adapter.extend(each, message, "one two")
            await adapter.finish(each, message, "one two three", key="k1")
            assert rig.shown(each.channel) == ["one two three"]
        chat = replace(await direct(rig, heard), user=None)
        await adapter.begin(chat, "one", key="k2")
        [start] = bodies(rig, "startStream")
        assert "recipient_user_id" not in start
        assert "recipient_team_id" not in start


async def test_an_answer_by_way_of_a_command_is_not_streamed(rig: SlackRig) -> None:
    async with talking(rig) as (target, _):
        outside = replace(target, handle="outside https://hooks.slack.com/commands/1")
        assert rig.adapter.lifetime(outside) is None
        with pytest.raises(Refused):
            await rig.adapter.extend(target, MessageId(f"{target.channel.id}/whisper/1"), "one two")


async def test_streams_can_be_switched_off() -> None:
    async with slack_rig(streams=False) as rig, talking(rig) as (target, _):
        assert rig.adapter.lifetime(target) is None
        assert rig.adapter.fits(target, "é" * 10_000)
        message = await rig.adapter.begin(target, "one", key="k1")
        await rig.adapter.finish(target, message, "one two", key="k1")
        assert calls(rig) == ["postMessage", "update"]


def test_what_was_refused_is_tried_again_later_and_elsewhere() -> None:
    now = 100.0
    growing = Growing(True, clock=lambda: now)
    here, there = (Target(Channel(ChannelId(f"slack:{each}/17.1"), "thread"), user=AuthorId("slack:U1")) for each in ("C1", "C2"))

    def refuse(code: str) -> None:
        failed = refusal(code, code, 0.0)
        assert isinstance(failed, Refused)
        growing.refuse(Place("C1", "17.1"), failed)

    refuse("channel_type_not_supported")
    assert (growing.lifetime(here), growing.lifetime(there)) == (None, LIFETIME)
    refuse("unknown_method")
    assert (growing.lifetime(here), growing.lifetime(there)) == (None, None)
    now += NOT_AGAIN
    assert (growing.lifetime(here), growing.lifetime(there)) == (LIFETIME, LIFETIME)
