import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from telegram import Bot, Update
from telegram.error import Conflict

from sandbox.telegram import Simulator
from tests.sandbox.telegram.library import a_bot, a_simulator, refused, updates


class Hook:
    """A server that takes updates, as the bot's own would."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[int] = []
        """The statuses of the next answers; 200 when there are none."""
        self.got: list[tuple[int, str | None]] = []
        """The update_id and the secret of each post."""
        self.bodies: list[dict[str, Any]] = []
        self.arrived = asyncio.Queue[int]()
        self.free = asyncio.Event()
        self.free.set()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        self.got.append((body["update_id"], request.headers.get("X-Telegram-Bot-Api-Secret-Token")))
        self.arrived.put_nowait(body["update_id"])
        await self.free.wait()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@asynccontextmanager
async def a_hook() -> AsyncGenerator[Hook]:
    hook, app = Hook(), web.Application()
    app.router.add_post("/hook", hook.take)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield hook
    finally:
        await runner.cleanup()


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with a_hook() as hook:
        yield hook


async def test_updates_are_posted_with_the_secret(simulator: Simulator, bot: Bot, hook: Hook) -> None:
    await simulator.say("user1", "", "before", direct=True)
    await bot.set_webhook(hook.url, secret_token="a-secret_1", allowed_updates=["message"])
    await simulator.say("user1", "", "after", direct=True)
    await simulator.wait_for(lambda: not simulator.waiting())
    assert [secret for _, secret in hook.got] == ["a-secret_1", "a-secret_1"]
    messages = [Update.de_json(each, bot).message for each in hook.bodies]
    assert [each and each.text for each in messages] == ["before", "after"]
    info = await bot.get_webhook_info()
    assert (info.url, info.pending_update_count, info.allowed_updates) == (hook.url, 0, ("message",))


async def test_what_is_not_taken_is_posted_again(simulator: Simulator, bot: Bot, hook: Hook) -> None:
    hook.answers = [500, 404, 302]
    await bot.set_webhook(hook.url)
    await simulator.say("user1", "", "a", direct=True)
    await simulator.say("user1", "", "b", direct=True)
    await simulator.wait_for(lambda: not simulator.waiting())
    first, second = hook.got[0][0], hook.got[-1][0]
    assert [number for number, _ in hook.got] == [first] * 4 + [second]
    assert simulator.stats()["webhook_failed"] == 3
    info = await bot.get_webhook_info()
    assert info.last_error_message is not None
    assert info.last_error_message.startswith("Wrong response from the webhook: 302")


async def test_chats_do_not_wait_for_each_other(simulator: Simulator, bot: Bot, hook: Hook) -> None:
    hook.free.clear()
    await bot.set_webhook(hook.url)
    await simulator.start("user1")
    await simulator.say("user1", "", "in order", direct=True)
    await simulator.start("user2")
    async with asyncio.timeout(30):
        await hook.arrived.get()
        await hook.arrived.get()
    senders = {each["message"]["from"]["username"] for each in hook.bodies}
    assert senders == {"user1", "user2"}
    hook.free.set()
    await simulator.wait_for(lambda: not simulator.waiting())
    assert hook.bodies[-1]["message"]["text"] == "in order"


async def test_a_webhook_and_polls_exclude_each_other(simulator: Simulator, bot: Bot, hook: Hook) -> None:
    polled = asyncio.create_task(bot.get_updates(timeout=30))
    await simulator.wait_for(lambda: simulator.stats()["polling"])
    await bot.set_webhook(hook.url)
    with pytest.raises(Conflict, match="terminated by setWebhook"):
        await polled
    with pytest.raises(Conflict, match="while webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await updates(bot) == []


async def test_waiting_updates_are_dropped_only_when_asked(simulator: Simulator, bot: Bot) -> None:
    await simulator.start("user1")
    await bot.delete_webhook()
    assert len(simulator.waiting()) == 1
    await bot.delete_webhook(drop_pending_updates=True)
    assert simulator.waiting() == []


async def test_addresses_and_secrets_are_checked(bot: Bot) -> None:
    assert await refused(bot.set_webhook("ftp://example.org")) == "Invalid webhook url specified"
    assert await refused(bot.set_webhook("http://127.0.0.1:1/x", secret_token="no spaces")) == (
        "Secret token contains unallowed characters"
    )


async def test_a_strict_server_takes_only_tls_on_its_ports() -> None:
    async with a_simulator(strict_webhooks=True) as simulator, a_bot(simulator) as bot:
        assert "https url must be provided" in await refused(bot.set_webhook("http://example.org"))
        assert "only on ports" in await refused(bot.set_webhook("https://example.org:5000"))
