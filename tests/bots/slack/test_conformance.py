from collections.abc import AsyncIterator

import pytest

from tests.bots.slack.rig import SlackRig, slack_rig
from tests.conformance.adapter import AdapterPromises


class TestSlack(AdapterPromises):
    @pytest.fixture(params=[True, False], ids=["streamed", "updated"])
    async def rig(self, request: pytest.FixtureRequest) -> AsyncIterator[SlackRig]:
        async with slack_rig(streams=request.param) as rig:
            yield rig
