"""The demo: simulated platforms and a terminal around the real server, for trying it with no token and no account."""

import asyncio
import json
import os
import sys
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from pydantic import SecretStr

from bots.lock import is_held, only_one
from bots.server import Server
from sandbox import talk, terminal
from sandbox.discord import Simulator, SimulatorConfig
from shared import log as logs
from shared.errors import Misconfigured
from shared.settings import Settings

LOCK = "demo.lock"
LOG = "server.log"
PERSON = "user1"
_COMMAND = os.path.relpath(sys.argv[0])
"""How this command was called: people are told to call it again."""


async def serve(settings: Settings) -> None:
    """Run the server against a simulated Discord until it is stopped; what was said there is kept in the state directory."""
    folder = settings.state_dir / "demo"
    async with AsyncExitStack() as stack:
        # A lock of its own, taken before the simulator: the server inside takes the one of the state directory.
        stack.enter_context(only_one(folder, LOCK))
        with _usable(folder):
            config = SimulatorConfig(state=folder / "discord.jsonl", round_trip=0.05)
            simulator = await stack.enter_async_context(Simulator(config))
            around = _around(settings, simulator, folder)
            stack.enter_context(_log(around, folder))
            stack.enter_context(_address(folder, simulator))
        await _with_terminal(Server(around), simulator)


async def say(settings: Settings, who: str, where: str, text: str) -> int:
    """Write one line into the running demo and print the reply. Raises `Misconfigured` if no demo runs here."""
    folder = settings.state_dir / "demo"
    try:
        control = json.loads((folder / "address.json").read_text())["control"]
    except (OSError, ValueError, KeyError):
        control = None
    # A demo that was killed leaves its address behind, but not its lock.
    if control is None or not is_held(folder, LOCK):
        raise Misconfigured("No demo is running here; start one with `make run` in another terminal.")
    return await talk.say_once(control, who, where, text, sys.stdout)


def _around(settings: Settings, simulator: Simulator, folder: Path) -> Settings:
    """The settings of the operator, with the simulated Discord in place of the real one."""
    return settings.model_copy(
        update={
            "state_dir": folder,
            "discord_token": SecretStr(simulator.config.token),
            "discord_api_url": simulator.api_url,
            "discord_gateway_url": simulator.gateway_url,
            "discord_direct": "open",
            "slack_bot_token": None,
            "slack_app_token": None,
            "backend": settings.backend if settings.anthropic_api_key or settings.claude_web_session_key else "demo",
        }
    )


@contextmanager
def _usable(folder: Path) -> Generator[None]:
    """What is kept in the folder is opened inside. Raises `Misconfigured` if something there cannot be."""
    try:
        yield
    except OSError as error:
        raise Misconfigured(f"The demo cannot use {error.filename or folder}: {error.strerror}. Set STATE_DIR.") from None


@contextmanager
def _address(folder: Path, simulator: Simulator) -> Generator[None]:
    """Tells `say` where the demo is, for as long as it runs."""
    address = folder / "address.json"
    address.write_text(json.dumps({"control": simulator.control_url}))
    try:
        yield
    finally:
        address.unlink(missing_ok=True)


@contextmanager
def _log(settings: Settings, folder: Path) -> Generator[None]:
    """Where the log goes: beside a terminal in which people talk it would stand in the middle of what they say."""
    if not sys.stdin.isatty():
        logs.configure(settings.log_level, settings.log_format, settings.secrets())
        yield
        return
    with (folder / LOG).open("a", encoding="utf-8") as stream:
        print(f"The server's log is in {folder / LOG}.")  # noqa: T201
        logs.configure(settings.log_level, settings.log_format, settings.secrets(), stream)
        yield


async def _with_terminal(server: Server, simulator: Simulator) -> None:
    serving = asyncio.create_task(server.serve())
    ready = asyncio.create_task(server.ready.wait())
    await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
    if ready.done():
        if sys.stdin.isatty():
            await _converse(server, simulator, serving)
        else:
            print(  # noqa: T201
                "The demo is running. Write to it from another terminal:\n"
                f'  {_COMMAND} demo --as {PERSON} --in general "@threadline hello"\n'
                "Stop it with Ctrl-C.",
                flush=True,
            )
    ready.cancel()
    await serving


async def _converse(server: Server, simulator: Simulator, serving: asyncio.Task[None]) -> None:
    talking = asyncio.create_task(terminal.converse(simulator.control_url, sys.stdin, sys.stdout))
    await asyncio.wait([serving, talking], return_when=asyncio.FIRST_COMPLETED)
    if talking.done():
        talking.result()
    talking.cancel()
    server.stop()
