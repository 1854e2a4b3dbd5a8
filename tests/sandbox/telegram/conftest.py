from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from sandbox.telegram import Simulator
from tests.sandbox.telegram.library import a_bot, a_simulator


@pytest.fixture(autouse=True)
def timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the library warns of every RetryAfter, and warnings are errors here."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with a_simulator() as simulator:
        yield simulator


@pytest.fixture
async def bot(simulator: Simulator) -> AsyncIterator[Bot]:
    async with a_bot(simulator) as bot:
        yield bot
