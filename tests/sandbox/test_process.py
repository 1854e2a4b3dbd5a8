from pathlib import Path

import aiohttp
import pytest

from tests.sandbox.far import Far, apart

PLATFORMS = [
    ("sandbox.discord", ("--round-trip", "0.01")),
    ("sandbox.slack", ("--retry-delays", "0")),
    ("sandbox.telegram", ("--no-limits",)),
]


@pytest.mark.parametrize(("module", "options"), PLATFORMS)
async def test_a_platform_runs_as_a_process_until_it_is_told_to_stop(
    module: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    async with apart(module, "--state", str(state), *options) as ready, aiohttp.ClientSession() as session:
        await Far(session, ready["control"]).post("say", **{"as": "user1", "text": "kept"})
    assert "kept" in state.read_text()
