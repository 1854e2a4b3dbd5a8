from collections.abc import AsyncIterator
from typing import Protocol

import aiohttp
import pytest

from tests.sandbox.far import Far


class Controlled(Protocol):
    """A simulator with a control API."""

    @property
    def control_url(self) -> str: ...


@pytest.fixture
async def far(simulator: Controlled) -> AsyncIterator[Far]:
    """The control API of the simulator that the folder's tests use."""
    async with aiohttp.ClientSession() as session:
        yield Far(session, simulator.control_url)
