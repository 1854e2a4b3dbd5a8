from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.store import Store
from tests.conformance.store import Clock, Reopen


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "threadline.db", clock=clock)
    yield opened
    await opened.aclose()


@pytest.fixture
async def reopen(store: Store, tmp_path: Path, clock: Clock) -> AsyncIterator[Reopen]:
    opened: list[Store] = []

    async def again() -> Store:
        await store.aclose()
        opened.append(await Store.open(tmp_path / "threadline.db", clock=clock))
        return opened[-1]

    yield again
    for one in opened:
        await one.aclose()
