import asyncio
import logging
import time
from dataclasses import replace
from itertools import pairwise

import aiohttp
import pytest

from bots.slack.calls import Json, Web
from bots.slack.limits import Limits
from bots.slack.sockets import REFUSED, UNHEARD, UNHEARD_SECONDS, Sockets
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


async def test_an_app_token_that_was_good_is_not_given_up_for_a_few_refusals(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.wait_for(lambda: rig.simulator.sockets.open == 2)
        refused = {"ok": False, "error": "invalid_auth"}
        await rig.simulator.fault(Rule("status", path="/apps.connections.open", status=200, body=refused, times=REFUSED))
        await rig.simulator.drop()
        await heard.connected(2)
        await asked(rig, heard)


async def test_an_app_token_that_is_revoked_says_what_to_do(rig: SlackRig) -> None:
    task = asyncio.create_task(rig.adapter.run(deaf))
    await rig.simulator.wait_for(lambda: rig.simulator.sockets.open == 2)
    await rig.simulator.set_app_token("xapp-another")
    await rig.simulator.drop()
    async with asyncio.timeout(20):
        [result] = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(result, Misconfigured)
    assert "SLACK_APP_TOKEN" in result.detail


async def test_connections_that_are_open_and_deaf_are_made_anew() -> None:
    # Slack repeats what it could not tell; here it gives up, so that only the watchdog can help.
    async with (
        slack_rig(replace(ROOMY, ack_timeout=0.2, retry_delays=()), echo_seconds=5.0) as rig,
        listening(rig.adapter) as heard,
    ):
        message = await asked(rig, heard)
        await rig.adapter.post(message.target, "one", key="k1")
        await heard.until(lambda: len(heard.of_bots) == 1)
        await rig.simulator.wait_for(lambda: rig.simulator.sockets.open == 2)
        sessions = len(heard.of(Connected))
        await rig.simulator.deafen()
        await rig.adapter.post(message.target, "two", key="k2")
        await heard.connected(sessions + 1)
        await asked(rig, heard, "can you hear me")


async def test_a_connection_without_an_answer_to_pings_is_given_up() -> None:
    # An answer that takes two seconds is none that is missing.
    async with slack_rig(heartbeat=4.2) as rig, listening(rig.adapter) as heard:
        await rig.simulator.wait_for(lambda: rig.simulator.sockets.open == 2)
        await rig.simulator.zombify()
        await rig.simulator.wait_for(lambda: rig.simulator.sockets.counts.connects > 2, 30)
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


async def test_connections_that_end_as_soon_as_they_begin_are_not_made_anew_at_once(rig: SlackRig) -> None:
    opened: list[float] = []
    config = replace(rig.config, connections=1, retry_wait=0.4)
    async with aiohttp.ClientSession() as session:
        api = Web(config, session, Limits())

        async def address() -> str:
            opened.append(time.monotonic())
            return await api.socket_url()

        async def take(payload: Json) -> bool:
            return True

        # By its clock no connection lasts any time.
        sockets = Sockets(config, session, address, take, lambda: None, clock=lambda: 0.0)
        task = asyncio.create_task(sockets.run())
        for count in range(1, 4):
            await rig.simulator.wait_for(lambda count=count: rig.simulator.sockets.counts.connects == count, 20)
            await rig.simulator.disconnect("too_many_websockets")
        await rig.simulator.wait_for(lambda: rig.simulator.sockets.counts.connects == 4, 20)
        task.cancel()
        await asyncio.wait([task])
    waits = [later - sooner for sooner, later in pairwise(opened)]
    assert all(wait >= least for wait, least in zip(waits, (0.2, 0.4, 0.8), strict=True))


async def test_one_connection_that_is_deaf_while_the_other_hears_is_made_anew() -> None:
    now = [100.0]
    async with slack_rig(replace(ROOMY, retry_delays=())) as rig, aiohttp.ClientSession() as session:
        simulator, api = rig.simulator, Web(rig.config, session, Limits())

        async def take(payload: Json) -> bool:
            return True

        sockets = Sockets(rig.config, session, api.socket_url, take, lambda: None, clock=lambda: now[0])
        task = asyncio.create_task(sockets.run())
        await simulator.wait_for(lambda: simulator.sockets.open == 2)
        await simulator.deafen(1)
        for _ in range(2 * UNHEARD):
            await simulator.emit({"type": "reaction_added"})
        await simulator.wait_for(lambda: simulator.sockets.counts.acks == UNHEARD)
        sockets.look()
        now[0] += UNHEARD_SECONDS - 1
        sockets.look()
        assert simulator.sockets.counts.connects == sockets.open == 2
        now[0] += 2
        sockets.look()
        await simulator.wait_for(lambda: simulator.sockets.counts.connects == 3)
        task.cancel()
        await asyncio.wait([task])
