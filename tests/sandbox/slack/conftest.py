from collections.abc import AsyncIterator

import pytest

from sandbox.slack import Simulator
from tests.sandbox.slack.library import Bot, Slack, a_bot, a_client, a_simulator


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with a_simulator() as simulator:
        yield simulator


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[Slack]:
    async with a_client(simulator) as client:
        yield client


@pytest.fixture
async def bot(simulator: Simulator) -> AsyncIterator[Bot]:
    async with a_bot(simulator) as bot:
        yield bot
