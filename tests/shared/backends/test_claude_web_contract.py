"""The contract of the backends, kept by claude.ai's web API over a loopback connection."""

from collections.abc import AsyncIterator, Sequence

import pytest

from sandbox.claude_web import ClaudeWebSimulator, Script
from shared.backends import Backend
from shared.backends.claude_web import ClaudeWeb, ClaudeWebConfig
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
from tests.conformance.backend import BackendContract, Rig
from tests.shared.backends.api import NOWHERE
from tests.shared.backends.web import branch, lines_of

FAILING: Sequence[tuple[Script, type[Failure]]] = (
    (Script(status=400), Invalid),
    (Script(status=400, error_message="The prompt is too long for this conversation"), TooLarge),
    (Script(status=401), BadKey),
    (Script(status=403, error_message="Session expired"), BadKey),
    (Script(status=403, error_message="This model isn't available right now"), UnknownModel),
    (Script(status=402), OutOfQuota),
    (Script(status=413), TooLarge),
    (Script(status=422), Invalid),
    (Script(status=429), OutOfQuota),
    (Script(status=429, headers={"Retry-After": "3600"}), RateLimited),
    (Script(status=500), Unavailable),
    (Script(status=503), Unavailable),
    (Script(status=529), Overloaded),
    (Script(cut_before=True), Unavailable),
    (Script(ending="cut", after=0), BrokenOff),
    (Script(ending="eof", after=0), BrokenOff),
    (Script(ending="error", error_type="overloaded_error", after=0), Overloaded),
    (Script(ending="error", error_type="api_error", after=0), BrokenOff),
    (Script(form="html"), Unavailable),
    (Script(form="empty"), BrokenOff),
)


async def no_wait(_: float) -> None:
    """Take the place of sleeping between tries."""


class SimulatedWeb:
    """The rig: the real client, connected to the simulator."""

    def __init__(self, simulator: ClaudeWebSimulator) -> None:
        self._simulator = simulator
        config = ClaudeWebConfig(session_key=simulator.session_key, base_url=simulator.url, retries=1)
        self._made = ClaudeWeb(config, NOWHERE, sleep=no_wait)

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
        assert (await self._simulator.ended(timeout=2)).notes["outcome"] in ("disconnected", "stopped")

    async def heard(self) -> Sequence[tuple[str, str]]:
        return [line for message in branch(self._simulator) for line in lines_of(message)]

    def _planted(self, text: str, script: Script) -> str:
        self._simulator.script(script, match=text, times=None)
        return text


class TestContract(BackendContract):
    @pytest.fixture
    async def rig(self) -> AsyncIterator[Rig]:
        async with ClaudeWebSimulator() as simulator:
            rig = SimulatedWeb(simulator)
            yield rig
            await rig.backend.aclose()
