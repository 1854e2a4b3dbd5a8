"""The stage: people on a simulated Discord, the whole server in this process, Claude's answers by script.

What a person sees is told in lines, one for each message: who wrote it and what it says, then what is under it.

    user1: @threadline what is 2 + 2?
    threadline: 4. [Retry] {code.py} (👀) (only you)

Nothing here sleeps: each wait ends with a change of the simulated Discord.
"""

import asyncio
import base64
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bots.server import Server
from sandbox import anthropic
from sandbox.anthropic import Script
from sandbox.discord import Simulator, SimulatorConfig, lookup
from sandbox.discord.defaults import BOT
from shared.settings import Settings

PATIENCE = 15.0
"""Seconds for anything that has to happen, on a busy machine."""

THREAD_STARTER = 21
"""The platform's own sign that a thread begins (Discord developer docs, Message Types)."""

WIDE = (1000, 1.0)
ROOMY = SimulatorConfig(
    channel_limit=WIDE, delete_limit=WIDE, typing_limit=WIDE, thread_limit=WIDE, history_limit=WIDE,
    other_limit=WIDE, global_limit=WIDE, webhook_limit=WIDE, reaction_limit=WIDE,
)  # fmt: skip
"""Limits so wide that nobody waits; how they are kept is proved elsewhere."""

ADMIN = "user1"

Json = dict[str, Any]


class Stage:
    """Everything around a server, and the server. Places are named as the simulator names them: "general", "@user1", an id."""

    def __init__(self, folder: Path, discord: Simulator, claude: anthropic.Simulator, settings: Mapping[str, object]) -> None:
        self.discord = discord
        self.claude = claude
        self.folder = folder
        self._settings = dict(settings)
        self._ahead = timedelta()
        self._looks = asyncio.Semaphore(0)
        self._resting = asyncio.Event()
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._people = 10
        self._read: dict[tuple[str, str], list[str]] = {}

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
        self._read.clear()
        self._ahead += timedelta(**time)
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

    async def start(self, **settings: object) -> None:
        """Start the server, with these settings on top of the stage's; returns once its commands are there."""
        given = {
            "state_dir": self.folder / "state",
            "discord_token": self.discord.config.token,
            "discord_api_url": self.discord.api_url,
            "discord_gateway_url": self.discord.gateway_url,
            "discord_direct": "open",
            "discord_admins": self.number(ADMIN),
            "anthropic_api_key": self.claude.key,
            "anthropic_base_url": self.claude.url,
            "burst_seconds": 0,
            "user_per_minute": 0,
            "drain_seconds": 2,
        }

        async def until_looked_for(_: float) -> None:
            self._resting.set()
            await self._looks.acquire()

        made = Settings.model_validate({**given, **self._settings, **settings})
        server = self._server = Server(made, clock=self.now, sleep=until_looked_for)
        serving = self._serving = asyncio.create_task(server.serve())
        ready = asyncio.create_task(server.ready.wait())
        await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            ready.cancel()
            serving.result()
        await self.until(lambda: len(self.discord.commands(ADMIN, "general")) > 0)

    async def stop(self) -> None:
        """Stop the server as a signal would."""
        if self._server is not None and self._serving is not None:
            self._server.stop()
            await self._serving
            self._server = self._serving = None
            await self.discord.wait_for(lambda: not self.discord.stats()["connected"], PATIENCE)

    # people and places

    async def person(self) -> str:
        """Somebody new, in the one guild."""
        self._people += 1
        name = f"user{self._people}"
        await self.discord.add_user(name)
        return name

    def number(self, person: str) -> str:
        """Their id, as settings and the platform have it."""
        return str(lookup.user(self.discord.world, person).id)

    def place(self, name: str) -> str:
        """The id of a channel, as settings and the platform have it."""
        return str(lookup.channel(self.discord.world, name).id)

    async def alone(self) -> tuple[str, str]:
        """Somebody new, and their direct chat with the bot."""
        name = await self.person()
        return name, f"@{name}"

    async def channel(self) -> str:
        """A new channel that everybody sees."""
        self._people += 1
        made = await self.discord.add_channel(f"place{self._people}")
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
        """What a person sees in a place, a line for each message."""
        return [self._line(each) for each in self.discord.sees(by, where) if not self._begins(each)]

    def _begins(self, seen: Json) -> bool:
        message = self.discord.world.state.messages.get(int(seen["id"]))
        return message is not None and message.type == THREAD_STARTER

    def _line(self, seen: Json) -> str:
        text = seen["text"].replace(f"<@{BOT}>", "@threadline")
        line = f"{seen['author']}: {seen['state'] or text}".rstrip()
        line += "".join(f" [{label}]" for label in seen["buttons"])
        line += "".join(f" {{{name}}}" for name in seen["attachments"])
        line += "".join(f" ({sign})" for sign, count in seen["reactions"].items() if count)
        return line + (" (only you)" if seen["ephemeral"] else "")

    async def reads(self, by: str, where: str, *lines: str) -> None:
        """Wait until a person sees exactly these lines and no turn is under way; they have to stand in the end, too."""
        await self.glimpses(by, where, *lines)
        await self.settled()
        assert self.sees(by, where) == list(lines)
        self._read[by, where] = list(lines)

    async def glimpses(self, by: str, where: str, *lines: str) -> None:
        """Wait until a person sees exactly these lines, which need not stay."""
        wanted = list(lines)
        try:
            await self.until(lambda: self._there(where) and self.sees(by, where) == wanted)
        except TimeoutError:
            seen = self.sees(by, where) if self._there(where) else ["nothing: there is no such place"]
            raise AssertionError("\n".join(["seen:", *seen, "", "wanted:", *wanted])) from None

    async def settled(self) -> None:
        """Wait until the server has noted that all answers are shown: people see each a moment before that."""
        with closing(sqlite3.connect(f"file:{self.folder}/state/threadline.db?mode=ro", uri=True)) as kept:
            async with asyncio.timeout(PATIENCE):
                # A file tells nobody when it changes, so it is asked again and again.
                while kept.execute("SELECT 1 FROM turns WHERE ended_at IS NULL LIMIT 1").fetchone():  # noqa: ASYNC110  (see above)
                    await asyncio.sleep(0.005)

    async def answered(self, by: str, where: str, count: int) -> list[str]:
        """Wait until a person sees so many lines, none of them of an answer that is not whole; returns them."""

        def whole() -> list[str] | None:
            lines = self.sees(by, where) if self._there(where) else []
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

    def _there(self, where: str) -> bool:
        return not where.isdigit() or self.discord.world.channel(int(where)) is not None

    async def until(self, true: Callable[[], Any]) -> Any:
        """Wait for something about the simulated Discord."""
        return await self.discord.wait_for(true, PATIENCE)

    async def asked_about(self, part: str) -> None:
        """Wait until Claude was asked something that holds this."""
        await self.claude.wait_for(lambda: any(part in str(body["messages"][-1]) for body in self.claude.bodies()), PATIENCE)

    def body(self, part: str) -> Json:
        """The body of the newest request whose last message holds this."""
        return next(body for body in reversed(self.claude.bodies()) if part in str(body["messages"][-1]))

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

    def still(self) -> None:
        """What was read last in each place stands there still."""
        for (by, where), wanted in self._read.items():
            assert self.sees(by, where) == wanted, f"what {by} sees in {where} has changed"


def file(name: str, data: bytes | str, media_type: str | None = None, **more: object) -> Json:
    """A file as people give it to the simulated Discord."""
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
