"""A clock for tests that jumps from event to event: an hour takes no time, and every run is the same."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for no timer: the clock jumps to it instead. Waiting for nothing at all is a deadlock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events:
            assert timeout is not None, "everyone waits and nothing is to come"
            self.now += timeout
        return events


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jumping = _JumpingSelector()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now


def on_jumping_clock(test: Callable[P, Coroutine[None, None, None]]) -> Callable[P, None]:
    """Run the test on a loop of its own, whose clock jumps."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


def now() -> float:
    """The time on the clock of the running test, in seconds."""
    return asyncio.get_running_loop().time()


async def until(at: float) -> None:
    """Wait for a time on that clock."""
    await asyncio.sleep(max(0.0, at - now()))
