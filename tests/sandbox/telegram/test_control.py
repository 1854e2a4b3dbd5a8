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
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import InvalidToken, NetworkError

from sandbox.telegram import Simulator
from tests.sandbox.telegram.library import ADA, GENERAL, updates


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
    said = await far.post("say", **{"as": "user3", "in": "random", "text": "@threadline_bot from afar"})
    assert len(await far.get("waiting")) == 1
    [update] = await updates(bot)
    assert update.message is not None
    assert update.message.message_id == said["message_id"]
    await update.message.reply_text("answer")
    assert [each["text"] for each in await far.get("sees", **{"as": "user1", "in": "random"})] == [said["content"], "answer"]
    assert [each["content"] for each in await far.get("messages", chat="random")][-1] == "answer"
    assert (await far.get("messages", message=said["id"]))["author"] == "user3"
    await far.post("edit", message=said["id"], text="changed")
    await far.post("react", **{"as": "user1", "message": said["id"], "emoji": "\U0001f440"})
    await far.post("delete", message=said["id"])
    await far.post("call", **{"as": "user1", "name": "ask", "in": "general", "text": "why?"})
    await far.post("start", **{"as": "user1"})
    assert [each.effective_message and each.effective_message.text for each in await updates(bot)] == [
        "/ask@threadline_bot why?",
        "/start",
    ]
    await bot.send_message_draft(ADA, 1, "half")
    assert [each["text"] for each in await far.get("drafts")] == ["half"]
    await bot.send_chat_action(GENERAL, "typing")
    assert [each["action"] for each in await far.get("actions")] == ["typing"]
    assert await far.get("commands", **{"as": "user1"}) == []
    assert (await far.get("stats"))["suffered"] == 0
    assert len(await far.get("deliveries")) == 3
    assert {"general", "workshop", "kitchen"} <= {each["name"] for each in (await far.get("world"))["chats"]}
    assert await far.post("emit", kind="poll", body={"id": "1"}) is not None


async def test_buttons_and_topics_are_there_over_http(simulator: Simulator, bot: Bot, far: Far) -> None:
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("Stop", callback_data="s")]])
    sent = await bot.send_message(GENERAL, "x", reply_markup=markup)
    made = await far.post("press", **{"as": "user1", "message": f"{GENERAL}:{sent.message_id}", "button": "Stop"})
    [update] = await updates(bot)
    assert update.callback_query is not None
    await update.callback_query.answer("yes")
    assert (await far.get("queries", query=made["id"]))["answer"]["text"] == "yes"
    assert len(await far.get("queries")) == 1
    topic = await far.post("topic", **{"as": "user1", "in": "workshop", "name": "new"})
    await far.post("say", **{"as": "user1", "in": "workshop", "text": "hi", "topic": "new"})
    assert [each["text"] for each in await far.get("sees", **{"as": "user2", "in": "workshop", "topic": str(topic["id"])})] == [
        "forum_topic_created",
        "hi",
    ]
    moved = await far.post("migrate", **{"in": "kitchen"})
    assert moved["kind"] == "supergroup"
    await far.post("block", **{"as": "user1"})
    await far.post("unblock", **{"as": "user1"})


async def test_faults_and_tokens_are_there_over_http(simulator: Simulator, bot: Bot, far: Far) -> None:
    number = await far.post("fault", action="status", path="/getMe$", status=503, times=None)
    assert list(await far.get("faults")) == [str(number["fault"])]
    with pytest.raises(NetworkError):
        await bot.get_me()
    await far.post("clear_faults", **number)
    await bot.get_me()
    assert [(call["status"], call["fault"]) for call in await far.get("log")] == [(503, "status-before"), (200, None)]
    await far.post("set_token", token="7000000001:new")
    with pytest.raises(InvalidToken):
        await bot.get_me()
    await far.post("spoil", kind="cut")
    assert "kind" in await far.refused("spoil", kind="burn")


async def test_slips_are_told(far: Far) -> None:
    assert "no chat nowhere" in await far.refused("say", **{"as": "user1", "in": "nowhere", "text": "x"})
    assert "no user nobody" in await far.refused("say", **{"as": "nobody", "text": "x"})
    assert "text must be str" in await far.refused("say", **{"as": "user1", "text": 5})
    assert "colour" in await far.refused("say", **{"as": "user1", "text": "x", "colour": "red"})
    assert "no message 5" in await far.refused("delete", message="5")
    assert "no topic x" in await far.refused("close_topic", **{"as": "user1", "in": "workshop", "topic": "x"})
    assert "no basic group" in await far.refused("migrate", **{"in": "general"})
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


async def test_a_terminal_can_follow_what_happens(simulator: Simulator, bot: Bot, far: Far) -> None:
    async with far.session.get(f"{far.base}/events") as response:
        assert await response.content.readline() == b": following\n"
        await simulator.say("user1", "general", "hello")
        await bot.send_chat_action(GENERAL, "typing")
        events = [json.loads(line[6:]) async for line in _data(response, 2)]
    assert [each["event"] for each in events] == ["message", "action"]
    assert (events[0]["message"]["content"], events[1]["action"]) == ("hello", "typing")


async def _data(response: aiohttp.ClientResponse, count: int) -> AsyncGenerator[bytes]:
    while count:
        line = await response.content.readline()
        if line.startswith(b"data: "):
            count -= 1
            yield line


async def test_it_runs_as_a_process_until_it_is_told_to_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox.telegram", "--state", str(tmp_path / "state"), "--no-limits"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
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
