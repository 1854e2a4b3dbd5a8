from collections.abc import AsyncIterator

import pytest

from tests.bots.telegram.rig import TelegramRig, telegram_rig


@pytest.fixture
async def rig() -> AsyncIterator[TelegramRig]:
    async with telegram_rig() as rig:
        yield rig
