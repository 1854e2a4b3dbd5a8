import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import ClientSession, web

from sandbox.slack.config import DEFAULT_SECRET
from shared.chat import Button, Command, Connected, Event, Message, Pressed
from shared.errors import Misconfigured
from tests.bots.slack.rig import ROOMY, SlackRig, slack_rig
from tests.conformance.adapter_rig import answering, asked, listening, running


@asynccontextmanager
async def hooked(rig: SlackRig) -> AsyncGenerator[str]:
    """A server with the one route; its address."""
    app = web.Application()
    app.router.add_post("/slack/events", rig.adapter.hook)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def http_rig(secret: str = DEFAULT_SECRET) -> AsyncGenerator[SlackRig]:
    async with slack_rig(replace(ROOMY, retry_delays=(0.05, 0.05)), events="http", signing_secret=secret, app_token="") as rig:
        yield rig


async def test_events_commands_and_presses_come_over_http() -> None:
    async with http_rig() as rig, hooked(rig) as url, listening(rig.adapter) as heard:
        await rig.simulator.set_request_url(url)
        assert rig.adapter.health().connected
        target = await answering(rig, await asked(rig, heard))
        await rig.simulator.call("user1", "/threadline", "general", "model opus & more for:channel")
        assert (await heard.one(Command)).name == "model opus & more for:channel"[:40]
        await rig.adapter.post(target, "one", key="k1", buttons=[Button("stop/1", "Stop")])
        await rig.press(target.channel, "Stop")
        assert (await heard.one(Pressed)).button == "stop/1"
        await rig.simulator.wait_for(lambda: all(each["outcome"] == "acked" for each in rig.simulator.triggers()))
        assert isinstance(heard.events[0], Connected)
        assert rig.simulator.sockets.open == 0


async def test_what_slack_did_not_sign_is_refused() -> None:
    async with http_rig() as rig, hooked(rig) as url, listening(rig.adapter) as heard:
        await rig.simulator.set_request_url(url)
        await asked(rig, heard)
        event = {"type": "message", "channel": "C1", "ts": "1.0", "user": "U1", "text": "not from Slack"}
        body = json.dumps({"type": "event_callback", "event_id": "Ev1", "event": event})
        async with ClientSession() as session:
            for headers in (
                {},
                {"X-Slack-Signature": "v0=abc", "X-Slack-Request-Timestamp": "1"},
            ):
                async with session.post(url, data=body, headers=headers | {"Content-Type": "application/json"}) as response:
                    assert response.status == 401
        rig.simulator.posting.secret = "another"
        await rig.simulator.say("user1", "general", "@threadline hello")
        await rig.simulator.wait_for(lambda: rig.simulator.delivery.given_up)
        assert heard.texts == ["hello"]


async def test_what_cannot_be_stored_yet_is_posted_again() -> None:
    stored = asyncio.Event()
    taken: list[str] = []

    async def deliver(event: Event) -> None:
        if isinstance(event, Message):
            await stored.wait()
            taken.append(event.text)

    async with http_rig() as rig, hooked(rig) as url:
        await rig.simulator.say("user1", "general", "before anybody listens")
        async with running(rig.adapter, deliver):
            await rig.simulator.wait_for(lambda: any(call.path == "/auth.test" for call in rig.simulator.calls))
            await rig.simulator.set_request_url(url)
            said = await rig.simulator.say("user1", "general", "@threadline hello")
            await rig.simulator.wait_for(lambda: any(each.ts == said["ts"] for each in rig.simulator.delivery.sent))
            stored.set()
            await rig.simulator.wait_for(
                lambda: [each.outcome for each in rig.simulator.delivery.sent if each.ts == said["ts"]][-2:] == ["acked", "acked"]
            )
        assert taken[-1] == "hello"


async def test_without_the_signing_secret_it_does_not_start() -> None:
    async def deliver(event: Event) -> None:
        return

    async with http_rig(secret="") as rig, asyncio.timeout(10):
        with pytest.raises(Misconfigured, match="SLACK_SIGNING_SECRET"):
            await rig.adapter.run(deliver)


async def test_while_not_connected_slack_is_asked_to_try_again() -> None:
    async with http_rig() as rig, hooked(rig) as url, ClientSession() as session, session.post(url, data="{}") as response:
        assert response.status == 503
