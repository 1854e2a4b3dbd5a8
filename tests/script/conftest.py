"""One stage for all tests of a file; `SETTINGS` of the file are those of its server."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.script.base import settings_of
from tests.script.stage import Stage, opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Stage]:
    async with opened(tmp_path_factory.mktemp("stage"), settings_of(request)) as made:
        yield made
