"""What all endpoints of one simulator share: its log, its scripts, its faults."""

import time
from collections import deque
from collections.abc import Callable

from aiohttp import web

from sandbox.calls import Call, CallLog, Changes
from sandbox.faults import Faults, Rule

from .blocks import JsonObject
from .cache import PrefixCache
from .config import Config
from .files import FileStore
from .issued import Issued
from .rules import Scripts

_SECRETS = ("authorization", "x-api-key", "cookie")


class Service:
    """The state of one simulator."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.changes = Changes()
        self.calls = CallLog(self.changes, config.journal)
        self.scripts = Scripts(config.script)
        self.faults = Faults(config.seed)
        self.monotonic: Callable[[], float] = time.monotonic
        self.cache = PrefixCache(config.clock)
        self.files = FileStore()
        self.issued = Issued()
        self.asked = 0
        """How many requests for messages were answered or refused by a script."""
        self._with_body: deque[Call] = deque()

    def begin(self, request: web.Request) -> Call:
        """Log a call that has just arrived. The key is not kept."""
        call = self.calls.begin(request.method, request.path_qs)
        call.notes["request_id"] = f"req_{call.number:08d}"
        call.notes["version"] = request.headers.get("anthropic-version")
        call.notes["headers"] = sorted({name.lower() for name in request.headers})
        call.notes["sent_headers"] = {
            name.lower(): "redacted" if name.lower() in _SECRETS else value.replace(self.config.key, "redacted")
            for name, value in request.headers.items()
        }
        peer = request.transport.get_extra_info("peername") if request.transport else None
        call.notes["port"] = peer[1] if peer else None
        return call

    def keep(self, call: Call, body: JsonObject) -> None:
        """Keep a call's body, and let go of the oldest one kept."""
        call.body = body
        self._with_body.append(call)
        if len(self._with_body) > self.config.keep_bodies:
            self._with_body.popleft().body = None
        self.changes.notify()

    def end(self, call: Call) -> None:
        """Log the end of a call, with the status that it has been given."""
        self.calls.end(call, call.status)

    def fault(self, call: Call, request: web.Request) -> Rule | None:
        """Draw the fault that strikes a call, if any, and log its name."""
        rule = self.faults.draw(request.method, request.path)
        if rule is not None:
            call.fault = rule.label
        return rule
