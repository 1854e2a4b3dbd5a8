"""The stage with a simulated Discord: people there, the whole server in this process, Claude's answers by script.

What only one person sees is told with "(only you)", a sign by its emoji.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sandbox import anthropic
from sandbox.discord import Simulator, SimulatorConfig, lookup
from sandbox.discord.defaults import BOT
from tests.script.base import ADMIN, PATIENCE, BaseStage, Json, line

THREAD_STARTER = 21
"""The platform's own sign that a thread begins (Discord developer docs, Message Types)."""

WIDE = (1000, 1.0)
ROOMY = SimulatorConfig(
    channel_limit=WIDE, delete_limit=WIDE, typing_limit=WIDE, thread_limit=WIDE, history_limit=WIDE,
    other_limit=WIDE, global_limit=WIDE, webhook_limit=WIDE, reaction_limit=WIDE,
)  # fmt: skip
"""Limits so wide that nobody waits; how they are kept is proved elsewhere."""


class Stage(BaseStage):
    """Everything around a server on Discord, and the server. Places are named as the simulator names them: "general", "@user1",
    an id."""

    def __init__(self, folder: Path, discord: Simulator, claude: anthropic.Simulator, settings: Mapping[str, object]) -> None:
        super().__init__(folder, claude, settings)
        self.discord = discord
        self._read: dict[tuple[str, str], list[str]] = {}

    def platform(self) -> Mapping[str, object]:
        return {
            "discord_token": self.discord.config.token,
            "discord_api_url": self.discord.api_url,
            "discord_gateway_url": self.discord.gateway_url,
            "discord_direct": "open",
            "discord_admins": self.number(ADMIN),
        }

    async def until(self, true: Callable[[], Any]) -> Any:
        return await self.discord.wait_for(true, PATIENCE)

    async def gone(self) -> None:
        await self.until(lambda: not self.discord.stats()["connected"])

    async def later(self, **time: float) -> None:
        self._read.clear()
        await super().later(**time)

    async def start(self, *, ready: bool = True, **settings: object) -> None:
        """As elsewhere; returns once the commands are there."""
        await super().start(ready=ready, **settings)
        await self.until(lambda: len(self.discord.commands(ADMIN, "general")) > 0)

    # people and places

    async def person(self) -> str:
        name = f"user{self.newcomer()}"
        await self.discord.add_user(name)
        return name

    def number(self, person: str) -> str:
        """Their id, as settings and the platform have it."""
        return str(lookup.user(self.discord.world, person).id)

    def place(self, name: str) -> str:
        """The id of a channel, as settings and the platform have it."""
        return str(lookup.channel(self.discord.world, name).id)

    async def channel(self) -> str:
        """A new channel that everybody sees."""
        made = await self.discord.add_channel(f"place{self.newcomer()}")
        return made["name"]

    async def say(self, by: str, where: str, text: str, *files: Json, reply_to: str | None = None) -> str:
        """Write a message; returns its id, which is also that of the thread opened on it."""
        self._moves(where)
        said = await self.discord.say(by, where, text, attachments=files, reply_to=reply_to)
        return said["id"]

    async def edit(self, message: str, text: str) -> None:
        """Change a message as its author."""
        self._moves(self.discord.message(message)["channel"])
        await self.discord.edit(message, text)

    async def delete(self, message: str) -> None:
        """Take anybody's message away."""
        self._moves(self.discord.message(message)["channel"])
        await self.discord.delete(message)

    async def call(self, by: str, where: str, name: str, /, **options: object) -> None:
        """Use a slash command; its option `for` is written `for_`."""
        self._moves(where)
        await self.discord.call(by, name, where, {key.rstrip("_"): value for key, value in options.items()})

    async def told(self, by: str, where: str, name: str, /, **options: object) -> str:
        """Use a slash command and read its answer; `for_` as in `call`. Without the author and the sign of an ephemeral one."""
        self._moves(where)
        given = {key.rstrip("_"): value for key, value in options.items()}
        begun = (await self.discord.call(by, name, where, given))["id"]

        def answer() -> Json | None:
            found = self.discord.interaction(begun)
            return None if found["message"] is None or found["shown"] == "thinking" else found

        number = (await self.until(answer))["message"]
        seen = next(each for each in self.discord.sees(by, where) if each["id"] == number)
        return self._line(seen).removeprefix("threadline: ")

    async def press(self, by: str, where: str, label: str, *, nth: int = -1) -> None:
        """Press a button by its label: under the last message that has it, or the `nth` such message."""
        self._moves(where)
        found = [each["id"] for each in self.discord.sees(by, where) if label in each["buttons"]]
        await self.discord.press(by, found[nth], label)

    # what they see

    def sees(self, by: str, where: str) -> list[str]:
        return [self._line(each) for each in self.discord.sees(by, where) if not self._begins(each)]

    def _begins(self, seen: Json) -> bool:
        message = self.discord.world.state.messages.get(int(seen["id"]))
        return message is not None and message.type == THREAD_STARTER

    def _line(self, seen: Json) -> str:
        text = seen["state"] or seen["text"].replace(f"<@{BOT}>", "@threadline")
        told = line(seen["author"], text, seen["buttons"], seen["attachments"], seen["reactions"])
        return told + (" (only you)" if seen["ephemeral"] else "")

    async def reads(self, by: str, where: str, *lines: str) -> None:
        """As elsewhere; they have to stand in the end, too."""
        await super().reads(by, where, *lines)
        self._read[by, where] = list(lines)

    async def answered(self, by: str, where: str, count: int) -> list[str]:
        """Wait until a person sees so many lines, none of them of an answer that is not whole; returns them."""

        def whole() -> list[str] | None:
            lines = self.sees(by, where) if self.there(where) else []
            still = any("[Stop]" in line or line == "threadline: thinking (only you)" for line in lines)
            return lines if len(lines) >= count and not still else None

        await self.until(whole)
        await self.settled()
        return self.sees(by, where)

    def _moves(self, where: str) -> None:
        """Something happens there: what was read before need not stand any more."""
        channel = lookup.channel(self.discord.world, where).id
        self._read = {
            (by, place): lines
            for (by, place), lines in self._read.items()
            if lookup.channel(self.discord.world, place).id != channel
        }

    def there(self, where: str) -> bool:
        return not where.isdigit() or self.discord.world.channel(int(where)) is not None

    def still(self) -> None:
        """What was read last in each place stands there still."""
        for (by, where), wanted in self._read.items():
            assert self.sees(by, where) == wanted, f"what {by} sees in {where} has changed"


@asynccontextmanager
async def opened(
    folder: Path, settings: Mapping[str, object] | None = None, *, claude: anthropic.Config | None = None, **more: object
) -> AsyncGenerator[Stage]:
    """A stage with a server that runs with these settings; what was read last in each place has to stand when it has ended."""
    async with Simulator(ROOMY) as platform, anthropic.Simulator(claude) as model:
        stage = Stage(folder, platform, model, {**(settings or {}), **more})
        await stage.start()
        try:
            yield stage
        finally:
            await stage.stop()
        stage.still()
