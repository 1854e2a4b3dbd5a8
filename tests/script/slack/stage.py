"""The stage with a simulated Slack: people there, the whole server in this process, Claude's answers by script.

A place is a channel ("general"), a direct chat ("@user1"), or a thread in one of them ("general/1700000000.000100", by the ts of
its first message). A channel shows no replies, a thread its first message and its replies.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bots.assembly import SLACK_PATH
from sandbox import anthropic
from sandbox.slack import Simulator, lookup
from tests.bots.slack.rig import ROOMY
from tests.script.base import ADMIN, PATIENCE, BaseStage, Json, free_port, line


class Stage(BaseStage):
    """Everything around a server on Slack, and the server."""

    def __init__(self, folder: Path, slack: Simulator, claude: anthropic.Simulator, settings: Mapping[str, object]) -> None:
        super().__init__(folder, claude, settings)
        self.slack = slack

    def platform(self) -> Mapping[str, object]:
        return {
            "slack_bot_token": self.slack.config.token,
            "slack_app_token": self.slack.config.app_token,
            "slack_api_url": self.slack.api_url,
            "slack_direct": "open",
            # Word for word, text and buttons are only seen while a reply grows by edits.
            "slack_streams": "off",
            "slack_admins": lookup.user(self.slack.world, ADMIN).id,
        }

    async def until(self, true: Callable[[], Any]) -> Any:
        return await self.slack.wait_for(true, PATIENCE)

    async def gone(self) -> None:
        await self.until(lambda: not self.slack.stats()["connected"])

    # people and places

    async def person(self) -> str:
        name = f"user{self.newcomer()}"
        await self.slack.add_user(name)
        return name

    async def channel(self) -> str:
        """A new channel with everybody in it who is there by now, and the bot."""
        name = f"place{self.newcomer()}"
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
        told = line(seen["author"], seen["state"] or seen["text"], seen["buttons"], seen["attachments"], seen["reactions"])
        return told + (" (only you)" if seen["ephemeral"] else "")


def _place(where: str) -> tuple[str, str | None]:
    channel, _, root = where.partition("/")
    return channel, root or None


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
