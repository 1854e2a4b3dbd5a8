"""Playing a plan over one connection: one timer per stream, and nothing encoded on the way."""

import asyncio
from collections.abc import Callable

from .plan import Plan


def framed(data: bytes) -> bytes:
    """Wrap bytes as one chunk of HTTP/1.1's chunked coding (RFC 9112, 7.1)."""
    return b"%x\r\n%s\r\n" % (len(data), data)


class Player:
    """Writes the steps of a plan to a connection when they fall due, from timer callbacks, without a task switch.

    The first step has been sent already, with the response's head. `note` is told each text delta and the time (loop
    clock, `time.monotonic`) at which it was handed to the connection; `closing` is called before the last event of an
    answer that ends well leaves.
    """

    def __init__(
        self, plan: Plan, transport: asyncio.Transport, note: Callable[[int, float], None], closing: Callable[[], None]
    ) -> None:
        self._plan = plan
        self._transport = transport
        self._note = note
        self._closing = closing
        self._loop = asyncio.get_running_loop()
        self._next = 1
        self._begun = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._played: asyncio.Future[bool] = self._loop.create_future()

    async def play(self) -> bool:
        """Write every step at its time; False if `stop` was called before the end. Cancelled, it writes no more."""
        self._begun = self._loop.time()
        self._write_due()
        try:
            return await self._played
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def stop(self) -> None:
        """End the stream here; an event of which a part has been sent is sent to its end."""
        if self._played.done():
            return
        steps = self._plan.steps
        while steps[self._next - 1].open and not self._transport.is_closing():
            self._transport.write(framed(steps[self._next].data))
            self._next += 1
        self._played.set_result(False)

    async def silence(self) -> bool:
        """Hold the connection open until the caller leaves, which cancels this, or `stop` is called (False).

        Sends pings each so many seconds if the script has them.
        """
        self._played = self._loop.create_future()
        while True:
            try:
                async with asyncio.timeout(self._plan.script.pings):
                    return await asyncio.shield(self._played)
            except TimeoutError:
                self._transport.write(framed(self._plan.ping))

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
            if due[-1].closing:
                self._closing()
            self._transport.write(framed(b"".join(step.data for step in due)))
            for step in due:
                if step.delta:
                    self._note(step.delta, self._begun + now)
        if self._next < len(steps):
            self._timer = self._loop.call_at(self._begun + steps[self._next].at, self._write_due)
        else:
            self._played.set_result(True)
