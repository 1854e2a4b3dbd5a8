from collections.abc import AsyncIterator

import pytest

from tests.bots.slack.rig import SlackRig, slack_rig


@pytest.fixture
async def rig() -> AsyncIterator[SlackRig]:
    async with slack_rig() as rig:
        yield rig
