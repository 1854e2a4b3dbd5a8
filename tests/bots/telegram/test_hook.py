import asyncio
import io
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession, web
from yarl import URL

from bots.telegram.gateway import HOOK_BYTES, SECRET
from shared.chat import Button, Connected, Event, Message, Pressed
from shared.errors import Misconfigured, StoreUnusable, Unavailable
from tests.bots.telegram.rig import ROOMY, TelegramRig, telegram_rig
from tests.conformance.adapter_rig import Heard, asked, listening, running

WORD = "a-secret_word1"
HELLO: dict[str, Any] = {
    "update_id": 9,
    "message": {
        "message_id": 1,
        "date": 1,
        "chat": {"id": 5, "type": "private"},
        "from": {"id": 5, "is_bot": False, "first_name": "Eve"},
        "text": "hello",
    },
}


@asynccontextmanager
async def hooked(**config: Any) -> AsyncGenerator[TelegramRig]:
    """A rig whose adapter has its updates posted to a server with the one route."""
    async with telegram_rig(replace(ROOMY, webhook_delay=0.01)) as rig:
        app = web.Application(client_max_size=10 * HOOK_BYTES)

        async def hook(request: web.Request) -> web.Response:
            return await there.adapter.hook(request)

        app.router.add_post("/telegram/updates", hook)
        runner = web.AppRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram/updates"
            given = {"events": "webhook", "webhook_url": url, "webhook_secret": WORD} | config
            there = TelegramRig(rig.simulator, replace(rig.config, **given))
            yield there
        finally:
            await runner.cleanup()


async def posted(rig: TelegramRig, body: Any, secret: str | None = WORD) -> int:
    """Post something as Telegram does, or as somebody else; the status of the answer."""
    headers = {"Content-Type": "application/json"} | ({} if secret is None else {SECRET: secret})
    data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
    async with ClientSession() as session, session.post(rig.config.webhook_url, data=data, headers=headers) as response:
        return response.status


async def test_updates_come_by_webhook() -> None:
    async with hooked() as rig, listening(rig.adapter) as heard:
        assert rig.adapter.health().connected
        target = (await asked(rig, heard)).target
        await rig.adapter.post(target, "one", key="k1", buttons=[Button("stop/1", "Stop")])
        await rig.press(target.channel, "Stop")
        assert (await heard.one(Pressed)).button == "stop/1"
        await rig.simulator.wait_for(lambda: not rig.simulator.waiting())
        assert isinstance(heard.events[0], Connected)
        [call] = [each for each in rig.simulator.calls if each.path == "/setWebhook"]
        assert call.body["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]
        assert call.body["max_connections"] == "40"
        assert not any(each.path == "/getupdates" for each in rig.simulator.calls)


async def test_what_has_waited_is_posted_at_the_start() -> None:
    async with hooked() as rig:
        await rig.say("while you were away")
        async with listening(rig.adapter) as heard:
            assert (await heard.message()).text == "while you were away"


async def test_an_update_is_confirmed_only_once_it_is_stored() -> None:
    stored, came = asyncio.Event(), asyncio.Event()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message):
            came.set()
            await stored.wait()

    async with hooked() as rig, running(rig.adapter, deliver), asyncio.timeout(10):
        await rig.simulator.wait_for(lambda: rig.simulator.world.state.webhook.url)
        await rig.say("hello")
        await came.wait()
        assert len(rig.simulator.waiting()) == 1
        stored.set()
        await rig.simulator.wait_for(lambda: not rig.simulator.waiting())


async def test_what_could_not_be_stored_ends_it_and_is_posted_again() -> None:
    async def full(event: Event) -> None:
        if isinstance(event, Message):
            raise StoreUnusable("the disk is full")

    async with hooked() as rig:
        await rig.say("hello")
        with pytest.raises(StoreUnusable):
            async with asyncio.timeout(10):
                await rig.adapter.run(full)
        async with listening(rig.adapter) as heard:
            assert (await heard.message()).text == "hello"


@pytest.mark.parametrize("secret", [None, "", "a-secret_word", "A-SECRET_WORD1", "ä" * 3])
async def test_what_does_not_carry_the_secret_is_refused(secret: str | None) -> None:
    async with hooked() as rig, listening(rig.adapter) as heard:
        assert await posted(rig, HELLO, secret) == 401
        await asked(rig, heard, "from Telegram")
        assert heard.texts == ["from Telegram"]


async def test_a_secret_that_is_no_text_is_refused() -> None:
    async with hooked() as rig, listening(rig.adapter) as heard:
        url = URL(rig.config.webhook_url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        head = f"POST {url.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n{SECRET}: "
        writer.write(head.encode() + b"\xff\xfe\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"401"
        writer.close()
        await asked(rig, heard, "from Telegram")


async def test_what_takes_too_long_is_put_off_and_not_broken_off() -> None:
    """It may be stored already: broken off then, nobody would go on with it."""
    began, stored, done = asyncio.Event(), asyncio.Event(), list[str]()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message):
            began.set()
            await stored.wait()
            done.append(event.text)

    async with hooked(hook_seconds=3.0) as rig, running(rig.adapter, deliver), asyncio.timeout(30):
        await rig.simulator.wait_for(lambda: rig.simulator.world.state.webhook.url)
        assert await posted(rig, HELLO) == 503
        await began.wait()
        again = asyncio.create_task(posted(rig, HELLO))
        stored.set()
        assert await again == 200
        assert done == ["hello", "hello"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no JSON", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        ({"message": {}}, 400),
        (b" " * (HOOK_BYTES + 1), 413),
        ({"update_id": 3, "message": {"chat": "nonsense"}}, 200),
        ({"update_id": 3, "something_new": True}, 200),
        (HELLO, 200),
    ],
)
async def test_what_is_posted_is_looked_at(body: Any, status: int) -> None:
    async with hooked() as rig, listening(rig.adapter) as heard:
        assert await posted(rig, body) == status
        await asked(rig, heard, "still here")


async def test_a_chat_is_heard_in_order_also_when_posts_overtake_each_other() -> None:
    came, first, order = asyncio.Event(), asyncio.Event(), list[str]()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message):
            if event.text == "1":
                came.set()
                await first.wait()
            order.append(event.text)

    def numbered(number: int) -> dict[str, Any]:
        return {"update_id": number, "message": HELLO["message"] | {"message_id": number, "text": str(number)}}

    async with hooked(hook_seconds=3.0) as rig, running(rig.adapter, deliver), asyncio.timeout(30):
        await rig.simulator.wait_for(lambda: rig.simulator.world.state.webhook.url)
        # That they are put off says that they wait.
        one = asyncio.create_task(posted(rig, numbered(1)))
        await came.wait()
        assert [await posted(rig, numbered(2)), await one] == [503, 503]
        first.set()
        assert await posted(rig, numbered(3)) == 200
    assert order == ["1", "2", "3"]


@pytest.mark.parametrize("lacks", ["webhook_secret", "webhook_url"])
async def test_without_what_it_needs_it_does_not_start(lacks: str) -> None:
    async with hooked(**{lacks: ""}) as rig, asyncio.timeout(10):
        with pytest.raises(Misconfigured, match="TELEGRAM_WEBHOOK_SECRET"):
            await rig.adapter.run(Heard())


async def test_an_address_that_telegram_does_not_take_is_said_in_one_sentence() -> None:
    async with hooked(webhook_url="ftp://example.org/updates") as rig, asyncio.timeout(10):
        with pytest.raises(Misconfigured, match=r"(?i)TELEGRAM_WEBHOOK_URL .*: Telegram: setWebhook: .*invalid webhook URL"):
            await rig.adapter.run(Heard())


async def test_while_not_connected_telegram_is_asked_to_try_again() -> None:
    async with hooked() as rig:
        assert await posted(rig, HELLO) == 503


async def test_nothing_is_taken_before_the_connection_is_announced() -> None:
    told, heard = asyncio.Event(), Heard()

    async def deliver(event: Event) -> None:
        if isinstance(event, Connected):
            await told.wait()
        await heard(event)

    async with hooked() as rig, running(rig.adapter, deliver), asyncio.timeout(10):
        await rig.simulator.wait_for(lambda: any(call.path == "/setWebhook" and call.status for call in rig.simulator.calls))
        assert await posted(rig, HELLO) == 503
        told.set()
        await heard.connected()
        assert await posted(rig, HELLO) == 200
        assert isinstance(heard.events[0], Connected)


async def test_what_could_not_be_stored_is_put_off_and_posted_again() -> None:
    refused: list[Event] = []
    taken = asyncio.Event()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message):
            if not refused:
                refused.append(event)
                raise Unavailable("not stored")
            taken.set()

    async with hooked() as rig, running(rig.adapter, deliver), asyncio.timeout(10):
        await rig.simulator.wait_for(lambda: rig.simulator.world.state.webhook.url)
        await rig.say("hello")
        await taken.wait()
