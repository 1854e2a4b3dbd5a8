"""A person at a terminal, and a bot made of bare calls, for the tests of the demo's terminal."""

import asyncio
import os
import pty
import struct
import termios
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from fcntl import ioctl
from typing import Any, TextIO

import aiohttp

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.defaults import BOT
from sandbox.discord.model import Interaction
from sandbox.terminal import converse
from tests.sandbox.glass import Glass

ROOMY = SimulatorConfig(channel_limit=(1000, 1.0), global_limit=(1000, 1.0))


def size(terminal: int, width: int, height: int) -> None:
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


class Tty:
    """A person in front of a pseudo-terminal: types, and waits until the screen shows something."""

    def __init__(self, width: int = 60, height: int = 20) -> None:
        self._master, slave = pty.openpty()
        size(slave, width, height)
        self.before = termios.tcgetattr(slave)
        self.stdin: TextIO = os.fdopen(slave, "r", encoding="utf-8")
        self.stdout: TextIO = os.fdopen(os.dup(slave), "w", encoding="utf-8")
        self.glass = Glass(width, height)
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def _read(self) -> None:
        self.glass.feed(os.read(self._master, 65536).decode())
        self._changed.set()

    async def shows(self, text: str, *, times: int = 1) -> None:
        try:
            async with asyncio.timeout(30):
                while self.glass.text.count(text) < times:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{text!r} is not in:\n{self.glass.text}") from None

    def types(self, text: str) -> None:
        os.write(self._master, text.encode())

    @property
    def restored(self) -> bool:
        return termios.tcgetattr(self.stdin.fileno()) == self.before

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        self.stdin.close()
        self.stdout.close()
        os.close(self._master)


class Bot:
    """The other side: a bot made of bare REST calls."""

    def __init__(self, simulator: Simulator, session: aiohttp.ClientSession) -> None:
        self._simulator = simulator
        self._session = session

    async def call(self, method: str, path: str, **body: Any) -> Any:
        headers = {"Authorization": "Bot demo-token"}
        async with self._session.request(method, self._simulator.api_url + path, json=body, headers=headers) as response:
            assert response.status < 300, await response.text()
            return await response.json() if response.status != 204 else None

    async def hears(self, text: str) -> dict[str, Any]:
        """Wait for a person's message that ends with a text."""

        def found() -> dict[str, Any] | None:
            for channel in self._simulator.everything()["channels"]:
                for message in self._simulator.messages(channel["id"]):
                    if message["content"].endswith(text) and message["author"] != "threadline":
                        return message
            return None

        return await self._simulator.wait_for(found)

    async def posts(self, channel: str, text: str) -> str:
        return (await self.call("POST", f"/channels/{channel}/messages", content=text))["id"]

    async def edits(self, channel: str, message: str, text: str) -> None:
        await self.call("PATCH", f"/channels/{channel}/messages/{message}", content=text)

    async def types(self, channel: str) -> None:
        await self.call("POST", f"/channels/{channel}/typing")

    async def opens(self, channel: str, message: str, name: str) -> None:
        await self.call("POST", f"/channels/{channel}/messages/{message}/threads", name=name)

    async def registers(self, *commands: dict[str, Any]) -> None:
        headers = {"Authorization": "Bot demo-token"}
        url = f"{self._simulator.api_url}/applications/{BOT}/commands"
        async with self._session.put(url, json=list(commands), headers=headers) as response:
            assert response.status == 200, await response.text()

    async def called(self, count: int) -> Interaction:
        """Wait for the interaction with this number."""
        known = self._simulator.world.state.interactions
        await self._simulator.wait_for(lambda: len(known) >= count)
        return list(known.values())[count - 1]

    async def answers(self, called: Interaction, kind: int, text: str = "", flags: int = 0) -> None:
        data = {"content": text, "flags": flags}
        await self.call("POST", f"/interactions/{called.id}/{called.token}/callback", type=kind, data=data)

    async def fills(self, called: Interaction, text: str, *buttons: str) -> None:
        row = [{"type": 2, "style": 1, "label": each, "custom_id": each} for each in buttons]
        components = [{"type": 1, "components": row}] if row else []
        await self.call("PATCH", f"/webhooks/{BOT}/{called.token}/messages/@original", content=text, components=components)


@asynccontextmanager
async def sitting(simulator: Simulator, width: int = 60, height: int = 20) -> AsyncGenerator[Tty]:
    """Somebody talks at a terminal, and leaves at the end."""
    tty = Tty(width, height)
    talking = asyncio.create_task(converse(simulator.control_url, tty.stdin, tty.stdout))
    try:
        await tty.shows("user1 in #general>")
        yield tty
        tty.types("\x15/quit\r")
        async with asyncio.timeout(30):
            await talking
        assert tty.restored
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        tty.close()
