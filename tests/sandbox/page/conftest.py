from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.discord import Simulator as Discord
from sandbox.page import DiscordSeat, Page, SlackSeat, State, Switch, TelegramSeat
from sandbox.slack import Simulator as Slack
from sandbox.telegram import Simulator as Telegram
from tests.sandbox.page.visitor import TOKEN, Visitor


class Server:
    """What a switch is for, without the server."""

    def __init__(self) -> None:
        self.state: State = "up"
        self.turns: list[str] = []

    async def restart(self) -> None:
        self.turns.append("restart")

    async def stop(self) -> None:
        self.turns.append("stop")

    async def start(self) -> None:
        self.turns.append("start")


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord() as simulator:
        yield simulator


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack() as simulator:
        yield simulator


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    async with Telegram() as simulator:
        yield simulator


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def visitor(
    discord: Discord, slack: Slack, telegram: Telegram, server: Server, session: aiohttp.ClientSession
) -> AsyncIterator[Visitor]:
    seats = [DiscordSeat(discord), SlackSeat(slack), TelegramSeat(telegram)]
    switch = Switch(lambda: server.state, server.restart, server.stop, server.start)
    async with Page(seats, TOKEN, switch=switch) as page:
        yield Visitor(page, session)
