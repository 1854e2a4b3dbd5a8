"""The stage with a simulated Slack: people there, the whole server in this process, Claude's answers by script.

What a person sees is told in lines, one for each message: who wrote it and what it says, then what is under it.

    user1: @threadline what is 2 + 2?
    threadline: 4. [Retry] {code.py} (eyes) (only you)

A place is a channel ("general"), a direct chat ("@user1"), or a thread in one of them ("general/1700000000.000100", by the ts of
its first message). A channel shows no replies, a thread its first message and its replies.

Nothing here sleeps: each wait ends with a change of the simulated Slack.
"""

import asyncio
import socket
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bots.assembly import SLACK_PATH
from bots.server import Server
from sandbox import anthropic
from sandbox.anthropic import Script
from sandbox.slack import Simulator, lookup
from shared.settings import Settings
from tests.bots.slack.rig import ROOMY
from tests.script.stage import PATIENCE, Json

ADMIN = "user1"


class Stage:
    """Everything around a server, and the server."""

    def __init__(self, folder: Path, slack: Simulator, claude: anthropic.Simulator, settings: Mapping[str, object]) -> None:
        self.slack = slack
        self.claude = claude
        self.folder = folder
        self._settings = dict(settings)
        self._ahead = timedelta()
        self._looks = asyncio.Semaphore(0)
        self._resting = asyncio.Event()
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._people = 10

    # the server

    def now(self) -> datetime:
        """What the server's clock shows."""
        return datetime.now(UTC) + self._ahead

    async def later(self, **time: float) -> None:
        """Let time pass for the server, which looks for idle conversations before and after it."""
        await self._look()
        self._ahead += timedelta(**time)
        await self._look()

    async def _look(self) -> None:
        await self._resting.wait()
        self._resting.clear()
        self._looks.release()
        await self._resting.wait()

    def setting(self, name: str) -> object:
        """What a setting of the stage is."""
        return self._settings[name]

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

    def given(self) -> Mapping[str, object]:
        """The settings of the stage's servers."""
        given: dict[str, object] = {
            "state_dir": self.folder / "state",
            "slack_bot_token": self.slack.config.token,
            "slack_app_token": self.slack.config.app_token,
            "slack_api_url": self.slack.api_url,
            "slack_direct": "open",
            # Word for word, text and buttons are only seen while a reply grows by edits.
            "slack_streams": "off",
            "slack_admins": lookup.user(self.slack.world, ADMIN).id,
            "anthropic_api_key": self.claude.key,
            "anthropic_base_url": self.claude.url,
            "burst_seconds": 0,
            "user_per_minute": 0,
            "drain_seconds": 2,
        }
        return {**given, **self._settings}

    async def stop(self) -> None:
        """Stop the server as a signal would."""
        if self._server is not None and self._serving is not None:
            self._server.stop()
            await self._serving
            self._server = self._serving = None
            await self.until(lambda: not self.slack.stats()["connected"])

    # people and places

    async def person(self) -> str:
        """Somebody new, in the one workspace and its public channels."""
        self._people += 1
        name = f"user{self._people}"
        await self.slack.add_user(name)
        return name

    async def alone(self) -> tuple[str, str]:
        """Somebody new, and their direct chat with the bot."""
        name = await self.person()
        return name, f"@{name}"

    async def channel(self) -> str:
        """A new channel with everybody in it who is there by now, and the bot."""
        self._people += 1
        name = f"place{self._people}"
        await self.slack.add_channel(name)
        return name

    async def say(self, by: str, where: str, text: str, *files: Json) -> str:
        """Write a message; returns the place of the thread that it is in, or that begins with it."""
        channel, root = _place(where)
        said = await self.slack.say(by, channel, text, thread=root, attachments=files)
        return f"{channel}/{root or said['ts']}"

    async def edit(self, by: str, where: str, text: str, becomes: str) -> None:
        """Change a person's message, by what it says now."""
        await self.slack.edit(self._number(by, where, f"{by}: {text}"), becomes)

    async def delete(self, by: str, where: str, line: str) -> None:
        """Take anybody's message away, by its line."""
        await self.slack.delete(self._number(by, where, line))

    def _number(self, by: str, where: str, line: str) -> str:
        return next(each["id"] for each in self._seen(by, where) if self._line(each).startswith(line))

    async def call(self, by: str, where: str, command: str) -> str:
        """Give a slash command, as "/ask how are you"; returns its number."""
        name, _, rest = command.partition(" ")
        return (await self.slack.call(by, name, where, rest))["id"]

    async def told(self, by: str, where: str, command: str) -> str:
        """Give a slash command and read its answer, without the author."""
        before = {each["id"] for each in self._seen(by, where)}
        await self.call(by, where, command)

        def answer() -> Json | None:
            return next((each for each in self._seen(by, where) if each["id"] not in before), None)

        return self._line(await self.until(answer)).removeprefix("threadline: ")

    async def press(self, by: str, where: str, label: str) -> None:
        """Press a button by its label, under the last message that has it."""
        found = [each["id"] for each in self._seen(by, where) if label in each["buttons"]]
        await self.slack.press(by, found[-1], label)

    # what they see

    def sees(self, by: str, where: str) -> list[str]:
        """What a person sees in a place, a line for each message."""
        return [self._line(each) for each in self._seen(by, where)]

    def _seen(self, by: str, where: str) -> list[Json]:
        channel, root = _place(where)
        if root is not None:
            return self.slack.sees(by, channel, root)
        return [each for each in self.slack.sees(by, channel) if each["thread"] in (None, each["id"])]

    def ids(self, by: str, where: str) -> list[str]:
        """The ts of each message that a person sees in a place."""
        return [each["id"] for each in self._seen(by, where)]

    def _line(self, seen: Json) -> str:
        line = f"{seen['author']}: {seen['state'] or seen['text']}".rstrip()
        line += "".join(f" [{label}]" for label in seen["buttons"])
        line += "".join(f" {{{name}}}" for name in seen["attachments"])
        line += "".join(f" ({sign})" for sign, count in seen["reactions"].items() if count)
        return line + (" (only you)" if seen["ephemeral"] else "")

    async def reads(self, by: str, where: str, *lines: str) -> None:
        """Wait until a person sees exactly these lines and no turn is under way; they have to stand then, too."""
        await self.glimpses(by, where, *lines)
        await self.settled()
        assert self.sees(by, where) == list(lines)

    async def glimpses(self, by: str, where: str, *lines: str) -> None:
        """Wait until a person sees exactly these lines, which need not stay."""
        wanted = list(lines)
        try:
            await self.until(lambda: self.sees(by, where) == wanted)
        except TimeoutError:
            raise AssertionError("\n".join(["seen:", *self.sees(by, where), "", "wanted:", *wanted])) from None

    async def settled(self) -> None:
        """Wait until the server has noted that all answers are shown: people see each a moment before that."""
        with closing(sqlite3.connect(f"file:{self.folder}/state/threadline.db?mode=ro", uri=True)) as kept:
            async with asyncio.timeout(PATIENCE):
                # A file tells nobody when it changes, so it is asked again and again.
                while kept.execute("SELECT 1 FROM turns WHERE ended_at IS NULL LIMIT 1").fetchone():  # noqa: ASYNC110  (see above)
                    await asyncio.sleep(0.005)

    async def until(self, true: Callable[[], Any]) -> Any:
        """Wait for something about the simulated Slack."""
        return await self.slack.wait_for(true, PATIENCE)

    # Claude

    def answers(self, match: str, text: str, **script: Any) -> None:
        """Answer the next question that holds `match` with this text."""
        self.claude.script(Script(text=text, **script), match=match)

    def hangs(self, match: str, text: str, **script: Any) -> None:
        """Begin to answer with this text, and then say nothing more."""
        words = len(text.split())
        self.claude.script(Script(text=text, deltas=words, seconds=0.3, ending="silence", pings=1.0, **script), match=match)

    def blocks(self, match: str, *blocks: Json) -> None:
        """Answer the next question that holds `match` with these blocks."""
        self.claude.script(Script(blocks=blocks), match=match)

    def body(self, part: str) -> Json:
        """The body of the newest request whose last message holds this."""
        return next(body for body in reversed(self.claude.bodies()) if part in str(body["messages"][-1]))

    async def asked_about(self, part: str) -> None:
        """Wait until Claude was asked something that holds this."""
        await self.claude.wait_for(lambda: any(part in str(body["messages"][-1]) for body in self.claude.bodies()), PATIENCE)


def _place(where: str) -> tuple[str, str | None]:
    channel, _, root = where.partition("/")
    return channel, root or None


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


@asynccontextmanager
async def posted(folder: Path, *, retry_delays: Sequence[float] = (0.0, 0.05, 0.05), **more: object) -> AsyncGenerator[Stage]:
    """A stage on which Slack posts to the server over HTTP. The server is yet to be started."""
    port = free_port()
    config = replace(
        ROOMY,
        ack_timeout=PATIENCE,
        retry_delays=tuple(retry_delays),
        request_url=f"http://127.0.0.1:{port}{SLACK_PATH}",
    )
    given: dict[str, object] = {
        "slack_events": "http",
        "slack_app_token": None,
        "slack_signing_secret": config.signing_secret,
        "http_port": port,
    }
    async with Simulator(config) as slack, anthropic.Simulator() as claude:
        stage = Stage(folder, slack, claude, {**given, **more})
        try:
            yield stage
        finally:
            await stage.stop()


@asynccontextmanager
async def opened(folder: Path, settings: Mapping[str, object] | None = None, **more: object) -> AsyncGenerator[Stage]:
    """A stage with a server that runs with these settings."""
    async with Simulator(replace(ROOMY, ack_timeout=PATIENCE)) as slack, anthropic.Simulator() as claude:
        stage = Stage(folder, slack, claude, {**(settings or {}), **more})
        await stage.start()
        try:
            yield stage
        finally:
            await stage.stop()
