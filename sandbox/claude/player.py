"""Playing the steps of a stream over one connection: one timer per stream, and nothing encoded on the way."""

import asyncio
from collections.abc import Callable, Sequence

from sandbox.claude.steps import PING, Step

Note = Callable[[int, float], None]


def framed(data: bytes) -> bytes:
    """Wrap bytes as one chunk of HTTP/1.1's chunked coding (RFC 9112, 7.1)."""
    return b"%x\r\n%s\r\n" % (len(data), data)


class Player:
    """Writes steps to a connection when they fall due, from timer callbacks, without a task switch.

    The first step has been sent already, with the response's head. `note` is told each text delta and the time (loop
    clock, `time.monotonic`) at which it was handed to the connection; `closing` is called before the last event of an
    answer that ends well leaves.
    """

    def __init__(
        self, steps: Sequence[Step], transport: asyncio.Transport, note: Note, closing: Callable[[], None] | None = None
    ) -> None:
        self._steps = steps
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
        while self._steps[self._next - 1].open and not self._transport.is_closing():
            self._transport.write(framed(self._steps[self._next].data))
            self._next += 1
        self._played.set_result(False)

    async def silence(self, pings: float | None, ping: bytes = PING) -> bool:
        """Hold the connection open until the caller leaves, which cancels this, or `stop` is called (False).

        Sends a ping each `pings` seconds; None sends none.
        """
        self._played = self._loop.create_future()
        while True:
            try:
                async with asyncio.timeout(pings):
                    return await asyncio.shield(self._played)
            except TimeoutError:
                self._transport.write(framed(ping))

    def _write_due(self) -> None:
        if self._transport.is_closing() or self._played.done():
            return
        now = self._loop.time() - self._begun
        first = self._next
        while self._next < len(self._steps) and self._steps[self._next].at <= now:
            self._next += 1
        due = self._steps[first : self._next]
        if due:
            if due[-1].closing and self._closing is not None:
                self._closing()
            self._transport.write(framed(b"".join(step.data for step in due)))
            for step in due:
                if step.delta:
                    self._note(step.delta, self._begun + now)
        if self._next < len(self._steps):
            self._timer = self._loop.call_at(self._begun + self._steps[self._next].at, self._write_due)
        else:
            self._played.set_result(True)
