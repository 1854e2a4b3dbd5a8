import asyncio
from pathlib import Path

import pytest

from tests.crash.house import house


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state directory of a server that has been connected before: only then is anything missed."""
    folder = tmp_path_factory.mktemp("before")

    async def run() -> None:
        async with house(folder) as around:
            server = await around.start()
            await around.connected(server)
            await around.heard()
            await server.stop()

    asyncio.run(run())
    return folder / "state"
