import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.house import PATIENCE, house
from tests.crash.platforms.base import WHERE

Before = Callable[[str], Path]


@pytest.fixture
def on() -> str:
    """The platform of a test that does not name one."""
    return "discord"


@pytest.fixture
def before(on: str, befores: Before) -> Path:
    """The state directory of a server that has been connected before: only then is anything missed."""
    return befores(on)


@pytest.fixture(scope="session")
def befores(tmp_path_factory: pytest.TempPathFactory) -> Before:
    """The same by platform. Where it has to be, the channel that people write in has been heard."""
    made: dict[str, Path] = {}

    async def run(on: str, folder: Path) -> None:
        async with house(folder, on=on) as around:
            server = await around.start()
            await around.connected(server)
            await around.heard()
            if not around.platform.names_channels:
                await around.platform.say("user1", "not for the bot", WHERE)
                await around.platform.see(lambda: around.platform.quiet, PATIENCE)
            await server.stop()
            assert around.platform.names_channels or around.rows("SELECT message FROM marks")

    def of(on: str) -> Path:
        if on not in made:
            folder = tmp_path_factory.mktemp(f"before-{on}")
            asyncio.run(run(on, folder))
            made[on] = folder / "state"
        return made[on]

    return of
