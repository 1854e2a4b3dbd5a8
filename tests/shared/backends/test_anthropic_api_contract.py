"""The contract of the backends, kept by the Messages API over a loopback connection."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from sandbox.anthropic import Script, Simulator
from shared.backends import Backend
from shared.backends.anthropic_api import AnthropicApi, AnthropicConfig
from shared.errors import (
    BadKey,
    BrokenOff,
    Failure,
    Invalid,
    OutOfQuota,
    Overloaded,
    RateLimited,
    TooLarge,
    Unavailable,
    UnknownModel,
)
from shared.files.blobs import Blobs
from tests.conformance.backend import BackendContract, Rig

FAILING: Sequence[tuple[Script, type[Failure]]] = (
    (Script(status=400), Invalid),
    (Script(status=400, error_message="prompt is too long: 300000 tokens > 200000 maximum"), TooLarge),
    (Script(status=400, error_message="You have reached your specified API usage limits."), OutOfQuota),
    (Script(status=401), BadKey),
    (Script(status=402), OutOfQuota),
    (Script(status=403), BadKey),
    (Script(status=404), UnknownModel),
    (Script(status=408), Unavailable),
    (Script(status=409), Unavailable),
    (Script(status=413), TooLarge),
    (Script(status=422), Invalid),
    (Script(status=429), RateLimited),
    (Script(status=429, error_code="enforced_spend_limit_reached"), OutOfQuota),
    (Script(status=500), Unavailable),
    (Script(status=503), Unavailable),
    (Script(status=504), Unavailable),
    (Script(status=529), Overloaded),
    (Script(cut_before=True), Unavailable),
    (Script(ending="cut", after=0), BrokenOff),
    (Script(ending="eof", after=0), BrokenOff),
    (Script(ending="error", error_type="overloaded_error", after=0), Overloaded),
    (Script(ending="error", error_type="api_error", after=0), BrokenOff),
    (Script(form="json"), BrokenOff),
    (Script(form="html"), BrokenOff),
    (Script(form="empty"), BrokenOff),
)


async def no_wait(_: float) -> None:
    """Take the place of sleeping between tries."""


class SimulatedApi:
    """The rig: the real SDK, connected to the simulator."""

    def __init__(self, simulator: Simulator, blobs: Blobs) -> None:
        self._simulator = simulator
        config = AnthropicConfig(api_key=simulator.key, base_url=simulator.url, retries=1)
        self._made = AnthropicApi(config, blobs, sleep=no_wait)

    @property
    def backend(self) -> Backend:
        return self._made

    def plain(self) -> str:
        return "good morning"

    def long(self) -> str:
        return self._planted("a long one", Script(characters=40_000, deltas=500))

    def endless(self) -> str:
        return self._planted("one without end", Script(words=600, deltas=600, seconds=600))

    def failing(self) -> Sequence[tuple[str, type[Failure]]]:
        return [(self._planted(f"failure {n}.", script), kind) for n, (script, kind) in enumerate(FAILING)]

    def breaking(self) -> tuple[str, type[Failure]]:
        return self._planted("break off", Script(words=20, deltas=10, ending="cut", after=3)), BrokenOff

    def refusing(self) -> str:
        return self._planted("something bad", Script(stop="refusal"))

    def cut_short(self) -> str:
        return self._planted("more than fits", Script(stop="max_tokens"))

    async def stopped(self) -> None:
        assert (await self._simulator.ended(timeout=2)).notes["outcome"] == "disconnected"

    async def heard(self) -> Sequence[tuple[str, str]]:
        messages = self._simulator.asked()[-1].body["messages"]
        return [(message["role"], block["text"]) for message in messages for block in message["content"]]

    def _planted(self, text: str, script: Script) -> str:
        self._simulator.script(script, match=text, times=None)
        return text


class TestContract(BackendContract):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[Rig]:
        async with Simulator() as simulator:
            rig = SimulatedApi(simulator, Blobs(tmp_path))
            yield rig
            await rig.backend.aclose()
