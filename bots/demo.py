"""The demo: simulated platforms, a page and a terminal around the real server, for trying it with no token and no account."""

import asyncio
import json
import os
import re
import secrets
import signal
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from pydantic import SecretStr

from bots.lock import is_held, only_one
from bots.server import Server
from sandbox import talk, terminal
from sandbox.discord import Simulator as DiscordSimulator
from sandbox.discord import SimulatorConfig as DiscordConfig
from sandbox.page import DiscordSeat, Page, Seat, SlackSeat, State, Switch, TelegramSeat
from sandbox.slack import Simulator as SlackSimulator
from sandbox.slack import SimulatorConfig as SlackConfig
from sandbox.telegram import Simulator as TelegramSimulator
from sandbox.telegram import SimulatorConfig as TelegramConfig
from shared import log as logs
from shared.errors import Misconfigured
from shared.settings import Settings

LOCK = "demo.lock"
LOG = "server.log"
PAGE = "page.json"
PERSON = "user1"
ROUND_TRIP = 0.05
"""Seconds: as if the platforms were not on this machine."""

Changes = Mapping[str, object]
"""Settings by name, in place of the operator's."""

_COMMAND = os.path.relpath(sys.argv[0])
"""How this command was called: people are told to call it again."""


async def serve(settings: Settings, port: int = 0) -> None:
    """Run the server against simulated platforms until it is stopped; what was said there is kept in the state directory.

    A page to try it in is served on `port`; with 0 on the one of the last time, if it is free. Raises `Misconfigured`.
    """
    folder = settings.state_dir / "demo"
    async with AsyncExitStack() as stack:
        # A lock of its own, taken before the simulators: the server inside takes the one of the state directory.
        stack.enter_context(only_one(folder, LOCK))
        with _usable(folder):
            on_discord = DiscordConfig(state=folder / "discord.jsonl", round_trip=ROUND_TRIP)
            on_slack = SlackConfig(state=folder / "slack.jsonl", round_trip=ROUND_TRIP)
            on_telegram = TelegramConfig(state=folder / "telegram.jsonl", round_trip=ROUND_TRIP)
            discord = await stack.enter_async_context(DiscordSimulator(on_discord))
            slack = await stack.enter_async_context(SlackSimulator(on_slack))
            telegram = await stack.enter_async_context(TelegramSimulator(on_telegram))
            around = {**_around(settings, folder), **_on_discord(discord), **_on_slack(slack), **_on_telegram(telegram)}
            running = _Running(settings.model_copy(update=around))
            stack.enter_context(_log(running.settings, folder))
            seats = [DiscordSeat(discord), SlackSeat(slack), TelegramSeat(telegram)]
            page = await _page(stack, seats, running, folder, port)
            stack.enter_context(_address(folder, discord, page))
        await _with_terminal(running, discord, page)


async def _page(stack: AsyncExitStack, seats: Sequence[Seat], running: "_Running", folder: Path, port: int) -> Page:
    """The page, where it was the last time: one that is still open in a browser then goes on."""
    switch = Switch(lambda: running.state, running.restart, running.pause, running.resume)
    known, token = _known(folder)
    page = Page(seats, token, port=port or known, switch=switch)
    try:
        await stack.enter_async_context(page)
    except OSError as error:
        if port:
            raise Misconfigured(f"The demo's page cannot be on port {port}: {error.strerror}. Name another --port.") from None
        page = await stack.enter_async_context(Page(seats, token, switch=switch))
    kept = os.open(folder / PAGE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(kept, "w", encoding="utf-8") as file:
        json.dump({"port": page.port, "token": token}, file)
    return page


def _known(folder: Path) -> tuple[int, str]:
    """The page's port and its secret of the last time; port 0 and a new one if there was none."""
    try:
        known = json.loads((folder / PAGE).read_text())
        port, token = int(known["port"]), str(known["token"])
    except (OSError, ValueError, KeyError, TypeError):
        port, token = 0, ""
    if not 0 < port < 65_536 or not re.fullmatch(r"[\w-]{16,64}", token, re.ASCII):
        return 0, secrets.token_urlsafe(16)
    return port, token


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


def _around(settings: Settings, folder: Path) -> Changes:
    """What the demo changes in the operator's settings, apart from the platforms. Lists of who may talk name nobody here."""
    keyed = settings.anthropic_api_key or settings.claude_web_session_key
    lists = {name: frozenset[str]() for name in Settings.model_fields if "_allowed_" in name}
    return {"state_dir": folder, "backend": settings.backend if keyed else "demo", **lists}


def _on_discord(simulator: DiscordSimulator) -> Changes:
    """The simulated Discord in place of the real one."""
    return {
        "discord_token": SecretStr(simulator.config.token),
        "discord_api_url": simulator.api_url,
        "discord_gateway_url": simulator.gateway_url,
        "discord_direct": "open",
    }


def _on_slack(simulator: SlackSimulator) -> Changes:
    """The simulated Slack in place of the real one."""
    return {
        "slack_bot_token": SecretStr(simulator.config.token),
        "slack_app_token": SecretStr(simulator.config.app_token),
        "slack_signing_secret": None,
        "slack_events": "socket",
        "slack_api_url": simulator.api_url,
        "slack_direct": "open",
    }


def _on_telegram(simulator: TelegramSimulator) -> Changes:
    """The simulated Telegram in place of the real one."""
    return {
        "telegram_token": SecretStr(simulator.config.token),
        "telegram_api_url": simulator.api_url,
        "telegram_file_url": simulator.file_url,
        "telegram_local_mode": "off",
        "telegram_events": "polling",
        "telegram_direct": "open",
    }


class _Running:
    """The server, kept running, and stopped and started again when somebody wants to see that."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.state: State = "starting"
        self.ready = asyncio.Event()
        self._server: Server | None = None
        self._own = settings
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._again = False

    async def serve(self) -> None:
        """Run until a signal or `stop`. Raises what the server raises."""
        while True:
            self._again, self.state = False, "starting"
            self._own = self.settings.model_copy()
            self._server = Server(self._own)
            hearing = asyncio.create_task(self._heard(self._server))
            try:
                await self._server.serve()
            finally:
                hearing.cancel()
            if self._again and not self._wanted.is_set():
                await self._rest()
            if not self._again:
                return

    def stop(self) -> None:
        """End `serve`."""
        self._again = False
        self._wanted.set()
        if self._server is not None:
            self._server.stop()

    async def restart(self) -> None:
        """Stop the server in the midst of its replies, and start it again. Does nothing while it is not up."""
        self._halt()

    async def pause(self) -> None:
        """Stop the server in the midst of its replies. Does nothing while it is not up."""
        if self._halt():
            self._wanted.clear()

    async def resume(self) -> None:
        """Start the server again after a `pause`."""
        self._wanted.set()

    def _halt(self) -> bool:
        if self._server is None or self.state != "up":
            return False
        self._again, self.state = True, "stopping"
        # Without time to end anything: what it was at is taken up by the next one, as after a crash.
        self._own.drain_seconds = 0
        self._server.stop()
        return True

    async def _rest(self) -> None:
        """Wait until the server is wanted again. The server itself hears signals only while it runs."""
        loop = asyncio.get_running_loop()
        self.state = "down"
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        try:
            await self._wanted.wait()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def _heard(self, server: Server) -> None:
        await server.ready.wait()
        self.state = "up"
        self.ready.set()


@contextmanager
def _usable(folder: Path) -> Generator[None]:
    """What is kept in the folder is opened inside. Raises `Misconfigured` if something there cannot be."""
    try:
        yield
    except OSError as error:
        raise Misconfigured(f"The demo cannot use {error.filename or folder}: {error.strerror}. Set STATE_DIR.") from None


@contextmanager
def _address(folder: Path, simulator: DiscordSimulator, page: Page) -> Generator[None]:
    """Tells `say` where the demo is, for as long as it runs."""
    address = folder / "address.json"
    address.write_text(json.dumps({"control": simulator.control_url, "page": page.url}))
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


async def _with_terminal(running: _Running, simulator: DiscordSimulator, page: Page) -> None:
    serving = asyncio.create_task(running.serve())
    ready = asyncio.create_task(running.ready.wait())
    await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
    if ready.done():
        print(f"Try it in a browser: {page.url}", flush=True)  # noqa: T201
        if sys.stdin.isatty():
            await _converse(running, simulator, serving)
        else:
            print(  # noqa: T201
                "The demo is running. Write to it there, or from another terminal:\n"
                f'  {_COMMAND} demo --as {PERSON} --in general "@threadline hello"\n'
                "Stop it with Ctrl-C.",
                flush=True,
            )
    ready.cancel()
    await serving


async def _converse(running: _Running, simulator: DiscordSimulator, serving: asyncio.Task[None]) -> None:
    talking = asyncio.create_task(terminal.converse(simulator.control_url, sys.stdin, sys.stdout))
    await asyncio.wait([serving, talking], return_when=asyncio.FIRST_COMPLETED)
    if talking.done():
        talking.result()
    talking.cancel()
    running.stop()
