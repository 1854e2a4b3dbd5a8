"""The server as a service: what its manager and a monitor hear of it from the start to the end."""

import asyncio
import signal
import socket
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.discord import Simulator
from tests.bots.command import PATIENCE, around, connected, ended, started
from tests.bots.manager import Manager, managing
from tests.script.base import free_port

HOST = "127.0.0.1"


async def heard(manager: Manager, line: str) -> None:
    """Wait for a line; pings may come between."""
    async with asyncio.timeout(PATIENCE):
        while line not in await manager.hear():
            pass


async def asked(port: int) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{HOST}:{port}/healthz") as answer:
        return answer.status, await answer.json()


async def test_a_service_is_ready_then_connected_pings_and_stops_with_its_token_from_a_credential(tmp_path: Path) -> None:
    port = free_port()
    async with Simulator() as simulator:
        credentials = tmp_path / "credentials"
        credentials.mkdir()
        env = around(simulator)
        (credentials / "discord_token").write_text(f"{env.pop('DISCORD_TOKEN')}\n")
        with managing(tmp_path) as manager:
            env |= {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "2000000", "HEALTH_PORT": str(port)}
            env |= {"CREDENTIALS_DIRECTORY": str(credentials)}
            async with started(tmp_path, "run", env=env) as process:
                await heard(manager, "READY=1")
                await connected(simulator)
                await heard(manager, "STATUS=discord connected")
                await heard(manager, "WATCHDOG=1")
                status, told = await asked(port)
                assert (status, told["failing"]) == (200, [])
                assert told["platforms"]["discord"]["connected"] is True
                assert told["turns"] == {"running": 0, "queued": 0}
                process.send_signal(signal.SIGTERM)
                await heard(manager, "STOPPING=1")
                assert (await ended(process)).status == 0


async def test_a_platform_that_is_away_keeps_the_service_from_nothing_but_health(tmp_path: Path) -> None:
    port = free_port()
    away = f"http://{HOST}:{free_port()}"
    with managing(tmp_path) as manager:
        env = {"DISCORD_TOKEN": "x.y.z", "DISCORD_API_URL": away, "DISCORD_GATEWAY_URL": away, "BACKEND": "demo"}
        async with started(tmp_path, "run", env=env | {"NOTIFY_SOCKET": manager.address, "HEALTH_PORT": str(port)}) as process:
            await heard(manager, "READY=1")
            status, told = await asked(port)
            assert (status, told["failing"], told["store"]["ok"]) == (503, ["discord"], True)
            process.send_signal(signal.SIGTERM)
            await heard(manager, "STOPPING=1")
            assert (await ended(process)).status == 0


async def test_a_health_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        async with started(tmp_path, "run", env={"DISCORD_TOKEN": "x", "BACKEND": "demo", "HEALTH_PORT": str(port)}) as process:
            assert "HEALTH_PORT" in (await ended(process)).sentence()
