"""What the stages of all platforms share: the server, its clock, Claude's answers by script, and waiting for what people see.

What a person sees is told in lines, one for each message: who wrote it and what it says, then what is under it.

    user1: @threadline what is 2 + 2?
    threadline: 4. [Retry] {code.py} (only you)

Nothing here sleeps: each wait ends with a change of the simulated platform.
"""

import asyncio
import base64
import random
import socket
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bots.server import Server
from sandbox import anthropic
from sandbox.anthropic import Script
from shared.settings import Settings

PATIENCE = 15.0
"""Seconds for anything that has to happen, on a busy machine."""

ADMIN = "user1"

Json = dict[str, Any]


class BaseStage(ABC):
    """Everything around a server, and the server. What a place is called is the platform's."""

    def __init__(self, folder: Path, claude: anthropic.Simulator, settings: Mapping[str, object]) -> None:
        self.claude = claude
        self.folder = folder
        self.people = 10
        """How many people and places there are."""
        self._settings = dict(settings)
        self._ahead = timedelta()
        self._looks = asyncio.Semaphore(0)
        self._resting = asyncio.Event()
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None

    # the platform

    @abstractmethod
    def platform(self) -> Mapping[str, object]:
        """The settings with which a server finds the simulated platform."""

    @abstractmethod
    async def until(self, true: Callable[[], Any]) -> Any:
        """Wait for something about the simulated platform."""

    @abstractmethod
    def sees(self, by: str, where: str) -> list[str]:
        """What a person sees in a place, a line for each message."""

    @abstractmethod
    async def person(self) -> str:
        """Somebody new, in all public places."""

    @abstractmethod
    async def gone(self) -> None:
        """Wait until the platform has noticed that the server was stopped."""

    # the server

    def now(self) -> datetime:
        """What the server's clock shows."""
        return datetime.now(UTC) + self._ahead

    def next_month(self) -> str:
        """The name of the month after the one that the server's clock shows."""
        return f"{(self.now().replace(day=1) + timedelta(days=32)):%B}"

    async def later(self, **time: float) -> None:
        """Let time pass for the server, which looks for idle conversations before and after it."""
        await self.look()
        self.meanwhile(**time)
        await self.look()

    def meanwhile(self, **time: float) -> None:
        """Let time pass while the server is down, or without its looking for anything."""
        self._ahead += timedelta(**time)

    async def look(self) -> None:
        """Let the server look for idle conversations; returns when it has."""
        await self._resting.wait()
        self._resting.clear()
        self._looks.release()
        await self._resting.wait()

    def setting(self, name: str) -> object:
        """What a setting of the stage is."""
        return self._settings[name]

    def given(self) -> Mapping[str, object]:
        """The settings of the stage's servers."""
        common: dict[str, object] = {
            "state_dir": self.folder / "state",
            "anthropic_api_key": self.claude.key,
            "anthropic_base_url": self.claude.url,
            "burst_seconds": 0,
            "user_per_minute": 0,
            "drain_seconds": 2,
        }
        return {**common, **self.platform(), **self._settings}

    async def start(self, *, ready: bool = True, **settings: object) -> None:
        """Start the server, with these settings on top of the stage's.

        Returns once every platform was heard or given up; at once if not `ready`.
        """

        async def until_looked_for(_: float) -> None:
            self._resting.set()
            await self._looks.acquire()

        made = Settings.model_validate({**self.given(), **settings})
        server = self._server = Server(made, clock=self.now, sleep=until_looked_for)
        serving = self._serving = asyncio.create_task(server.serve())
        if not ready:
            return
        heard = asyncio.create_task(server.ready.wait())
        await asyncio.wait([serving, heard], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            heard.cancel()
            self._server = self._serving = None
            serving.result()

    async def stop(self) -> None:
        """Stop the server as a signal would."""
        if self._server is not None and self._serving is not None:
            self._server.stop()
            await self._serving
            self._server = self._serving = None
            await self.gone()

    # people

    async def alone(self) -> tuple[str, str]:
        """Somebody new, and their direct chat with the bot."""
        name = await self.person()
        return name, f"@{name}"

    def newcomer(self) -> int:
        """A number that nobody and no place has yet."""
        self.people += 1
        return self.people

    # what they see

    async def reads(self, by: str, where: str, *lines: str) -> None:
        """Wait until a person sees exactly these lines and no turn is under way; they have to stand then, too."""
        await self.glimpses(by, where, *lines)
        await self.settled()
        assert self.sees(by, where) == list(lines)

    async def glimpses(self, by: str, where: str, *lines: str) -> None:
        """Wait until a person sees exactly these lines, which need not stay."""
        wanted = list(lines)
        try:
            await self.until(lambda: self.there(where) and self.sees(by, where) == wanted)
        except TimeoutError:
            seen = self.sees(by, where) if self.there(where) else ["nothing: there is no such place"]
            raise AssertionError("\n".join(["seen:", *seen, "", "wanted:", *wanted])) from None

    def there(self, where: str) -> bool:
        """Whether there is such a place by now."""
        return True

    async def settled(self) -> None:
        """Wait until the server has noted that all answers are shown: people see each a moment before that."""
        with closing(sqlite3.connect(f"file:{self.folder}/state/threadline.db?mode=ro", uri=True)) as kept:
            async with asyncio.timeout(PATIENCE):
                # A file tells nobody when it changes, so it is asked again and again.
                while kept.execute("SELECT 1 FROM turns WHERE ended_at IS NULL LIMIT 1").fetchone():  # noqa: ASYNC110  (see above)
                    await asyncio.sleep(0.005)

    # Claude

    def answers(self, match: str, text: str, **script: Any) -> None:
        """Answer the next question that holds `match` with this text."""
        self.claude.script(Script(text=text, **script), match=match)

    def hangs(self, match: str, text: str, *, seconds: float = 0.3, **script: Any) -> None:
        """Begin to answer with this text, and then say nothing more."""
        words = len(text.split())
        self.claude.script(Script(text=text, deltas=words, seconds=seconds, ending="silence", pings=1.0, **script), match=match)

    def blocks(self, match: str, *blocks: Json, **script: Any) -> None:
        """Answer the next question that holds `match` with these blocks."""
        self.claude.script(Script(blocks=blocks, **script), match=match)

    async def asked_about(self, part: str) -> None:
        """Wait until Claude was asked something that holds this."""
        await self.claude.wait_for(lambda: any(part in str(body["messages"][-1]) for body in self.claude.bodies()), PATIENCE)

    def body(self, part: str) -> Json:
        """The body of the newest request whose last message holds this."""
        return next(body for body in reversed(self.claude.bodies()) if part in str(body["messages"][-1]))


def line(author: str, text: str, buttons: Sequence[str], files: Sequence[str], signs: Mapping[str, int]) -> str:
    """How a message is told: who wrote what, and what is under it."""
    told = f"{author}: {text}".rstrip()
    told += "".join(f" [{label}]" for label in buttons)
    told += "".join(f" {{{name}}}" for name in files)
    return told + "".join(f" ({sign})" for sign, count in signs.items() if count)


def file(name: str, data: bytes | str, media_type: str | None = None, **more: object) -> Json:
    """A file as people give it to a simulated platform."""
    content = data.encode() if isinstance(data, str) else data
    given: Json = {"name": name, "content_base64": base64.b64encode(content).decode(), **more}
    return given if media_type is None else {**given, "media_type": media_type}


def text(body: Json, nth: int = -1) -> str:
    """The text of one of a request's messages."""
    content: Any = body["messages"][nth]["content"]
    if isinstance(content, str):
        return content
    blocks: Sequence[Json] = content
    return "\n".join(each["text"] for each in blocks if each["type"] == "text")


def settings_of(request: pytest.FixtureRequest) -> dict[str, object]:
    """What a file of tests wants its server to be set to: its `SETTINGS`."""
    # pytest does not say of which type a module is.
    return getattr(request.module, "SETTINGS", {})  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  (see above)


def free_port() -> int:
    """One that nobody listens on now, and none of those that the system gives to whoever asks for any (Linux: from 32768)."""
    dice = random.SystemRandom()  # the usual one begins anew with each test, alike in all processes
    while True:
        port = dice.randrange(20_000, 32_000)
        with suppress(OSError), socket.socket() as bound:
            bound.bind(("127.0.0.1", port))
            return port
