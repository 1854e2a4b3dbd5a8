"""The whole server on Telegram, in both ways in which updates come."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from bots.assembly import TELEGRAM_PATH
from bots.server import Server
from sandbox.telegram import Simulator
from shared.settings import Settings
from tests.bots.telegram.rig import ROOMY
from tests.script.slack.stage import free_port
from tests.script.stage import PATIENCE


@asynccontextmanager
async def serving(folder: Path, telegram: Simulator, **settings: object) -> AsyncGenerator[Server]:
    """A server on this Telegram that answers by itself."""
    given: dict[str, object] = {
        "state_dir": folder / "state",
        "backend": "demo",
        "telegram_token": telegram.config.token,
        "telegram_api_url": telegram.api_url,
        "telegram_file_url": telegram.file_url,
        "telegram_direct": "open",
        "burst_seconds": 0,
        "drain_seconds": 2,
    }
    server = Server(Settings.model_validate(given | settings))
    served = asyncio.create_task(server.serve())
    try:
        heard = asyncio.create_task(server.ready.wait())
        await asyncio.wait([served, heard], return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        yield server
    finally:
        server.stop()
        await served


async def answered(telegram: Simulator, text: str) -> str:
    """Say something in private and wait for the answer."""
    said = await telegram.say("user1", "", text, direct=True)

    def answer() -> str | None:
        here = telegram.messages(str(said["chat"]))
        new = [each for each in here if each["message_id"] > said["message_id"] and not each["deleted"]]
        return new[-1]["content"] if new and not new[-1]["buttons"] else None

    return await telegram.wait_for(answer, PATIENCE)


async def test_updates_are_asked_for(tmp_path: Path) -> None:
    async with Simulator(ROOMY) as telegram, serving(tmp_path, telegram):
        assert await answered(telegram, "hello")
        assert await answered(telegram, "/help")


async def test_updates_are_posted(tmp_path: Path) -> None:
    port = free_port()
    posted: dict[str, object] = {
        "telegram_events": "webhook",
        "telegram_webhook_url": f"http://127.0.0.1:{port}{TELEGRAM_PATH}",
        "telegram_webhook_secret": "a-word-of-ours",
        "http_port": port,
    }
    async with Simulator(ROOMY) as telegram:
        async with serving(tmp_path, telegram, **posted):
            assert await answered(telegram, "hello")
        said = await telegram.say("user1", "", "while it was away", direct=True)
        async with serving(tmp_path, telegram, **posted):
            await telegram.wait_for(lambda: telegram.messages(str(said["chat"]))[-1]["id"] != said["id"], PATIENCE)
