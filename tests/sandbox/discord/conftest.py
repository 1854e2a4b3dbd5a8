from collections.abc import AsyncIterator
from functools import partial

import pytest

from sandbox.discord import Simulator
from tests.sandbox.discord.library import Client, Rest, Start, connected, rest_of, started


@pytest.fixture
async def simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    async with started(monkeypatch) as simulator:
        yield simulator


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    return partial(started, monkeypatch)


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[Client]:
    async with connected() as client:
        yield client


@pytest.fixture
async def rest(simulator: Simulator) -> AsyncIterator[Rest]:
    async with rest_of(simulator) as rest:
        yield rest
