import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from sandbox.slack import Simulator
from sandbox.slack.defaults import TEAM
from tests.sandbox.slack.library import ADA, GENERAL, Bot, Slack, refused


class Far:
    """The control API over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    async def get(self, what: str, **query: str) -> Any:
        async with self.session.get(f"{self.base}/{what}", params=query) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def post(self, what: str, **body: Any) -> Any:
        async with self.session.post(f"{self.base}/{what}", json=body) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def refused(self, what: str, **body: Any) -> str:
        async with self.session.post(f"{self.base}/{what}", json=body) as response:
            assert response.status == 400
            return str((await response.json())["error"])


@pytest.fixture
async def far(simulator: Simulator) -> AsyncIterator[Far]:
    async with aiohttp.ClientSession() as session:
        yield Far(session, simulator.control_url)


async def test_people_act_and_read_over_http(simulator: Simulator, bot: Bot, far: Far) -> None:
    said = await far.post("say", **{"as": "user3", "in": "random", "text": "@threadline from afar"})
    mention = await bot.hears("app_mention")
    assert mention["ts"] == said["ts"]
    await bot.client.chat_postMessage(channel=mention["channel"], thread_ts=said["ts"], text="answer")
    seen = await far.get("sees", **{"as": "user1", "in": "random", "thread": said["ts"]})
    assert [each["text"] for each in seen] == ["@threadline from afar", "answer"]
    assert [each["content"] for each in await far.get("messages", channel="random")][-1] == "answer"
    assert (await far.get("messages", message=said["id"]))["author"] == "user3"
    await far.post("edit", message=said["id"], text="changed")
    await far.post("react", **{"as": "user1", "message": said["id"], "emoji": "eyes"})
    await far.post("unfurl", message=said["id"])
    await far.post("delete", message=said["id"])
    await bot.hears("message", 3, subtype="message_changed")
    called = await far.post("call", **{"as": "user1", "name": "/ask", "in": "general", "text": "why?"})
    await bot.until(lambda: bot.commands)
    assert (await far.get("triggers", trigger=called["id"]))["name"] == "/ask"
    assert len(await far.get("triggers")) == 1
    await far.post("open_home", **{"as": "user1"})
    await bot.hears("app_home_opened")
    await far.post("emit", type="app_mention", channel=GENERAL, ts="1.000001", text="made up", user=ADA)
    await bot.hears("app_mention", text="made up")
    stats = await far.get("stats")
    assert (stats["connected"], stats["suffered"]) == (1, 0)
    assert {each["name"] for each in await far.get("deliveries")} >= {"app_mention", "message", "/ask"}
    names = {each["name"] for each in (await far.get("world"))["channels"]}
    assert {"general", "random", "support", "lounge", "backroom"} <= names


async def test_a_session_and_its_stop_are_there_over_http(simulator: Simulator, bot: Bot, far: Far) -> None:
    root = (await far.post("say", **{"as": "user1", "text": "question"}))["ts"]
    client = bot.client
    await client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=root, status="is thinking")
    assert [each["status"] for each in await far.get("statuses")] == ["is thinking"]
    await client.chat_startStream(channel=GENERAL, thread_ts=root, recipient_user_id=ADA, recipient_team_id=TEAM)
    await client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=root, status="processing")
    stopped = await far.post("stop", **{"as": "user1", "in": "general", "thread": root})
    assert len(stopped["stopped"]) == 1
    await bot.hears("agent_session_stopped")
    assert (await far.get("sessions"))[0]["status"] == "processing"
    assert await far.get("prompts", **{"as": "user1"}) is None
    assert await far.get("home", **{"as": "user1"}) is None


async def test_faults_and_grants_are_there_over_http(simulator: Simulator, client: Slack, far: Far) -> None:
    number = await far.post("fault", action="status", path="/auth.test$", status=503, times=None)
    assert list(await far.get("faults")) == [str(number["fault"])]
    with pytest.raises(SlackApiError):
        await client.auth_test()
    await far.post("clear_faults", **number)
    await client.auth_test()
    assert [(call["status"], call["fault"]) for call in await far.get("log")] == [(503, "status-before"), (200, None)]
    assert "chat:write" not in await far.post("set_scopes", remove=["chat:write"])
    assert await refused(client.chat_postMessage(channel=GENERAL, text="x")) == "missing_scope"
    assert (await far.post("set_features", agent=False))["agent"] is False
    await far.post("set_token", token="xoxb-new")
    assert await refused(client.auth_test()) == "invalid_auth"
    await far.post("spoil", kind="login")
    assert "kind" in await far.refused("spoil", kind="burn")


async def test_slips_are_told(far: Far) -> None:
    assert "no channel nowhere" in await far.refused("say", **{"as": "user1", "in": "nowhere", "text": "x"})
    assert "no user nobody" in await far.refused("say", **{"as": "nobody", "text": "x"})
    assert "text must be str" in await far.refused("say", **{"as": "user1", "text": 5})
    assert "colour" in await far.refused("say", **{"as": "user1", "text": "x", "colour": "red"})
    assert "not a valid command" in await far.refused("call", **{"as": "user1", "name": "/fly"})
    assert "no message 5" in await far.refused("delete", message="5")
    assert "action" in await far.refused("fault", action="explode")


async def test_only_a_loopback_host_and_page_are_answered(far: Far) -> None:
    for header, value, status in (
        ("Host", "evil.example", 403),
        ("Host", "localhost:1", 200),
        ("Origin", "http://evil.example", 403),
        ("Origin", "http://127.0.0.1:8080", 200),
    ):
        async with far.session.get(f"{far.base}/world", headers={header: value}) as response:
            assert response.status == status


async def test_a_terminal_can_follow_what_happens(simulator: Simulator, client: Slack, far: Far) -> None:
    async with far.session.get(f"{far.base}/events") as response:
        assert await response.content.readline() == b": following\n"
        said = await simulator.say("user1", "general", "hello")
        await client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=said["ts"], status="is thinking")
        await simulator.call("user1", "/ask", "general")
        events = [json.loads(line[6:]) async for line in _data(response, 3)]
    assert [each["event"] for each in events] == ["message", "status", "trigger"]
    assert (events[0]["message"]["content"], events[1]["status"], events[2]["trigger"]["name"]) == (
        "hello",
        "is thinking",
        "/ask",
    )


async def _data(response: aiohttp.ClientResponse, count: int) -> AsyncGenerator[bytes]:
    while count:
        line = await response.content.readline()
        if line.startswith(b"data: "):
            count -= 1
            yield line


async def test_it_runs_as_a_process_until_it_is_told_to_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox.slack", "--state", str(tmp_path / "state"), "--retry-delays", "0"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(10):
            ready = json.loads(await process.stdout.readline())
        assert ready["pid"] == process.pid
        async with aiohttp.ClientSession() as session:
            await Far(session, ready["control"]).post("say", **{"as": "user1", "text": "kept"})
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
        assert "kept" in (tmp_path / "state").read_text()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
