from collections.abc import AsyncIterator

import pytest

from sandbox import discord, slack, telegram

Platform = discord.Simulator | slack.Simulator | telegram.Simulator


@pytest.fixture(params=[discord.Simulator, slack.Simulator, telegram.Simulator], ids=["discord", "slack", "telegram"])
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[Platform]:
    async with request.param() as simulator:
        yield simulator
