"""Discord beside another platform in one server, and what a monitor reads of both."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from sandbox.discord import Simulator
from tests.script.base import PATIENCE, BaseStage, free_port
from tests.script.stage import ROOMY


@asynccontextmanager
async def beside() -> AsyncGenerator[tuple[Simulator, dict[str, object]]]:
    """A simulated Discord, and the settings with which a server is on it, too."""
    async with Simulator(ROOMY) as other:
        yield (
            other,
            {
                "discord_token": other.config.token,
                "discord_api_url": other.api_url,
                "discord_gateway_url": other.gateway_url,
                "discord_direct": "open",
                "health_port": free_port(),
            },
        )


async def health(stage: BaseStage) -> tuple[int, dict[str, Any]]:
    """What a monitor reads: the status, and the report."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{stage.setting('health_port')}/healthz") as found,
    ):
        return found.status, await found.json()


async def answered_on_discord(stage: BaseStage, other: Simulator, word: str) -> None:
    """Somebody asks there, and is answered."""
    stage.answers(word, f"Discord: {word}.")
    await other.say("user1", "@user1", word)
    await other.wait_for(lambda: other.sees("user1", "@user1")[-1]["text"] == f"Discord: {word}.", PATIENCE)
