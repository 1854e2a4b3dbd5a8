"""One stage for all tests of a file; `SETTINGS` of the file are those of its server.

`WAYS` are the ways in which replies grow there: by edits ("off") or by streams ("on"); its tests are run in each.
"""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.script.slack.stage import Stage, opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Stage]:
    # pytest does not say of which type a module is.
    settings: dict[str, object] = getattr(request.module, "SETTINGS", {})  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  (see above)
    async with opened(tmp_path_factory.mktemp("stage"), {"slack_streams": request.param, **settings}) as made:
        yield made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stage" in metafunc.fixturenames:
        ways: list[str] = getattr(metafunc.module, "WAYS", ["off"])  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  (see above)
        metafunc.parametrize("stage", ways, indirect=True, scope="module")
