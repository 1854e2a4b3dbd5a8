from collections.abc import AsyncIterator

import pytest

from tests.bots.discord.rig import DiscordRig, discord_rig


@pytest.fixture
async def rig() -> AsyncIterator[DiscordRig]:
    async with discord_rig() as rig:
        yield rig
