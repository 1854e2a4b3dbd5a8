"""A clock for tests that run threads beside the event loop: it hurries, so that a pause of a second takes a fiftieth of one."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

P = ParamSpec("P")
RATE = 50.0


class _HurryingSelector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / RATE)


class _HurryingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__(_HurryingSelector())

    def time(self) -> float:
        return super().time() * RATE


def on_hurrying_clock(test: Callable[P, Coroutine[None, None, None]]) -> Callable[P, None]:
    """Run the test on a loop of its own, whose clock hurries. An exception that nobody took fails the test."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        lost: list[str] = []

        def note(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            lost.append(f"{context['message']}: {context.get('exception')!r}")

        with asyncio.Runner(loop_factory=_HurryingLoop) as runner:
            runner.get_loop().set_exception_handler(note)
            runner.run(test(*args, **kwargs))
        assert not lost

    return run


async def later(seconds: float) -> None:
    """Let so much time go by on the clock of the running test."""
    await asyncio.sleep(seconds)
