"""What the tests of the client share: a client on the simulator, and a server that answers what it is told."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from sandbox.claude_web import ClaudeWebSimulator
from shared.claude_web import ClaudeClient, ModelOutput
from shared.claude_web.idle import Handle

ORGANIZATION = "11111111-2222-4333-8444-555555555555"


@asynccontextmanager
async def connected(web: ClaudeWebSimulator, **options: Any) -> AsyncGenerator[ClaudeClient]:
    """A client on the simulator, opened and closed."""
    async with ClaudeClient(web.session_key, base_url=web.url, **options) as client:
        yield client


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncGenerator[str]:
    """A server that gives every request to `handler`; yields its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def answering(
    status: int = 200, body: str = "", headers: dict[str, str] | None = None, **options: Any
) -> AsyncGenerator[ClaudeClient]:
    """A client on a server that answers everything alike."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body.encode(), headers={"Content-Type": "application/json", **(headers or {})})

    async with serving(answer) as url, ClaudeClient("sk-test", ORGANIZATION, base_url=url, **options) as client:
        yield client


async def first(states: AsyncGenerator[ModelOutput]) -> ModelOutput:
    """The first state with text; the stream stays open."""
    async for state in states:
        if state.text_delta:
            return state
    raise AssertionError("no text came")


class Clock:
    """Time that stands still until it is moved, with what was put off."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._timers: list[_Timer] = []

    def __call__(self) -> float:
        return self.now

    def later(self, seconds: float, call: Callable[[], None]) -> Handle:
        timer = _Timer(self.now + seconds, call)
        self._timers.append(timer)
        return timer

    def pass_by(self, seconds: float) -> None:
        """Move on, and call what has fallen due."""
        self.now += seconds
        due = [timer for timer in self._timers if timer.at <= self.now and not timer.cancelled]
        self._timers = [timer for timer in self._timers if timer.at > self.now]
        for timer in due:
            timer.call()


class _Timer:
    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


async def settled() -> None:
    """Let everything run that is ready to."""
    for _ in range(20):
        await asyncio.sleep(0)
