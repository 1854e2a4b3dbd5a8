"""A client with commands and buttons, for the tests of interactions."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import discord
from discord import app_commands
from discord.ui import Button, View

from sandbox.discord import Simulator
from sandbox.discord.defaults import GUILD
from tests.sandbox.discord.library import Client, connected

Interaction = discord.Interaction[Any]
Answer = Callable[[Interaction], Awaitable[Any]]


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Talker:
    """The real client with a few commands; `answer` is what it does with any call or press."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.client = Client()
        self.tree = app_commands.CommandTree(self.client)
        self.answer = answer
        self.came: asyncio.Queue[Interaction] = asyncio.Queue()
        self.given: dict[str, Any] = {}
        self._add()

    def _add(self) -> None:
        @self.tree.command(description="Ask something")
        @app_commands.describe(text="what to ask", file="something to look at")
        async def ask(
            interaction: Interaction, text: app_commands.Range[str, 1, 20], file: discord.Attachment | None = None
        ) -> None:
            await self.called(interaction, text=text, file=file)

        @self.tree.command(description="Choose a model")
        async def model(interaction: Interaction, name: str, whom: discord.Member | None = None, times: int = 1) -> None:
            await self.called(interaction, name=name, whom=whom, times=times)

        @model.autocomplete("name")
        async def names(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=each.title(), value=each) for each in ("opus", "sonnet") if current in each]

        async def closing(interaction: Interaction) -> None:
            await self.called(interaction)

        group = app_commands.Group(name="chat", description="The conversation")
        group.add_command(app_commands.Command(name="close", description="Close it", callback=closing))
        self.tree.add_command(group)

    async def called(self, interaction: Interaction, **given: Any) -> None:
        self.given = given
        await self.take(interaction)

    async def take(self, interaction: Interaction) -> None:
        if self.answer is not None:
            await self.answer(interaction)
        self.came.put_nowait(interaction)

    async def next(self) -> Interaction:
        async with asyncio.timeout(30):
            return await self.came.get()

    def view(self, *labels: str, **options: Any) -> View:
        """Buttons that end in `take`; they stay good after a restart."""
        view = View(timeout=None)
        for label in labels:
            button = Button[View](label=label, custom_id=f"id-{label}", **options)
            button.callback = self.take
            view.add_item(button)
        return view


@asynccontextmanager
async def talking(simulator: Simulator, answer: Answer | None = None, *, guild: bool = False) -> AsyncGenerator[Talker]:
    """A connected client whose commands are registered, everywhere or in the guild."""
    talker = Talker(answer)
    async with connected(client=talker.client):
        where = discord.Object(GUILD) if guild else None
        if where is not None:
            talker.tree.copy_global_to(guild=where)
        await talker.tree.sync(guild=where)
        yield talker
