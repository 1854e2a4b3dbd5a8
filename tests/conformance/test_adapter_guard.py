import pytest

from tests.conformance.adapter import AdapterPromises
from tests.conformance.adapter_rig import Rig


class Quiet(AdapterPromises):
    async def test_what_bots_write_is_heard_and_never_addressed(self, rig: Rig) -> None:
        """Nothing is looked at."""


class Honest(AdapterPromises):
    @pytest.mark.xfail(reason="the platform does not say who is a bot")
    async def test_what_bots_write_is_heard_and_never_addressed(self, rig: Rig) -> None:
        await super().test_what_bots_write_is_heard_and_never_addressed(rig)


def test_a_promise_cannot_be_dropped_quietly() -> None:
    with pytest.raises(AssertionError, match="test_what_bots_write_is_heard_and_never_addressed"):
        Quiet().test_a_promise_is_overridden_only_with_a_reason()
    Honest().test_a_promise_is_overridden_only_with_a_reason()
