"""What the tests of the Messages API's backend share."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.anthropic import Simulator
from shared.backends import Model
from shared.backends.anthropic_api import AnthropicApi, AnthropicConfig
from shared.files.blobs import Blobs

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)

NOWHERE = Blobs(Path("no-such-folder"))
"""For tests in which no file is read or kept."""


class Waits:
    """Takes the place of sleeping: no time passes, and what was asked for is kept."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.ranges: list[tuple[float, float]] = []

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def longest(self, low: float, high: float) -> float:
        self.ranges.append((low, high))
        return high


@asynccontextmanager
async def opened(
    simulator: Simulator, blobs: Blobs = NOWHERE, waits: Waits | None = None, **config: Any
) -> AsyncGenerator[AnthropicApi]:
    """A backend on a simulator, closed at the end. `config` are fields of AnthropicConfig."""
    waits = waits or Waits()
    fields: dict[str, Any] = {"api_key": simulator.key, "base_url": simulator.url, "silence": 10.0, **config}
    backend = AnthropicApi(AnthropicConfig(**fields), blobs, sleep=waits.sleep, uniform=waits.longest, now=lambda: NOW)
    try:
        yield backend
    finally:
        await backend.aclose()


async def all_listed(backend: AnthropicApi) -> Sequence[Model]:
    """The models that the API lists. On a busy machine its list may come later than anybody is made to wait for it."""
    await backend.models()
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "list models"))
    return await backend.models()
