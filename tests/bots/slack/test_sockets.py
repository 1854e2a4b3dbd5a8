import asyncio
import logging
from dataclasses import replace

import pytest

from sandbox.faults import Rule
from shared.chat import Connected, Event
from shared.errors import Misconfigured
from tests.bots.slack.rig import ROOMY, SlackRig, slack_rig
from tests.conformance.adapter_rig import asked, listening


async def deaf(event: Event) -> None:
    """Hears nothing."""


@pytest.mark.parametrize("says", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"])
async def test_a_token_that_is_not_good_says_what_to_do(rig: SlackRig, says: str) -> None:
    async with asyncio.timeout(10):
        if says == "SLACK_BOT_TOKEN":
            await rig.simulator.set_token("xoxb-another")
        else:
            await rig.simulator.set_app_token("xapp-another")
        with pytest.raises(Misconfigured) as caught:
            await rig.adapter.run(deaf)
        assert says in caught.value.detail
        assert "xoxb" not in caught.value.detail


async def test_a_missing_scope_says_what_to_do(rig: SlackRig) -> None:
    await rig.simulator.set_scopes(remove=["chat:write"])
    async with asyncio.timeout(10):
        with pytest.raises(Misconfigured, match="chat:write"):
            await rig.adapter.run(deaf)


async def test_scopes_that_one_can_do_without_are_named_in_the_log(rig: SlackRig, caplog: pytest.LogCaptureFixture) -> None:
    await rig.simulator.set_scopes(remove=["files:write"])
    async with listening(rig.adapter):
        assert rig.adapter.health().connected
    [record] = [each for each in caplog.records if "lacks scopes" in each.message]
    assert "files:write" in str(getattr(record, "scopes", ""))


async def test_it_keeps_trying_while_slack_is_away(rig: SlackRig) -> None:
    await rig.simulator.fault(Rule("status", path="/auth.test", status=503, times=3))
    await rig.simulator.fault(Rule("status", path="/apps.connections.open", status=503, times=3))
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)


async def test_two_connections_are_open_and_both_are_used(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.wait_for(lambda: rig.simulator.sockets.open == 2)
        await asked(rig, heard)
        await rig.simulator.wait_for(
            lambda: {each.link for each in rig.simulator.delivery.sent if each.outcome == "acked"} == {1, 2}
        )
        assert "2 connections" in rig.adapter.health().detail


async def test_a_connection_that_slack_renews_leaves_no_gap_and_begins_no_session() -> None:
    async with slack_rig(connections=1) as rig, listening(rig.adapter) as heard:
        for count in range(2, 5):
            await rig.simulator.disconnect()
            await rig.simulator.wait_for(lambda count=count: rig.simulator.sockets.counts.connects == count)
            await asked(rig, heard, f"number {count}")
        assert len(heard.of(Connected)) == 1
        assert rig.simulator.delivery.given_up == 0


async def test_losing_one_of_two_connections_begins_no_session(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.wait_for(lambda: rig.simulator.sockets.open == 2)
        await rig.simulator.disconnect(count=1)
        await rig.simulator.wait_for(lambda: rig.simulator.sockets.counts.connects == 3)
        await asked(rig, heard)
        assert len(heard.of(Connected)) == 1


async def test_a_switched_off_socket_mode_says_what_to_do(rig: SlackRig) -> None:
    task = asyncio.create_task(rig.adapter.run(deaf))
    await rig.simulator.wait_for(lambda: rig.simulator.sockets.open)
    await rig.simulator.disconnect("link_disabled")
    async with asyncio.timeout(10):
        [result] = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(result, Misconfigured)
    assert "Socket Mode" in result.detail


async def test_connections_that_are_open_and_deaf_are_made_anew() -> None:
    # Slack repeats what it could not tell; here it gives up, so that only the watchdog can help.
    async with (
        slack_rig(replace(ROOMY, ack_timeout=0.2, retry_delays=()), echo_seconds=0.2) as rig,
        listening(rig.adapter) as heard,
    ):
        message = await asked(rig, heard)
        await rig.adapter.post(message.target, "one", key="k1")
        await heard.until(lambda: len(heard.of_bots) == 1)
        await rig.simulator.wait_for(lambda: rig.simulator.sockets.open == 2)
        await rig.simulator.deafen()
        await rig.adapter.post(message.target, "two", key="k2")
        await heard.connected(2)
        await asked(rig, heard, "can you hear me")


async def test_a_connection_without_an_answer_to_pings_is_given_up() -> None:
    async with slack_rig(heartbeat=0.4) as rig, listening(rig.adapter) as heard:
        await rig.simulator.wait_for(lambda: rig.simulator.sockets.open == 2)
        await rig.simulator.zombify()
        await heard.connected(2)
        await asked(rig, heard)


async def test_no_log_line_holds_a_secret(rig: SlackRig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await rig.simulator.accept(False)
    task = asyncio.create_task(rig.adapter.run(deaf))
    await rig.simulator.wait_for(lambda: rig.simulator.sockets.counts.refused >= 3)
    await rig.simulator.accept(True)
    await rig.simulator.wait_for(lambda: rig.simulator.sockets.open)
    await rig.simulator.call("user1", "/threadline", "general", "help")
    await rig.simulator.wait_for(lambda: rig.simulator.triggers()[-1]["outcome"])
    task.cancel()
    await asyncio.wait([task])
    ours = [each for each in caplog.records if each.name.startswith(("bots", "slack"))]
    assert ours
    lines = " ".join(f"{each.getMessage()} {each.__dict__}" for each in ours)
    for secret in ("xoxb-", "xapp-", "ticket=", "/responses/"):
        assert secret not in lines.replace("ticket=(hidden)", "")
    assert "xoxb-" not in repr(rig.config)
