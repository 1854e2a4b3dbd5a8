"""The server, put together from settings."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.server import Server, adapters, backend
from sandbox.discord import Simulator
from sandbox.discord.defaults import BOT
from shared.backends.lazy import Lazy
from shared.errors import Misconfigured
from shared.settings import Settings


def settings(folder: Path, **values: object) -> Settings:
    return Settings.model_validate({"state_dir": folder / "state", "backend": "demo", **values})


def around(folder: Path, simulator: Simulator, **values: object) -> Settings:
    found = {
        "discord_token": simulator.config.token,
        "discord_api_url": simulator.api_url,
        "discord_gateway_url": simulator.gateway_url,
    }
    return settings(folder, **found, **values)


def test_without_a_token_there_is_no_platform(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="DISCORD_TOKEN"):
        adapters(settings(tmp_path))
    assert list(adapters(settings(tmp_path, discord_token="x"))) == ["discord"]


async def test_the_backend_is_the_one_that_is_set_and_never_the_demo_by_itself(tmp_path: Path) -> None:
    assert backend(settings(tmp_path)).name == "demo"
    with pytest.raises(Misconfigured, match="ANTHROPIC_API_KEY"):
        backend(settings(tmp_path, backend="anthropic_api"))
    real = backend(settings(tmp_path, backend="anthropic_api", anthropic_api_key=SecretStr("sk-x")))
    assert isinstance(real, Lazy)
    assert real.name == "anthropic_api"
    await real.aclose()


async def test_a_mention_is_answered_in_a_thread_and_stop_ends_the_server(tmp_path: Path) -> None:
    async with Simulator() as simulator:
        server = Server(around(tmp_path, simulator))
        serving = asyncio.create_task(server.serve())
        await server.ready.wait()
        said = await simulator.say("user1", "general", "@threadline what is 2 + 3?")
        thread = str(said["id"])
        await simulator.wait_for(lambda: _answers(simulator, thread), 20.0)
        server.stop()
        await asyncio.wait_for(serving, 20.0)
        assert "2 + 3 = 5" in _answers(simulator, thread)[0]


async def test_a_state_directory_is_free_again_when_the_server_has_ended(tmp_path: Path) -> None:
    async with Simulator() as simulator:
        for _ in range(2):
            server = Server(around(tmp_path, simulator))
            serving = asyncio.create_task(server.serve())
            await server.ready.wait()
            with pytest.raises(Misconfigured, match="Another Threadline"):
                await Server(around(tmp_path, simulator)).serve()
            server.stop()
            await asyncio.wait_for(serving, 20.0)


def _answers(simulator: Simulator, thread: str) -> list[str]:
    channel = simulator.world.channel(int(thread))
    if channel is None:
        return []
    return [each["content"] for each in simulator.messages(thread) if each["author_id"] == str(BOT) and "= 5" in each["content"]]
