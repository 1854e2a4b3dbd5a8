from collections.abc import AsyncIterator

import pytest

from sandbox.claude_web import ClaudeWebSimulator

from .client import Http, open_http


@pytest.fixture
async def web() -> AsyncIterator[ClaudeWebSimulator]:
    async with ClaudeWebSimulator() as running:
        yield running


@pytest.fixture
async def http(web: ClaudeWebSimulator) -> AsyncIterator[Http]:
    async for each in open_http(web):
        yield each
