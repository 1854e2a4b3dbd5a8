"""What every service logs, and the bodies that it keeps."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from sandbox.calls import Call, CallLog, Changes
from sandbox.faults import Faults
from sandbox.values import Json


class Logbook:
    """The log of calls, whoever waits for it, and the faults that strike calls."""

    def __init__(self, journal: Path | None, seed: int, keep_bodies: int) -> None:
        """`journal` gets a line per ended call, `seed` begins the random faults, `keep_bodies` is how many bodies are kept."""
        self.changes = Changes()
        self.calls = CallLog(self.changes, journal)
        self.faults = Faults(seed)
        self.monotonic: Callable[[], float] = time.monotonic
        self._keep_bodies = keep_bodies
        self._with_body: deque[Call] = deque()

    def begin(self, request: web.Request) -> Call:
        """Log a call that has just arrived, with the names of its headers and the caller's port."""
        call = self.calls.begin(request.method, request.path_qs)
        call.notes["headers"] = sorted({name.lower() for name in request.headers})
        peer = request.transport.get_extra_info("peername") if request.transport else None
        call.notes["port"] = peer[1] if peer else None
        return call

    def keep(self, call: Call, body: Json) -> None:
        """Keep a call's body, and let go of the oldest one kept."""
        call.body = body
        self._with_body.append(call)
        if len(self._with_body) > self._keep_bodies:
            self._with_body.popleft().body = None
        self.changes.notify()
