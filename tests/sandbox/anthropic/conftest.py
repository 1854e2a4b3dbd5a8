"""A simulator and the real SDK on it, for every test here."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from anthropic import AsyncAnthropic, DefaultAioHttpClient

from sandbox.anthropic import Config, Simulator


def client_of(simulator: Simulator) -> AsyncAnthropic:
    """A client that asks once and waits five seconds at most."""
    return AsyncAnthropic(
        api_key=simulator.key, base_url=simulator.url, max_retries=0, http_client=DefaultAioHttpClient(timeout=5)
    )


@pytest.fixture
def config() -> Config:
    """What the simulator is; a test file overrides it."""
    return Config()


@pytest.fixture
async def simulator(config: Config) -> AsyncIterator[Simulator]:
    async with Simulator(config) as running:
        yield running


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[AsyncAnthropic]:
    async with client_of(simulator) as made:
        yield made


@pytest.fixture
async def http(simulator: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"authorization": f"Bearer {simulator.key}", "anthropic-version": "2026-10-21"}
    async with aiohttp.ClientSession(simulator.url, headers=headers) as session:
        yield session
