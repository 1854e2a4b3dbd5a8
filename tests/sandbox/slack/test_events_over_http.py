import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web

from sandbox.slack import Simulator
from tests.sandbox.slack.library import GENERAL, Bot, a_bot, a_simulator


@asynccontextmanager
async def over_http(simulator: Simulator) -> AsyncGenerator[tuple[Bot, str]]:
    """A bolt app on a port of its own, and the address of its one route."""
    async with a_bot(simulator, links=0) as bot:
        runner = web.AppRunner(cast(web.Application, cast(Any, bot.app).web_app()))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield bot, f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        finally:
            await runner.cleanup()


async def test_events_commands_and_presses_come_signed(simulator: Simulator) -> None:
    async with over_http(simulator) as (bot, url):
        await simulator.set_request_url(url)
        await simulator.say("user1", "general", "@threadline hello")
        await bot.hears("app_mention")
        await bot.hears("message")
        await simulator.call("user1", "/ask", "general", "why & how?")
        command = await bot.called()
        assert command["text"] == "why & how?"
        button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go"}
        posted = await bot.client.chat_postMessage(channel=GENERAL, text="x", blocks=[{"type": "actions", "elements": [button]}])
        await simulator.press("user1", posted["ts"], "Go")
        await bot.until(lambda: bot.actions)
        await simulator.wait_for(lambda: all(each["outcome"] == "acked" for each in simulator.triggers()))


async def test_a_failed_event_is_posted_again_with_the_reason(simulator: Simulator) -> None:
    async with over_http(simulator) as (bot, url):
        await simulator.set_request_url(url)
        bot.failing = 2
        await simulator.say("user1", "general", "hello")
        await bot.hears("message")
        assert bot.headers[0]["x-slack-retry-num"] == ["2"]
        assert bot.headers[0]["x-slack-retry-reason"] == ["http_error"]


async def test_a_bad_signature_is_refused_by_the_library() -> None:
    async with a_simulator() as simulator, over_http(simulator) as (bot, url):
        await simulator.set_request_url(url)
        simulator.posting.secret = "another"
        await simulator.say("user1", "general", "hello")
        await simulator.wait_for(lambda: simulator.delivery.given_up)
        assert bot.bodies == []
        with pytest.raises(ValueError, match="challenge"):
            await simulator.set_request_url(url)


async def test_an_old_signature_is_refused_by_the_library(simulator: Simulator) -> None:
    async with over_http(simulator) as (bot, url), aiohttp.ClientSession() as session:
        now = simulator.config.clock()
        for at, status in ((now - 400, 401), (now, 200)):
            body = '{"type": "event_callback", "event": {"type": "message", "channel": "C1", "text": "x"}}'
            headers = simulator.posting.signed(body, at) | {"Content-Type": "application/json"}
            async with session.post(url, data=body, headers=headers) as response:
                assert response.status == status
        assert len(bot.bodies) == 1


async def test_nobody_there_and_no_answer_in_time() -> None:
    async def slow(request: web.Request) -> web.Response:
        came.append(request.headers.get("X-Slack-Retry-Reason", ""))
        await over.wait()
        return web.Response()

    async def refuse(request: web.Request) -> web.Response:
        came.append("refused")
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})

    came: list[str] = []
    over = asyncio.Event()
    app = web.Application()
    app.router.add_post("/slow", slow)
    app.router.add_post("/refuse", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with a_simulator(request_url=f"{base}/slow", ack_timeout=2.5, retry_delays=(0.0, 0.02)) as simulator:
        await simulator.say("user1", "general", "hello")
        await simulator.wait_for(lambda: simulator.delivery.given_up, 30)
        assert came == ["", "http_timeout", "http_timeout"]
    over.set()
    async with a_simulator(request_url=f"{base}/refuse") as simulator:
        await simulator.say("user1", "general", "hello")
        await simulator.wait_for(lambda: simulator.delivery.given_up)
        assert came[3:] == ["refused"]
    await runner.cleanup()
    async with a_simulator(request_url=base) as simulator:
        await simulator.say("user1", "general", "hello")
        await simulator.wait_for(lambda: simulator.delivery.given_up)
        assert {each["outcome"] for each in simulator.deliveries()} == {"connection_failed"}
