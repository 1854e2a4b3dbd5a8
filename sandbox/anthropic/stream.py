"""Playing a plan over one connection: one timer per stream, and nothing encoded on the way."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from .plan import PING, Plan

Note = Callable[[int, float], None]


def framed(data: bytes) -> bytes:
    """Wrap bytes as one chunk of HTTP/1.1's chunked coding (RFC 9112, 7.1)."""
    return b"%x\r\n%s\r\n" % (len(data), data)


class Player:
    """Writes the steps of a plan to a connection when they fall due, from timer callbacks, without a task switch.

    The first step has been sent already, with the response's head.
    """

    def __init__(self, plan: Plan, transport: asyncio.Transport, note: Note) -> None:
        self._plan = plan
        self._transport = transport
        self._note = note
        self._loop = asyncio.get_running_loop()
        self._next = 1
        self._begun = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._played: asyncio.Future[None] = self._loop.create_future()

    async def play(self) -> None:
        """Write every step at its time and return; cancelled, it writes no more."""
        self._begun = self._loop.time()
        self._write_due()
        try:
            await self._played
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _write_due(self) -> None:
        if self._transport.is_closing() or self._played.done():
            return
        steps = self._plan.steps
        now = self._loop.time() - self._begun
        first = self._next
        while self._next < len(steps) and steps[self._next].at <= now:
            self._next += 1
        due = steps[first : self._next]
        if due:
            self._transport.write(framed(b"".join(step.data for step in due)))
            for step in due:
                if step.delta:
                    self._note(step.delta, self._begun + now)
        if self._next < len(steps):
            self._timer = self._loop.call_at(self._begun + steps[self._next].at, self._write_due)
        else:
            self._played.set_result(None)


async def send(request: web.Request, response: web.StreamResponse, plan: Plan, note: Note) -> None:
    """Send a plan as the body of a response whose head is on its way, and end as the plan says.

    `note` is told each delta and the time (loop clock, `time.monotonic`) at which it was handed to the connection.
    """
    transport = request.transport
    if transport is None:
        return
    await response.write(plan.steps[0].data)  # aiohttp holds the head back until the first write
    await Player(plan, transport, note).play()
    if plan.ending == "cut":
        transport.abort()
    elif plan.ending == "silence":
        await _silence(transport, plan.pings)
    else:
        await response.write_eof()


async def _silence(transport: asyncio.Transport, pings: float | None) -> None:
    """Hold the connection open until the caller leaves, which cancels this; with pings each so many seconds if set."""
    forever: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    while True:
        try:
            async with asyncio.timeout(pings):
                await asyncio.shield(forever)
        except TimeoutError:
            transport.write(framed(PING))
